"""A crawl that came out too badly says so, with an exit code of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from crawling import Crawl, SiteProcess, crawl_list, run_scrapy

FIELDS = ("-a", "fields=fields.yaml")


@pytest.fixture
def lines(tmp_path: Path, site: SiteProcess) -> list[str]:
    """Eight pages, two that are gone, and a duplicate."""
    (tmp_path / "fields.yaml").write_text("name: .name::text\nnothing: .nothing::text\n")
    pages = [site.url(f"/page/{n}") for n in range(8)]
    return [*pages, site.url("/status/404?1"), site.url("/status/404?2"), pages[0]]


GATES = {
    "met": (("-s", "MIN_OK_SHARE=0.8"), 0, "Quality: as wanted. 80.0% of the records are ok"),
    "too few": (("-s", "MIN_OK_SHARE=0.9"), 3, "Quality, MIN_OK_SHARE: 80.0% of the records are ok "
                "(8 of 10), at least 90.0% are wanted"),
    "a field": ((*FIELDS, "-s", "MIN_FIELD_COVERAGE=0.5"), 3, "MIN_FIELD_COVERAGE: 0.0% of the "
                "pages have a value of nothing (0 of 8), at least 50.0% are wanted"),
    "one column": ((*FIELDS, "-s", 'MIN_FIELD_COVERAGE={"name": 1, "title": 0.9}'), 0, "as wanted"),
}  # fmt: skip


@pytest.mark.parametrize("gate", GATES)
def test_a_table_is_looked_at_when_it_is_complete(
    crawl: Callable[..., Crawl], lines: list[str], gate: str
) -> None:
    """The verdict is in the last lines, and the table is whole whatever it is."""
    words, code, verdict = GATES[gate]
    crawled = crawl(lines, *words)
    assert crawled.exit_code == code
    assert verdict in crawled.log[crawled.log.index("The table:") :]
    assert len(crawled.rows) == 11


def test_the_rows_of_all_runs_count(tmp_path: Path, lines: list[str]) -> None:
    """Not looked at while the crawl is not complete, and then as a whole."""
    gate = ("-s", "MIN_OK_SHARE=0.75")
    bad_first = [*lines[8:10], *lines[:8]]
    one = ("-s", "CONCURRENT_REQUESTS=1", "-s", "CLOSESPIDER_ITEMCOUNT=2")
    stopped = crawl_list(tmp_path, bad_first, *gate, *one)
    assert (stopped.exit_code, "Quality" in stopped.log) == (75, False)
    assert crawl_list(tmp_path, bad_first, *gate, fresh=False).exit_code == 0


def test_a_table_must_not_be_worse_than_an_earlier_one(tmp_path: Path, lines: list[str]) -> None:
    """In what share of pages is there, or has a field; by more than MAX_DROP."""
    crawl_list(tmp_path, lines[:8], *FIELDS, table="yesterday.csv")
    against = ("-s", "MAX_DROP_AGAINST=yesterday.csv")
    assert crawl_list(tmp_path, lines[:8], *FIELDS, *against).exit_code == 0
    worse = crawl_list(tmp_path, lines, *FIELDS, *against)
    assert worse.exit_code == 3
    assert "80.0% of the records are ok, and 100.0% were before" in worse.log
    assert crawl_list(tmp_path, lines, *FIELDS, *against, "-s", "MAX_DROP=0.3").exit_code == 0
    (tmp_path / "fields.yaml").write_text("name: .gone::text\nnothing: .nothing::text\n")
    worse = crawl_list(tmp_path, lines[:8], *FIELDS, *against)
    assert "0.0% of the pages have a value of name, and 100.0% had one before" in worse.log
    assert worse.exit_code == 3


def test_several_processes_and_a_published_table_are_one_table(
    tmp_path: Path, lines: list[str]
) -> None:
    """It is read again from Parquet, with the rows of both."""
    words = ("-s", "MIN_OK_SHARE=0.9", "-s", "PROCESSES=2")
    crawled = crawl_list(tmp_path, lines, *words, table="table.parquet")
    assert crawled.exit_code == 3
    assert crawled.log.count("80.0% of the records are ok (8 of 10)") == 1


def test_the_table_of_the_crawl_itself_is_no_earlier_one(tmp_path: Path, lines: list[str]) -> None:
    """It is not touched, -O or not, and neither is it by any other gate that is none."""
    whole = crawl_list(tmp_path, lines[:3]).table.read_bytes()
    for setting in ("MAX_DROP_AGAINST=table.csv", "MIN_OK_SHARE=95", "LOGSTATS_INTERVAL=often"):
        refused = crawl_list(tmp_path, lines[:3], "-s", setting)
        assert refused.exit_code == 1, setting
        assert "Traceback" not in refused.log
        assert refused.table.read_bytes() == whole
    planned = run_scrapy(tmp_path, "plan", "-a", "file=urls.txt", "-s", "MIN_OK_SHARE=95")
    assert "setting MIN_OK_SHARE: must be a share" in planned.log


def test_a_table_may_be_called_anything(tmp_path: Path, lines: list[str]) -> None:
    """Its format is that of the feed, and not of its name; what cannot be read is refused."""
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    words = ("crawl", "urls", "-a", "file=urls.txt", "-s", "MIN_OK_SHARE=0.9")
    crawled = run_scrapy(tmp_path, *words, "-O", "table.txt:csv", table="not read")
    assert crawled.exit_code == 3
    for output in ("-:csv", "table.json"):
        refused = run_scrapy(tmp_path, *words, "-O", output, table="not read")
        assert "only a table that can be read again can be looked at" in refused.log
        assert refused.exit_code == 1


def test_a_crawl_in_which_almost_everything_fails_stops(tmp_path: Path, site: SiteProcess) -> None:
    """By the last 200 pages; it can be taken up again."""
    lines = [site.url(f"/status/404?{n}", host=1 + n % 20) for n in range(600)]
    stopped = crawl_list(tmp_path, lines, "-s", "CLOSESPIDER_OK_SHARE=0.1")
    assert stopped.exit_code == 75
    assert "0 of the last 200 pages are ok" in stopped.log
    assert 200 <= len(stopped.rows) < 600
    again = crawl_list(tmp_path, lines, fresh=False)
    assert (again.exit_code, len(again.rows)) == (0, 600)


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("MIN_OK_SHARE=95", "setting MIN_OK_SHARE: must be a share from 0 to 1, not '95'"),
        ("MIN_FIELD_COVERAGE=0.5", "setting MIN_FIELD_COVERAGE: there are no fields."),
        ('MIN_FIELD_COVERAGE={"titel": 0.5}', "no column 'titel'. Did you mean 'title'?"),
        ("MIN_FIELD_COVERAGE={", "must be a share from 0 to 1, not '{'"),
        ("MAX_DROP_AGAINST=gone.csv", "setting MAX_DROP_AGAINST: gone.csv: No such file"),
        ("CLOSESPIDER_OK_SHARE=x", "must be a share from 0 to 1, not 'x'"),
    ],
)
def test_a_gate_that_is_none_is_refused_before_the_first_request(
    scrapy: Callable[..., Crawl], tmp_path: Path, setting: str, sentence: str
) -> None:
    """One sentence, exit code 1, and no table."""
    (tmp_path / "urls.txt").write_text("http://127.0.0.1:1/")
    words = ("crawl", "urls", "-a", "file=urls.txt", "-O", "table.csv", "-s", setting)
    crawled = run_scrapy(tmp_path, *words)
    assert sentence in crawled.log
    assert (crawled.exit_code, "Traceback" in crawled.log, crawled.rows) == (1, False, [])
