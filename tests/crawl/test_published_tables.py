"""Parquet, SQLite and gzip: files that are complete or absent, whatever happens to the crawl."""

import gzip
import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from crawling import Crawl, SiteProcess, crawl_list, crawl_under_way, run_scrapy, texts_of

import urlcrawler

NAMES = ["table.parquet", "table.sqlite", "table.csv.gz", "table.jsonl.gz"]
published = pytest.mark.parametrize(
    "name", [NAMES[0], *(pytest.param(name, marks=pytest.mark.long) for name in NAMES[1:])]
)
FIELDS = """
name: .name::text
price: {css: .price::text, type: price}
stock: {css: .stock::text, type: int}
in_stock: {css: .stock::text, type: bool}
specs: {css: "dd::text", many: true}
numbers: {css: ".stock::text", type: int, many: true}
reviews:
  css: .review
  many: true
  fields: {stars: {css: .stars::text, type: float}, by: .by::text}
"""


def listed(site: SiteProcess, count: int = 20) -> list[str]:
    pages = [site.url(f"/page/{n}", host=1 + n % 4) for n in range(count)]
    return [*pages, site.url("/status/404"), "not a url", pages[0], site.url("/json")]


def again(folder: Path, name: str, *words: str) -> Crawl:
    words = ("-a", "file=urls.txt", "-o", name, *words)
    return run_scrapy(folder, "crawl", "urls", *words, table="not read")


