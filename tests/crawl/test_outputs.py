"""Where the table goes."""

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from crawling import Crawl, SiteProcess, read_table, run_scrapy


@pytest.fixture
def urls(tmp_path: Path, site: SiteProcess) -> str:
    (tmp_path / "urls.txt").write_text(f"{site.url('/ok')}\nnot a url\n")
    return "-afile=urls.txt"


def test_the_default_feed_is_named_after_the_list(scrapy: Callable[..., Crawl], urls: str) -> None:
    """Without -o the table is data/results/<list name>.csv, in the working directory."""
    assert len(scrapy("crawl", "urls", urls, table="data/results/urls.csv").rows) == 2


def test_an_option_replaces_the_default_feed(
    scrapy: Callable[..., Crawl], urls: str, tmp_path: Path
) -> None:
    """`-o mine.csv` writes one table, not the default one beside it."""
    assert len(scrapy("crawl", "urls", urls, "-o", "mine.csv", table="mine.csv").rows) == 2
    assert not (tmp_path / "data").exists()


def test_several_feeds_hold_the_same_rows(
    scrapy: Callable[..., Crawl], urls: str, tmp_path: Path
) -> None:
    """-o may be given more than once, each with a format of its own."""
    scrapy("crawl", "urls", urls, "-o", "a.csv", "-o", "b.jsonl", "-o", "c.json", "-o", "d.xml")
    assert [row["url"] for row in read_table(tmp_path / "a.csv")] == [
        row["url"] for row in read_table(tmp_path / "b.jsonl")
    ]
    assert len(json.loads((tmp_path / "c.json").read_text())) == 2
    assert (tmp_path / "d.xml").read_text().count("<item>") == 2


def test_the_table_goes_to_standard_output(scrapy: Callable[..., Crawl], urls: str) -> None:
    """`-o -:csv` writes the rows, and nothing else, to standard output."""
    crawled = scrapy("crawl", "urls", urls, "-o", "-:csv")
    rows = list(csv.DictReader(crawled.stdout.splitlines()))
    assert sorted(row["position"] for row in rows) == ["1", "2"]


def test_a_file_that_is_no_table_is_refused(
    scrapy: Callable[..., Crawl], urls: str, tmp_path: Path
) -> None:
    """Nothing of somebody's own is touched: it says to type -O, and exits with 1."""
    for content in ("precious\n", "precious", "name,age\nAda,36\n"):
        (tmp_path / "mine.csv").write_text(content)
        crawled = scrapy("crawl", "urls", urls, "-o", "mine.csv")
        assert "Type -O mine.csv" in crawled.log
        assert crawled.exit_code == 1
        assert (tmp_path / "mine.csv").read_text() == content


def test_a_table_that_cannot_be_resumed_is_refused(
    scrapy: Callable[..., Crawl], urls: str, tmp_path: Path
) -> None:
    """A JSON array has an end; a second crawl cannot go on behind it."""
    (tmp_path / "mine.json").write_text("[]")
    crawled = scrapy("crawl", "urls", urls, "-o", "mine.json")
    assert "mine.json is there already" in crawled.log
    assert crawled.exit_code == 1


def test_a_table_is_replaced_on_request(
    scrapy: Callable[..., Crawl], urls: str, tmp_path: Path
) -> None:
    """-O starts afresh."""
    (tmp_path / "mine.csv").write_text("old\n")
    assert len(scrapy("crawl", "urls", urls, "-O", "mine.csv", table="mine.csv").rows) == 2


def test_a_table_that_cannot_be_written_is_refused(
    scrapy: Callable[..., Crawl], urls: str, tmp_path: Path
) -> None:
    """A folder that cannot be made is noticed before the first request."""
    (tmp_path / "file").touch()
    crawled = scrapy("crawl", "urls", urls, "-o", "file/mine.csv")
    assert "file/mine.csv: cannot be written: " in crawled.log
    assert "is not a folder" in crawled.log
    assert (crawled.exit_code, "Traceback" in crawled.log) == (1, False)


def test_an_unknown_format_is_a_usage_error(scrapy: Callable[..., Crawl], urls: str) -> None:
    """Scrapy's own answer and exit code."""
    assert scrapy("crawl", "urls", urls, "-o", "mine.docx").exit_code == 2


def test_chosen_fields_are_the_only_columns(
    scrapy: Callable[..., Crawl], urls: str, tmp_path: Path
) -> None:
    """FEED_EXPORT_FIELDS keeps its meaning."""
    crawled = scrapy(
        "crawl", "urls", urls, "-O", "table.csv", "-s", "FEED_EXPORT_FIELDS=url,outcome"
    )
    assert {tuple(row) for row in crawled.rows} == {("url", "outcome")}


def test_the_header_is_complete_whatever_comes_first(
    scrapy: Callable[..., Crawl], tmp_path: Path, site: SiteProcess
) -> None:
    """An invalid record first, then a page: all columns are there, in the documented order."""
    (tmp_path / "list.csv").write_text(f"url,sku\nnot a url,1\n{site.url('/ok')},2\n")
    crawled = scrapy("crawl", "urls", "-afile=list.csv", "-O", "table.csv")
    header = (tmp_path / "table.csv").read_text().splitlines()[0].split(",")
    assert header[:4] == ["position", "url", "outcome", "status"]
    assert header[-2:] == ["json_ld", "sku"]
    assert {tuple(row) for row in crawled.rows} == {tuple(header)}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused(
    scrapy: Callable[..., Crawl], urls: str, tmp_path: Path
) -> None:
    """A folder without permission is noticed before the first request."""
    (tmp_path / "locked").mkdir(mode=0o500)
    assert "no permission in" in scrapy("crawl", "urls", urls, "-o", "locked/mine.csv").log


