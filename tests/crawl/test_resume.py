"""Kill it anywhere, run the same command again: the table is the one it would have been."""

from collections.abc import Callable
from pathlib import Path

import pytest
from checker import check
from crawling import Crawl, SiteProcess, crawl_list, crawl_under_way, run_scrapy
from kills import run

WRITTEN = ("position", "url", "outcome", "status", "title")


@pytest.mark.parametrize(
    "tables",
    ["table.csv,table.jsonl",
     *(pytest.param(f"table.{kind}", marks=pytest.mark.long)
       for kind in ("csv", "jsonl", "parquet", "sqlite", "jsonl.gz"))],
)  # fmt: skip
@pytest.mark.parametrize(
    ("kills", "urls"), [(8, 450), pytest.param(200, 5000, marks=pytest.mark.long)]
)
def test_a_crawl_that_is_killed_again_and_again_loses_nothing(
    tmp_path: Path, tables: str, kills: int, urls: int
) -> None:
    """In every way and phase: no row lost, doubled or torn, one header, in order, few requests."""
    for report in run(tmp_path, kills, urls, tables, seed=kills):
        assert report.is_clean, report
        assert report.kills.total() > kills // 2


def test_a_table_that_is_published_loses_nothing_either(tmp_path: Path) -> None:
    """The short form of the same for Parquet."""
    for report in run(tmp_path, 6, 400, "table.parquet", seed=6):
        assert report.is_clean, report
        assert report.kills.total() > 1


@pytest.fixture
def lines(site: SiteProcess) -> list[str]:
    return [site.url(f"/page/{page}?size=900", host=1 + page % 4) for page in range(12)]


def again(folder: Path, *words: str, table: str = "table.csv") -> Crawl:
    return run_scrapy(
        folder, "crawl", "urls", "-a", "file=urls.txt", "-o", table, *words, table=table
    )


@pytest.mark.parametrize("table", ["table.csv", "table.jsonl"])
@pytest.mark.parametrize("every", [250, pytest.param(1, marks=pytest.mark.long)])
def test_a_table_cut_at_any_byte_of_its_last_rows_is_completed(
    tmp_path: Path, lines: list[str], table: str, every: int
) -> None:
    """Wherever the cut is, the next run makes the same table."""
    crawled = crawl_list(tmp_path, lines[:3], table=table)
    whole = [[row[name] for name in WRITTEN] for row in crawled.rows]
    data = crawled.table.read_bytes()
    last_two = sum(map(len, data.splitlines(keepends=True)[-2:]))
    for cut in [*range(1, last_two + 2, every), len(data) - 5, len(data)]:
        crawled.table.write_bytes(data[:-cut])
        resumed = again(tmp_path, table=table)
        assert [[row[name] for name in WRITTEN] for row in resumed.rows] == whole
        assert resumed.exit_code == 0


def test_a_complete_table_is_recognised(tmp_path: Path, lines: list[str]) -> None:
    """Nothing is requested, nothing is written, and the log says so."""
    crawl_list(tmp_path, lines)
    before = (tmp_path / "table.csv").read_bytes()
    crawled = again(tmp_path)
    assert "12 of 12 records have their row from an earlier run" in crawled.log
    assert "0 pages in" in crawled.log
    assert (tmp_path / "table.csv").read_bytes() == before
    assert crawled.exit_code == 0


def test_a_limit_of_one_run_is_continued_by_the_next(tmp_path: Path, lines: list[str]) -> None:
    """CLOSESPIDER_ITEMCOUNT stops, the same command without it goes on."""
    first = crawl_list(
        tmp_path, lines, "-s", "CLOSESPIDER_ITEMCOUNT=3", "-s", "CONCURRENT_REQUESTS=1"
    )
    assert (first.exit_code, 3 <= len(first.rows) < 12) == (75, True)
    second = again(tmp_path)
    assert [int(row["position"]) for row in second.rows] == list(range(1, 13))


def test_a_list_that_grew_at_its_end_is_continued(tmp_path: Path, lines: list[str]) -> None:
    """New lines behind the old ones are new records; the old ones are not requested again."""
    crawl_list(tmp_path, lines[:8])
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    crawled = again(tmp_path)
    assert "8 of 12 records" in crawled.log
    assert "the list has changed since the table was begun; its rows still fit" in crawled.log
    assert [row["url"] for row in crawled.rows] == lines


