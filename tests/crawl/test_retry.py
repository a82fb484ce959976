"""Crawl the failed records again: their rows are replaced, all at once, and only theirs."""

from pathlib import Path

import pytest
from checker import check
from crawling import Crawl, SiteProcess, crawl_list, crawl_under_way, run_scrapy

NO_RETRIES = ("-s", "RETRY_TIMES=0")


def again(folder: Path, *words: str, table: str = "table.csv") -> Crawl:
    words = (*words, "-o", table, *NO_RETRIES)
    return run_scrapy(folder, "crawl", "urls", "-a", "file=urls.txt", *words, table=table)


def hidden(folder: Path) -> set[str]:
    return {path.name for path in folder.glob(".table.*")} - {".table.csv.lock"}


@pytest.fixture
def lines(tmp_path: Path, site: SiteProcess) -> list[str]:
    """Pages, four that fail on the first visit, one that is gone, a duplicate, no URL."""
    pages = [site.url(f"/page/{page}", host=1 + page % 4) for page in range(6)]
    flaky = [site.url(f"/flaky/{name}?{tmp_path.name}") for name in ("a", "b", "c", "d")]
    return [*flaky, *pages, site.url("/status/404"), pages[0], "not a url"]


@pytest.mark.parametrize("table", ["table.csv", "table.jsonl"])
def test_failed_records_are_crawled_again(tmp_path: Path, lines: list[str], table: str) -> None:
    """Their rows are new, the others stay byte for byte; what no retry helps is left alone."""
    crawled = crawl_list(tmp_path, lines, *NO_RETRIES, table=table)
    before = crawled.table.read_bytes().splitlines()
    assert [row["outcome"] for row in crawled.rows][:4] == ["http_error"] * 4
    retried = again(tmp_path, "-a", "retry=failed", table=table)
    assert [row["outcome"] for row in retried.rows][:4] == ["ok"] * 4
    first = 4 + (table == "table.csv")
    assert crawled.table.read_bytes().splitlines()[first:] == before[first:]
    assert "4 of them are crawled again" in retried.log
    assert "4 pages in" in retried.log
    assert (retried.exit_code, check(crawled.table, lines).is_clean) == (0, True)


def test_errors_can_be_named(tmp_path: Path, lines: list[str]) -> None:
    """Only records with these errors are crawled again, whether that may help or not."""
    crawl_list(tmp_path, lines, *NO_RETRIES)
    retried = again(tmp_path, "-a", "retry=http-4xx, bad-url")
    assert "2 of them are crawled again" in retried.log
    assert [row["outcome"] for row in retried.rows][:4] == ["http_error"] * 4
    assert check(tmp_path / "table.csv", lines).is_clean


def test_records_without_a_row_are_crawled_too(tmp_path: Path, lines: list[str]) -> None:
    """A retry of a table that is not complete completes it."""
    whole = crawl_list(tmp_path, lines, *NO_RETRIES).table
    rows = whole.read_bytes().splitlines(keepends=True)
    whole.write_bytes(b"".join(rows[:3] + rows[5:9]))
    retried = again(tmp_path, "-a", "retry=failed")
    assert [row["outcome"] for row in retried.rows][:2] == ["ok"] * 2
    assert (retried.exit_code, check(whole, lines).is_clean) == (0, True)


def test_a_retry_of_nothing_is_an_ordinary_crawl(tmp_path: Path, lines: list[str]) -> None:
    """So that one command can be run again and again, from the first time on."""
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    assert len(again(tmp_path, "-a", "retry=failed").rows) == len(lines)
    assert again(tmp_path, "-a", "retry=failed").rows[0]["outcome"] == "ok"
    third = again(tmp_path, "-a", "retry=failed")
    assert "0 of them are crawled again" in third.log
    assert check(third.table, lines).is_clean


# What stays beside a table: what binds it, how hosts were treated, and the stats.
BESIDE = {".table.csv.meta.json", ".table.csv.hosts.csv", ".table.csv.stats.json"}


@pytest.fixture
def interrupted(tmp_path: Path, site: SiteProcess) -> list[str]:
    """A table of 40 failed rows, of which a retry that was killed has renewed a part."""
    # Ten of a host: with a dozen that fail in a row it would be given up.
    flaky = [f"/flaky/{n}?delay=0.1&{tmp_path.name}" for n in range(40)]
    lines = [site.url(path, host=1 + n % 4) for n, path in enumerate(flaky)]
    crawl_list(tmp_path, lines, *NO_RETRIES)
    before = (tmp_path / "table.csv").read_bytes()
    slowly = ("-s", "CONCURRENT_REQUESTS=2", "-o", "table.csv", "-a", "retry=failed")
    with crawl_under_way(tmp_path, *slowly, rows=5, table=".table.csv.retry") as crawl:
        crawl.kill()
    assert (tmp_path / "table.csv").read_bytes() == before
    return lines