def test_formulas_are_neutralised_only_by_default(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """CSV_FORMULAS writes text cells as they are."""
    page = site.url("/formula")
    assert crawl([page]).only()["title"] == "'=1+1"
    assert crawl([page], "-s", "CSV_FORMULAS=1").only()["title"] == "=1+1"


def test_characters_that_no_file_can_hold_are_written_out(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """A lone surrogate or a NUL in a page costs no row."""
    crawled = crawl([site.url("/surrogate"), site.url("/nul")])
    assert [crawled.by_position[place]["outcome"] for place in (1, 2)] == ["ok", "ok"]
    assert "\0" not in crawled.table.read_text()


@pytest.mark.parametrize(
    "words",
    [
        ("-o", "foo://bucket/x.csv"),
        ("-O", "x.csv", "-s", "FEED_EXPORT_BATCH_ITEM_COUNT=2"),
        ("-O", "x.csv", "-s", 'EXTENSIONS_BASE={"scrapy.extensions.corestats.CoreStats": 0}'),
    ],
)
def test_a_crawl_without_a_table_does_not_begin(
    scrapy: Callable[..., Crawl], urls: str, words: tuple[str, ...]
) -> None:
    """Scrapy only logs a feed that it cannot set up, and crawls for nothing."""
    crawled = scrapy("crawl", "urls", urls, *words)
    assert "There is no table to write" in crawled.log
    assert (crawled.exit_code, "Traceback" in crawled.log) == (1, False)


def test_a_feed_that_fails_at_its_end_exits_with_4(scrapy: Callable[..., Crawl], urls: str) -> None:
    """An upload that is refused; the password of the feed is not shown in the summary."""
    crawled = scrapy("crawl", "urls", urls, "-o", "ftp://me:secret@127.0.0.1:1/x.csv")
    assert crawled.exit_code == 4
    assert "The table: ftp://***@127.0.0.1:1/x.csv" in crawled.log


def test_batches_are_not_mixed_with_those_of_another_crawl(
    scrapy: Callable[..., Crawl], urls: str, tmp_path: Path
) -> None:
    """The first batch stands for all of them."""
    (tmp_path / "b-1.csv").write_text("old\n")
    crawled = scrapy(
        "crawl",
        "urls",
        urls,
        "-o",
        "b-%(batch_id)d.csv:csv",
        "-s",
        "FEED_EXPORT_BATCH_ITEM_COUNT=1",
    )
    assert "b-1.csv is there already" in crawled.log
    assert crawled.exit_code == 1


@pytest.mark.parametrize("option", ["-o", "-O"])
def test_the_list_is_not_overwritten_by_its_table(tmp_path: Path, option: str) -> None:
    """By whatever name both are called: the only copy of the list would be gone."""
    (tmp_path / "list.csv").write_text("url\nnot a url\n")
    (tmp_path / "table.csv").symlink_to("list.csv")
    for table in ("list.csv", "table.csv"):
        words = ("crawl", "urls", "-a", "file=list.csv", option, table)
        refused = run_scrapy(tmp_path, *words, table="not read")
        assert f"-o {table}: is the list itself" in refused.log
        assert refused.exit_code == 1
        assert (tmp_path / "list.csv").read_text() == "url\nnot a url\n"


def test_one_file_under_two_names_is_refused(tmp_path: Path, site: SiteProcess) -> None:
    """Its rows would be doubled."""
    (tmp_path / "urls.txt").write_text(site.url("/page/1"))
    for other in ("./table.csv", str(tmp_path / "table.csv")):
        words = ("crawl", "urls", "-a", "file=urls.txt", "-o", "table.csv", "-o", other)
        refused = run_scrapy(tmp_path, *words)
        assert "is the same file as" in refused.log
        assert (refused.exit_code, refused.rows) == (1, [])


def test_a_feed_named_by_a_path_object_is_a_table_too(tmp_path: Path, site: SiteProcess) -> None:
    """As Scrapy documents it for FEEDS; run twice, it is complete."""
    (tmp_path / "urls.txt").write_text(site.url("/page/1"))
    spiders = "SPIDER_MODULES=urlcrawler.spiders,saboteurs"
    for _ in range(2):
        crawled = run_scrapy(tmp_path, "crawl", "path", "-a", "file=urls.txt", "-s", spiders)
        assert (crawled.exit_code, [row["outcome"] for row in crawled.rows]) == (0, ["ok"])


@pytest.mark.parametrize("name", ["x%(limit)s.csv", "a:b.csv"])
def test_a_feed_of_any_name_is_resumed(tmp_path: Path, site: SiteProcess, name: str) -> None:
    """Attributes of the spider in it, or what looks like a scheme: twice gives one table."""
    (tmp_path / "urls.txt").write_text(site.url("/page/1"))
    table = name.replace("%(limit)s", "1")
    words = ("crawl", "urls", "-a", "file=urls.txt", "-a", "limit=1", "-o", f"{name}:csv")
    for _ in range(2):
        crawled = run_scrapy(tmp_path, *words, table=table)
        assert (crawled.exit_code, [row["outcome"] for row in crawled.rows]) == (0, ["ok"])


@pytest.mark.parametrize("setting", ["SORT_TABLE=maybe", "CSV_FORMULAS=x"])
def test_a_setting_that_is_neither_true_nor_false_is_refused(
    crawl: Callable[..., Crawl], setting: str
) -> None:
    """Before the first request, in one sentence."""
    refused = crawl(["http://127.0.0.1:1/"], "-s", setting)
    assert f"setting {setting.split('=')[0]}: must be 1 or 0" in refused.log
    assert (refused.exit_code, "Traceback" in refused.log) == (1, False)