def test_a_list_that_changed_is_refused(tmp_path: Path, lines: list[str]) -> None:
    """The sentence says which row belongs to another URL, and what to type; nothing is touched."""
    crawl_list(tmp_path, lines)
    before = (tmp_path / "table.csv").read_bytes()
    (tmp_path / "urls.txt").write_text("\n".join(lines[1:] + lines[:1]))
    crawled = again(tmp_path)
    assert "The list has changed since the table was begun. Type -O table.csv" in crawled.log
    assert (crawled.exit_code, "Traceback" in crawled.log) == (1, False)
    assert (tmp_path / "table.csv").read_bytes() == before


@pytest.mark.parametrize("kept", [True, False])
def test_a_table_of_another_list_is_refused(
    tmp_path: Path, lines: list[str], *, kept: bool
) -> None:
    """Also when it lies where a table of this list was, with or without what bound that."""
    crawl_list(tmp_path, lines)
    other = crawl_list(tmp_path, lines[::-1], table="other.csv", name="other.txt").table
    other.replace(tmp_path / "table.csv")
    if not kept:
        (tmp_path / ".table.csv.meta.json").unlink()
    crawled = again(tmp_path)
    why = "so this is another table." if kept else "Has the list changed?"
    assert f"{why} Type -O table.csv to start afresh" in crawled.log
    assert crawled.exit_code == 1


def test_a_table_whose_hidden_files_are_lost_is_continued(tmp_path: Path, lines: list[str]) -> None:
    """A table that was moved or copied elsewhere is all that is needed."""
    crawl_list(tmp_path, lines, "-s", "CLOSESPIDER_ITEMCOUNT=3", "-s", "CONCURRENT_REQUESTS=1")
    for hidden in tmp_path.glob(".table*"):
        hidden.unlink()
    assert again(tmp_path).exit_code == 0
    assert check(tmp_path / "table.csv", lines).is_clean


def test_a_list_that_lost_records_is_refused(tmp_path: Path, lines: list[str]) -> None:
    """A row beyond the end of the list belongs to another list."""
    crawl_list(tmp_path, lines)
    (tmp_path / "urls.txt").write_text("\n".join(lines[:5]))
    assert "the list has 5 records" in again(tmp_path).log


def test_other_columns_are_refused(tmp_path: Path, site: SiteProcess) -> None:
    """A list with one column more makes another table."""
    (tmp_path / "a.csv").write_text(f"url\n{site.url('/ok')}\n")
    (tmp_path / "b.csv").write_text(f"url,sku\n{site.url('/ok')},1\n")
    run_scrapy(tmp_path, "crawl", "urls", "-afile=a.csv", "-o", "table.csv")
    crawled = run_scrapy(tmp_path, "crawl", "urls", "-afile=b.csv", "-o", "table.csv")
    assert "has other columns than this crawl writes" in crawled.log
    assert crawled.exit_code == 1


@pytest.mark.parametrize("table", ["table.csv", "table.jsonl"])
def test_damage_between_the_rows_is_refused_with_its_place(
    tmp_path: Path, lines: list[str], table: str
) -> None:
    """Only a tail is taken away; what stands in the middle is somebody's business."""
    crawled = crawl_list(tmp_path, lines, table=table)
    rows = crawled.table.read_bytes().splitlines(keepends=True)
    rows[4] = b"what is this\n"
    crawled.table.write_bytes(b"".join(rows))
    words = ("crawl", "urls", "-a", "file=urls.txt", "-o", table)
    refused = run_scrapy(tmp_path, *words, table="not read")
    place = sum(map(len, rows[:4]))
    assert f"what begins at byte {place} is no row, and rows follow" in refused.log
    assert crawled.table.read_bytes() == b"".join(rows)


def test_a_row_that_is_there_twice_is_refused(tmp_path: Path, lines: list[str]) -> None:
    """Which of them is right is not ours to say."""
    crawled = crawl_list(tmp_path, lines)
    data = crawled.table.read_bytes()
    crawled.table.write_bytes(data + data.splitlines(keepends=True)[3])
    assert "it has a row for this record already" in again(tmp_path).log