def test_a_killed_retry_goes_on(tmp_path: Path, interrupted: list[str]) -> None:
    """Rows that it had are not fetched again, and until the end the table is as it was."""
    retried = again(tmp_path, "-a", "retry=failed")
    assert {row["outcome"] for row in retried.rows} == {"ok"}
    assert int(retried.log.split(" of them are crawled again")[0].split()[-1]) <= 35
    assert check(tmp_path / "table.csv", interrupted).is_clean
    assert hidden(tmp_path) == BESIDE


def test_a_killed_retry_is_finished_by_an_ordinary_crawl(
    tmp_path: Path, interrupted: list[str]
) -> None:
    """Without `retry` the new rows are taken, and nothing is requested."""
    crawled = again(tmp_path)
    outcomes = [row["outcome"] for row in crawled.rows]
    assert 5 <= outcomes.count("ok") < 40
    assert "0 pages in" in crawled.log
    assert check(tmp_path / "table.csv", interrupted).is_clean
    assert hidden(tmp_path) == BESIDE


def test_a_new_table_forgets_a_killed_retry(tmp_path: Path, interrupted: list[str]) -> None:
    """-O, or a table that was removed, begins anew."""
    (tmp_path / "table.csv").unlink()
    crawled = again(tmp_path)
    assert "40 pages in" in crawled.log
    assert check(tmp_path / "table.csv", interrupted).is_clean


def test_a_damaged_part_of_a_retry_costs_nothing(tmp_path: Path, interrupted: list[str]) -> None:
    """What it held is fetched again: the table still has the old rows."""
    part = tmp_path / ".table.csv.retry"
    rows = part.read_bytes().splitlines(keepends=True)
    part.write_bytes(b"".join([*rows[:2], b"what is this\n", *rows[2:]]))
    retried = again(tmp_path, "-a", "retry=failed")
    assert {row["outcome"] for row in retried.rows} == {"ok"}
    assert check(tmp_path / "table.csv", interrupted).is_clean


def test_a_wrong_list_does_not_cost_what_a_killed_retry_has_done(
    tmp_path: Path, interrupted: list[str]
) -> None:
    """It is refused, and the next run goes on as if nothing had happened."""
    before = (tmp_path / ".table.csv.retry").read_bytes()
    (tmp_path / "urls.txt").write_text("\n".join(interrupted[::-1]))
    assert again(tmp_path, "-a", "retry=failed").exit_code == 1
    assert (tmp_path / ".table.csv.retry").read_bytes() == before
    (tmp_path / "urls.txt").write_text("\n".join(interrupted))
    assert again(tmp_path).exit_code == 0


def test_two_tables_are_retried_together(tmp_path: Path, lines: list[str]) -> None:
    """Both end with the same rows, also when a kill took the part of one of them."""
    words = ("crawl", "urls", "-a", "file=urls.txt", "-o", "a.csv", "-o", "b.jsonl", *NO_RETRIES)
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    run_scrapy(tmp_path, *words)
    one = (*words, "-a", "retry=failed", "-s", "CLOSESPIDER_ITEMCOUNT=2")
    assert run_scrapy(tmp_path, *one, "-s", "CONCURRENT_REQUESTS=1").exit_code == 75
    (tmp_path / ".b.jsonl.retry").unlink()
    retried = run_scrapy(tmp_path, *words, "-a", "retry=failed", table="b.jsonl")
    assert [row["outcome"] for row in retried.rows][:4] == ["ok"] * 4
    assert check(tmp_path / "a.csv", lines).is_clean
    assert check(tmp_path / "b.jsonl", lines).is_clean


def test_what_cannot_be_retried_is_refused(tmp_path: Path, lines: list[str]) -> None:
    """A table that begins anew, and one that cannot be resumed."""
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    words = ("crawl", "urls", "-a", "file=urls.txt", "-a", "retry=failed")
    anew = run_scrapy(tmp_path, *words, "-O", "table.csv")
    assert "argument `retry`: -O table.csv starts afresh" in anew.log
    other = run_scrapy(tmp_path, *words, "-o", "table.json")
    assert "argument `retry`: only rows of a table that can be resumed" in other.log
    assert (anew.exit_code, other.exit_code, "Traceback" in anew.log + other.log) == (1, 1, False)
