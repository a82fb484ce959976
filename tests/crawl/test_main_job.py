"""The main job on lists as people have them."""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from crawling import Crawl, SiteProcess, crawl_list, serving

import urlcrawler
from urlcrawler.demo import names
from urlcrawler.settings import EXTENSIONS


@pytest.fixture
def many_hosts() -> Iterator[SiteProcess]:
    """A site of its own with 500 hosts."""
    with serving(names.addresses(500)) as process:
        yield process


@pytest.mark.parametrize(
    ("hosts", "pages"), [(100, 20), pytest.param(500, 40, marks=pytest.mark.long)]
)
def test_many_records_over_many_hosts_have_each_one_row(
    crawl: Callable[..., Crawl], many_hosts: SiteProcess, hosts: int, pages: int
) -> None:
    """Every position is in the table exactly once, also at thousands of records."""
    lines = [
        many_hosts.url(f"/page/{page}?size=2000", host)
        for host in range(1, hosts + 1)
        for page in range(pages)
    ]
    crawled = crawl(lines)
    positions = sorted(int(row["position"]) for row in crawled.rows)
    assert positions == list(range(1, hosts * pages + 1))
    assert {row["outcome"] for row in crawled.rows} == {"ok"}


def test_a_host_that_never_answers_does_not_delay_the_others(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """5,000 records of a silent host come first in the list; all others are done in between."""
    silent = [site.url(f"/never?page={page}") for page in range(5000)]
    lively = [
        site.url(f"/page/{page}?size=2000", host=host) for host in (2, 3, 4) for page in range(30)
    ]
    crawled = crawl(silent + lively, "-s", "CLOSESPIDER_TIMEOUT=8", "-s", "DOWNLOAD_TIMEOUT=15")
    assert len([row for row in crawled.rows if row["outcome"] == "ok"]) == len(lively)
    assert crawled.exit_code == 75


def test_the_number_of_requests_alive_is_bounded_by_the_concurrency(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """The list waits in the index, not as requests in memory."""
    lines = [site.url(f"/page/{page}?size=2000", host=1 + page % 40) for page in range(400)]
    extensions = json.dumps({**EXTENSIONS, "saboteurs.LiveRequests": 0})
    crawled = crawl(lines, "-s", "CONCURRENT_REQUESTS=8", "-s", f"EXTENSIONS={extensions}")
    found = re.search(r"live requests: (\d+)", crawled.log)
    assert found, crawled.log
    # Each may wait for a robots.txt, some answered ones still wait for their row, and of each
    # host one is remembered that went well.
    assert int(found[1]) < 8 * 4 + 40
    assert len(crawled.rows) == len(lines)


def test_other_columns_of_the_list_are_carried_through(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """They follow ours, in their order; a name of ours gets the prefix `in_`."""
    lines = ["sku,url,status,note", f'A-1,{site.url("/ok")},new,"a, ""b""']
    lines += ['c"', f"A-2,{site.url('/page/1')},,"]
    crawled = crawl(lines, name="list.csv")
    first, second = crawled.by_position[1], crawled.by_position[2]
    assert list(first)[-3:] == ["sku", "in_status", "note"]
    assert (first["sku"], first["in_status"], first["note"]) == ("A-1", "new", 'a, "b"\nc')
    assert (first["status"], second["sku"], second["in_status"]) == ("200", "A-2", "")


def test_values_of_a_json_lines_list_survive(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """Numbers, None, booleans and nested values come out of a JSON Lines table as they went in."""
    values = {"n": 1, "x": 1.5, "none": None, "yes": True, "nested": {"a": [1, "é"]}}
    crawled = crawl(
        [json.dumps({"link": site.url("/ok"), **values})], name="list.jsonl", table="t.jsonl"
    )
    row = crawled.only()
    assert {name: row[name] for name in values} == values


@pytest.mark.parametrize("table", ["table.csv", "table.jsonl"])
def test_pandas_reads_the_table_back(
    crawl: Callable[..., Crawl], site: SiteProcess, table: str
) -> None:
    """`read_results` gives types to our columns and leaves those of the list alone."""
    lines = ["url,code", f"{site.url('/ok')},007", f"{site.url('/formula')},=1+1", "nope nope,NA"]
    crawled = crawl(lines, name="list.csv", table=table)
    results = urlcrawler.read_results(crawled.table).set_index("position").sort_index()
    assert results["status"].tolist()[:2] == [200, 200]
    assert str(results["status"].dtype) == "Int64"
    assert str(results["fetched_at"].dtype).startswith("datetime64")
    assert results["code"].tolist() == ["007", "=1+1", "NA"]
    assert results["title"].tolist()[:2] == ["OK", "=1+1"]
    assert results["error"].isna().tolist() == [True, True, False]


def test_a_list_comes_from_standard_input(scrapy: Callable[..., Crawl], site: SiteProcess) -> None:
    """`-a file=-` reads the list from a pipe; the default feed is named after it."""
    crawled = scrapy(
        "crawl", "urls", "-a", "file=-", stdin=site.url("/ok"), table="data/results/stdin.csv"
    )
    assert crawled.only()["outcome"] == "ok"


def test_a_list_comes_over_http(scrapy: Callable[..., Crawl]) -> None:
    """`-a file=http://...` fetches the list first; its lines may be anything."""
    with serving(["127.0.0.1"]) as here:
        file = f"file=http://127.0.0.1:{here.port}/plain"
        crawled = scrapy("crawl", "urls", "-a", file, table="data/results/plain.csv")
    assert crawled.rows
    assert crawled.exit_code == 0


def test_a_compressed_list_is_unpacked(
    scrapy: Callable[..., Crawl], site: SiteProcess, tmp_path: Path
) -> None:
    """The default feed is named after the list without its suffixes."""
    (tmp_path / "shops.csv.gz").write_bytes(gzip.compress(f"url\n{site.url('/ok')}\n".encode()))
    crawled = scrapy("crawl", "urls", "-a", "file=shops.csv.gz", table="data/results/shops.csv")
    assert crawled.only()["status"] == "200"


def test_duplicates_are_fetched_on_request(crawl: Callable[..., Crawl], site: SiteProcess) -> None:
    """`-a duplicates=fetch` requests each record, whatever stands before it."""
    crawled = crawl([site.url("/ok")] * 3, "-a", "duplicates=fetch")
    assert [row["outcome"] for row in crawled.rows] == ["ok"] * 3


def test_limit_crawls_the_beginning_of_the_list(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """`-a limit=2` makes a table of two rows, and the crawl is complete."""
    crawled = crawl([site.url(f"/page/{page}") for page in range(5)], "-a", "limit=2")
    assert (sorted(crawled.by_position), crawled.exit_code) == ([1, 2], 0)


def test_credentials_of_a_url_are_sent_and_not_shown(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """`user:password@` becomes an Authorization header and stays out of final_url and log."""
    crawled = crawl([site.url("/ok").replace("://", "://me:secret@")])
    row = crawled.only()
    assert (row["outcome"], row["final_url"]) == ("ok", site.url("/ok"))
    assert "secret" not in crawled.log


def test_an_ipv6_address_is_fetched(tmp_path: Path) -> None:
    """`http://[::1]:port/` works; Scrapy's default resolver knows IPv4 only."""
    with serving(["::1"]) as here:
        crawled = crawl_list(tmp_path, [f"http://[::1]:{here.port}/ok"])
    assert crawled.only()["status"] == "200"