def rows_in(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a published table, as the libraries of other people read them."""
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    if path.suffix == ".sqlite":
        with closing(sqlite3.connect(path)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute("SELECT * FROM results")]
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        if path.name.endswith(".jsonl.gz"):
            return [json.loads(line) for line in lines]
        return pd.read_csv(lines, dtype=str, keep_default_na=False).to_dict("records")


@pytest.mark.parametrize(
    ("name", "other"), [*zip(NAMES, ["other.csv", "other.jsonl"] * 2, strict=True)]
)
def test_it_has_the_rows_that_other_tables_have(
    tmp_path: Path, site: SiteProcess, name: str, other: str
) -> None:
    """One crawl into both: read back, each cell is the same."""
    (tmp_path / "fields.yaml").write_text(FIELDS)
    lines = ["url,note", *(f'{line},"a, ""b"""' for line in listed(site))]
    words = ("-a", "fields=fields.yaml", "-O", name)
    crawled = crawl_list(tmp_path, lines, *words, name="urls.csv", table=other)
    assert crawled.exit_code == 0
    table = urlcrawler.read_results(tmp_path / name)
    wanted = urlcrawler.read_results(crawled.table)
    assert list(table.columns) == list(wanted.columns) == list(crawled.rows[0])
    assert len(table) == 24
    for column in table.columns:
        assert texts_of(table[column]) == texts_of(wanted[column]), column


def test_parquet_has_the_types_that_columns_are_declared_with(
    tmp_path: Path, site: SiteProcess
) -> None:
    """Whatever the first rows hold: here nothing at all."""
    (tmp_path / "fields.yaml").write_text(FIELDS)
    lines = [site.url("/status/404"), *listed(site, 3)]
    crawl_list(tmp_path, lines, "-a", "fields=fields.yaml", table="table.parquet")
    schema = pq.read_schema(tmp_path / "table.parquet")
    found = {name: schema.field(name).type for name in schema.names}
    assert (found["position"], found["status"], found["elapsed"]) == (
        pa.int64(), pa.int64(), pa.float64(),
    )  # fmt: skip
    assert found["fetched_at"] == pa.timestamp("ms", tz="UTC")
    assert (found["price"], found["price_currency"]) == (pa.float64(), pa.string())
    assert found["in_stock"] == pa.bool_()
    assert found["numbers"] == pa.list_(pa.int64())
    review = pa.struct([("stars", pa.float64()), ("by", pa.string())])
    assert found["reviews"] == pa.list_(review)


def test_read_results_gives_types_that_know_nothing(tmp_path: Path, site: SiteProcess) -> None:
    """Nullable integers and booleans, times in UTC, lists as lists."""
    (tmp_path / "fields.yaml").write_text(FIELDS)
    crawl_list(tmp_path, listed(site, 3), "-a", "fields=fields.yaml", table="table.parquet")
    table = urlcrawler.read_results(tmp_path / "table.parquet")
    dtypes = {name: str(table.dtypes[name]) for name in ("status", "stock", "price", "name")}
    assert dtypes == {"status": "Int64", "stock": "Int64", "price": "Float64", "name": "string"}
    assert str(table.dtypes["fetched_at"]) == "datetime64[ms, UTC]"
    assert isinstance(table["numbers"][0], list)
    assert table["status"].isna().sum() == 2


@published
def test_the_same_command_again_requests_nothing_and_changes_nothing(
    tmp_path: Path, site: SiteProcess, name: str
) -> None:
    """The rows are taken from the file itself: nothing else is left beside it but what binds it."""
    crawl_list(tmp_path, listed(site), table=name)
    before = (tmp_path / name).read_bytes(), (tmp_path / name).stat().st_mtime_ns
    crawled = again(tmp_path, name)
    assert "24 of 24 records have their row from an earlier run" in crawled.log
    assert "0 pages in" in crawled.log
    assert ((tmp_path / name).read_bytes(), (tmp_path / name).stat().st_mtime_ns) == before
    assert not list(tmp_path.glob(".*rows")) + list(tmp_path.glob(".*new"))
    assert crawled.exit_code == 0


@published
def test_a_crawl_that_stops_has_no_file_and_goes_on(
    tmp_path: Path, site: SiteProcess, name: str
) -> None:
    """Half a file would look like a whole one; the log says where the rows are until then."""
    lines = [site.url(f"/page/{n}?delay=0.1", host=1 + n % 4) for n in range(40)]
    stopped = crawl_list(tmp_path, lines, "-s", "CLOSESPIDER_ITEMCOUNT=10", table=name)
    assert stopped.exit_code == 75
    assert f"It is written when it is complete; until then: {tmp_path}/.{name}.rows" in stopped.log
    assert not (tmp_path / name).exists()
    crawled = again(tmp_path, name)
    assert crawled.exit_code == 0
    assert [int(row["position"]) for row in rows_in(tmp_path / name)] == list(range(1, 41))


@published
def test_rows_may_be_crawled_again(tmp_path: Path, site: SiteProcess, name: str) -> None:
    """The file with the old rows stays until the new one takes its place."""
    flaky = [site.url(f"/flaky/1?{tmp_path.name}{name}"), *listed(site, 5)]
    crawl_list(tmp_path, flaky, "-s", "RETRY_TIMES=0", table=name)
    assert rows_in(tmp_path / name)[0]["outcome"] == "http_error"
    crawled = again(tmp_path, name, "-a", "retry=failed")
    rows = rows_in(tmp_path / name)
    assert (crawled.exit_code, len(rows), rows[0]["outcome"]) == (0, 10, "ok")
    assert "1 of them are crawled again" in crawled.log


@published
def test_processes_write_it_together(tmp_path: Path, site: SiteProcess, name: str) -> None:
    """It is that of one process."""
    crawl_list(tmp_path, listed(site), table=name)
    one = [(row["position"], row["url"], row["outcome"]) for row in rows_in(tmp_path / name)]
    crawled = crawl_list(tmp_path, listed(site), "-s", "PROCESSES=2", table=name)
    two = [(row["position"], row["url"], row["outcome"]) for row in rows_in(tmp_path / name)]
    assert (crawled.exit_code, two) == (0, one)


@published
def test_a_new_crawl_takes_the_old_file_away_at_once(
    tmp_path: Path, site: SiteProcess, name: str
) -> None:
    """With -O: what is there during the crawl would be taken for its result."""
    crawl_list(tmp_path, listed(site, 3), table=name)
    lines = [site.url(f"/page/{n}?delay=0.3", host=1 + n % 4) for n in range(40)]
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    with crawl_under_way(tmp_path, "-O", name, table=f".{name}.rows") as process:
        assert not (tmp_path / name).exists()
        process.kill()


@published
def test_it_may_be_the_table_of_an_earlier_crawl(
    tmp_path: Path, site: SiteProcess, name: str
) -> None:
    """For scrapy diff, whatever the other one is, and for -a since."""
    crawl_list(tmp_path, listed(site, 5), "-O", name, table="table.csv")
    compared = run_scrapy(tmp_path, "diff", "table.csv", name, table="not read")
    assert (compared.exit_code, compared.stdout) == (0, "")
    assert "0 added, 0 removed, 0 changed, 8 the same" in compared.log
    later = crawl_list(tmp_path, [site.url("/page/0")], "-a", f"since={name}", table="later.csv")
    assert later.only()["outcome"] in ("ok", "unchanged")
    assert later.exit_code == 0


@published
def test_rows_that_were_collected_and_not_published_are_published_by_the_next_run(
    tmp_path: Path, site: SiteProcess, name: str
) -> None:
    """Whatever is there already: the list has grown, and the file could not be written."""
    lines = [site.url(f"/page/{n}") for n in range(8)]
    crawl_list(tmp_path, lines[:5], table=name)
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    blocked = tmp_path / f".{name}.ordered"
    new = tmp_path / f".{name}.new"
    with crawl_under_way(tmp_path, "-o", name, "-s", "DOWNLOAD_DELAY=0.3",
                         table=f".{name}.rows", rows=6) as process:  # fmt: skip
        new.mkdir()
        log = process.communicate(timeout=60)[1]
    assert (process.returncode, blocked.exists()) == (4, False), log
    assert len(rows_in(tmp_path / name)) == 5
    new.rmdir()
    crawled = again(tmp_path, name)
    assert "8 of 8 records have their row from an earlier run" in crawled.log
    assert (crawled.exit_code, len(rows_in(tmp_path / name))) == (0, 8)


def test_a_crawl_that_is_refused_leaves_nothing_beside_the_file(
    tmp_path: Path, site: SiteProcess
) -> None:
    """Its columns are others: the file stays, and nothing is taken for rows later on."""
    crawl_list(tmp_path, listed(site, 2), table="table.parquet")
    (tmp_path / "fields.yaml").write_text("name: .name::text\n")
    refused = again(tmp_path, "table.parquet", "-a", "fields=fields.yaml")
    assert refused.exit_code == 1
    assert "has other columns than this crawl writes" in refused.log
    assert not (tmp_path / ".table.parquet.rows").exists()
    assert len(rows_in(tmp_path / "table.parquet")) == 6


def test_a_link_stays_one(tmp_path: Path, site: SiteProcess) -> None:
    """The file that it leads to is the one that is published, with -O too."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "table.parquet").symlink_to("elsewhere/real.parquet")
    for _ in range(2):
        assert crawl_list(tmp_path, listed(site, 2), table="table.parquet").exit_code == 0
    assert (tmp_path / "table.parquet").is_symlink()
    assert len(rows_in(tmp_path / "elsewhere/real.parquet")) == 6


FOREIGN = {
    "table.parquet": lambda path: pq.write_table(pa.table({"a": [1]}), path),
    "table.sqlite": lambda path: sqlite3.connect(path).execute("CREATE TABLE mine (a)").close(),
    "table.csv.gz": lambda path: path.write_bytes(b"no gzip at all"),
    "table.jsonl.gz": lambda path: path.write_bytes(gzip.compress(b'{"a": 1}\n')),
}


@published
def test_a_file_of_somebody_else_is_refused(tmp_path: Path, site: SiteProcess, name: str) -> None:
    """It is left as it was, and with -O it is replaced."""
    FOREIGN[name](tmp_path / name)
    before = (tmp_path / name).read_bytes()
    (tmp_path / "urls.txt").write_text(site.url("/page/1"))
    crawled = again(tmp_path, name)
    assert "is there already and is no table of a crawl" in crawled.log or (
        "has other columns than this crawl writes" in crawled.log
    )
    assert (crawled.exit_code, (tmp_path / name).read_bytes()) == (1, before)
    assert "Traceback" not in crawled.log
    assert crawl_list(tmp_path, [site.url("/page/1")], table=name).exit_code == 0
    assert len(rows_in(tmp_path / name)) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("-o", "-:parquet"), "is written as one local file"),
        (("-o", "table.parquet", "-s", "FEED_EXPORT_FIELDS=url"), "with all rows and columns"),
        (("-o", "s3://bucket/table.parquet"), "is written as one local file"),
        (("-o", "table.gz"), "the name does not say what is compressed"),
    ],
)
def test_what_cannot_be_published_is_said_before_the_first_request(
    scrapy: Callable[..., Crawl], tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    """One sentence that says what to do."""
    (tmp_path / "urls.txt").write_text("http://127.0.0.1:1/")
    crawled = scrapy("crawl", "urls", "-a", "file=urls.txt", *words)
    assert sentence in crawled.log
    assert (crawled.exit_code, "Traceback" in crawled.log) == (1, False)


def test_columns_that_sqlite_cannot_tell_apart_are_refused(
    scrapy: Callable[..., Crawl], tmp_path: Path
) -> None:
    """It does not know capitals from small letters; at the end it would be too late."""
    (tmp_path / "urls.csv").write_text("url,Status\nhttp://127.0.0.1:1/,x\n")
    crawled = scrapy("crawl", "urls", "-a", "file=urls.csv", "-o", "table.sqlite")
    assert "SQLite cannot hold these columns: duplicate column name: Status" in crawled.log
    assert crawled.exit_code == 1


@pytest.mark.parametrize("name", ["table.parquet", "table.sqlite"])
def test_a_value_that_is_none_of_its_type_costs_no_row(
    tmp_path: Path, site: SiteProcess, name: str
) -> None:
    """A spider that puts a word into a column of numbers: the cell is empty, the log says so."""
    (tmp_path / "urls.txt").write_text("\n".join(listed(site, 3)))
    words = ("-a", "file=urls.txt", "-s", "SPIDER_MODULES=urlcrawler.spiders,followers")
    crawled = run_scrapy(tmp_path, "crawl", "wrong_types", *words, "-O", name, table="not read")
    rows = rows_in(tmp_path / name)
    assert (crawled.exit_code, len(rows)) == (0, 7)
    assert [row["stock"] for row in rows[:3]] == [None] * 3
    assert rows[0]["title"] == "7"
    assert "4 values of the column stock are no int, and are left out" in crawled.log


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder read-only for all")
def test_a_file_that_cannot_be_written_costs_no_row(tmp_path: Path, site: SiteProcess) -> None:
    """The exit code says so, and the same command writes it when it can be."""
    folder = tmp_path / "there.parquet"
    crawl_list(tmp_path, listed(site, 3), "-s", "CLOSESPIDER_ITEMCOUNT=1", table="table.parquet")
    folder.mkdir()
    blocked = tmp_path / ".table.parquet.new"
    blocked.mkdir()
    crawled = again(tmp_path, "table.parquet")
    assert "every record has its row, but the file could not be written" in crawled.log
    assert crawled.exit_code == 4
    blocked.rmdir()
    assert again(tmp_path, "table.parquet").exit_code == 0
    assert len(rows_in(tmp_path / "table.parquet")) == 7