def test_two_tables_of_one_crawl_resume_together(tmp_path: Path, lines: list[str]) -> None:
    """What one has more than the other is crawled again, and both end the same."""
    words = ("crawl", "urls", "-a", "file=urls.txt", "-o", "a.csv", "-o", "b.jsonl")
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    run_scrapy(tmp_path, *words, "-s", "CLOSESPIDER_ITEMCOUNT=6", "-s", "CONCURRENT_REQUESTS=1")
    with (tmp_path / "b.jsonl").open("r+b") as table:
        rows = table.read().splitlines(keepends=True)
        table.truncate(sum(map(len, rows[:-2])))
    assert run_scrapy(tmp_path, *words).exit_code == 0
    assert check(tmp_path / "a.csv", lines).is_clean
    assert check(tmp_path / "b.jsonl", lines).is_clean


@pytest.mark.parametrize("kept", ["a.csv", "b.jsonl"])
def test_a_new_table_beside_one_with_rows_is_refused(
    tmp_path: Path, lines: list[str], kept: str
) -> None:
    """To make them agree, the rows of the other would be lost."""
    words = ("crawl", "urls", "-a", "file=urls.txt", "-o", "a.csv", "-o", "b.jsonl")
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    run_scrapy(tmp_path, *words)
    before = (tmp_path / kept).read_bytes()
    (new,) = {"a.csv", "b.jsonl"} - {kept}
    (tmp_path / new).unlink()
    for _ in range(2):
        refused = run_scrapy(tmp_path, *words)
        assert f"{kept} has rows of an earlier run, and {new} has none" in refused.log
        assert refused.exit_code == 1
        assert (tmp_path / kept).read_bytes() == before


@pytest.mark.parametrize("empty", ["a.csv", "b.jsonl"])
def test_a_table_that_a_kill_left_empty_begins_with_the_other(
    tmp_path: Path, lines: list[str], empty: str
) -> None:
    """Both end with all rows, and with a header where there is one."""
    words = ("crawl", "urls", "-a", "file=urls.txt", "-o", "a.csv", "-o", "b.jsonl")
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    run_scrapy(tmp_path, *words, "-s", "CLOSESPIDER_ITEMCOUNT=2", "-s", "CONCURRENT_REQUESTS=1")
    (tmp_path / empty).write_bytes(b"")
    assert run_scrapy(tmp_path, *words).exit_code == 0
    assert check(tmp_path / "a.csv", lines).is_clean
    assert check(tmp_path / "b.jsonl", lines).is_clean


@pytest.mark.parametrize(("new", "other"), [("a.csv", "b.jsonl"), ("b.jsonl", "a.csv")])
def test_no_table_beside_an_empty_one_is_refused(
    tmp_path: Path, lines: list[str], new: str, other: str
) -> None:
    """Somebody's own file is not touched, whichever of the two is named first."""
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    (tmp_path / new).touch()
    (tmp_path / other).write_text("my notes\n")
    for order in ((new, other), (other, new)):
        words = [word for table in order for word in ("-o", table)]
        refused = run_scrapy(tmp_path, "crawl", "urls", "-a", "file=urls.txt", *words, table=new)
        assert refused.exit_code == 1
        assert "Type -O" in refused.log
        assert (tmp_path / other).read_text() == "my notes\n"


def test_a_second_crawl_into_the_same_table_is_refused(tmp_path: Path, site: SiteProcess) -> None:
    """The first one goes on undisturbed."""
    slow = [site.url(f"/page/{page}?delay=0.5") for page in range(40)]
    (tmp_path / "urls.txt").write_text("\n".join(slow))
    with crawl_under_way(tmp_path, "-o", "table.csv") as first:
        second = again(tmp_path)
        first.communicate(timeout=60)
    assert first.returncode == 0
    assert "table.csv: another crawl is writing it" in second.log
    assert second.exit_code == 1
    assert check(tmp_path / "table.csv", slow).is_clean


def test_rows_stay_in_the_order_of_their_coming_on_request(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """SORT_TABLE=0 leaves the table as it was written."""
    lines = [site.url("/page/1?delay=1"), *(site.url(f"/page/{page}") for page in range(2, 9))]
    crawled = crawl(lines, "-s", "SORT_TABLE=0", "-s", "AUTOTHROTTLE_ENABLED=0")
    assert crawled.rows[-1]["position"] == "1"
