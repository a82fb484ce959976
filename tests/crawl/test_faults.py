"""Crawls on a disk that fails: whole rows, exit code 4, and the next run completes the table."""

import json
import re
from pathlib import Path

import pytest
from checker import check
from crawling import Crawl, SiteProcess, read_table, run_scrapy
from faults import SHORT

ERRORS = ("ENOSPC", "EIO", "EROFS")
BESIDE = {
    ".table.csv.lock",
    ".table.csv.meta.json",
    ".table.csv.hosts.csv",
    ".table.csv.stats.json",
}  # what stays beside a table


@pytest.fixture
def lines(tmp_path: Path, site: SiteProcess) -> list[str]:
    """A list whose first page comes last, so that the table has to be put in order."""
    lines = [site.url("/page/0?delay=1", host=9)]
    lines += [site.url(f"/page/{n}?size=900", host=1 + n % 4) for n in range(1, 112)]
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    return lines


def crawl(folder: Path, table: str, *faults: str, words: tuple[str, ...] = ()) -> Crawl:
    words = ("crawl", "urls", "-a", "file=urls.txt", "-o", table, *words)
    words += ("-s", "AUTOTHROTTLE_ENABLED=0")
    if faults:
        addon = json.dumps({"faults.Faulty": 0})
        words += ("-s", f"ADDONS={addon}", "-s", f"FAULTS={','.join(faults)}")
    crawled = run_scrapy(folder, *words, table="not read")
    assert "Traceback" not in crawled.log
    assert "lost by a component" not in crawled.log
    return crawled


def hidden(folder: Path) -> set[str]:
    return {path.name for path in folder.glob(".*")}


def positions(table: Path, lines: list[str]) -> set[int]:
    """Return which records have their row, each of which is whole."""
    rows = read_table(table)
    for row in rows:
        assert row["url"] == lines[int(row["position"]) - 1]
        assert row["outcome"] == "ok"
    found = {int(row["position"]) for row in rows}
    assert len(found) == len(rows)
    return found


def assert_completed(folder: Path, table: str, lines: list[str]) -> Crawl:
    """The same command on a disk that works makes the table that it would have been."""
    crawled = crawl(folder, table)
    assert crawled.exit_code == 0
    assert check(folder / table, lines).is_clean
    assert read_table(folder / table)
    return crawled


def check_fault(folder: Path, table: str, lines: list[str], fault: str) -> None:
    crawled = crawl(folder, table, fault)
    found = positions(folder / table, lines)
    assert f"{table}: cannot be written: " in crawled.log
    assert crawled.exit_code == 4
    assert crawled.log.count("ERROR") == 1
    assert "run it again without -O to go on" in crawled.log
    assert f"{len(found)} of {len(lines)} records have their row" in crawled.log
    assert len(found) < len(lines)
    assert_completed(folder, table, lines)


FAULTS = [
    ("table.csv", "pwrite:2:ENOSPC"),
    ("table.jsonl", f"pwrite:40:{SHORT}"),
    ("table.csv", "pwrite:113:EROFS"),  # the last row
    ("table.csv", "fsync:3:EIO"),  # after the first row
    ("table.jsonl", "fsync:30:ENOSPC"),
]


@pytest.mark.parametrize(("table", "fault"), FAULTS)
def test_a_call_that_fails_ends_the_crawl_and_is_made_up_for(
    tmp_path: Path, lines: list[str], table: str, fault: str
) -> None:
    """What counts is what is there, and the log says what to do."""
    check_fault(tmp_path, table, lines, fault)


@pytest.mark.long
@pytest.mark.parametrize("nth", range(1, 101))
@pytest.mark.parametrize("call", ["pwrite", "fsync"])
def test_every_call_that_fails_ends_the_crawl_and_is_made_up_for(
    tmp_path: Path, lines: list[str], call: str, nth: int
) -> None:
    """N = 1 to 100, after the calls that open the table, in every way and in both formats."""
    ways = (*ERRORS, SHORT) if call == "pwrite" else ERRORS
    first = 1 if call == "pwrite" else 2
    table = ("table.csv", "table.jsonl")[nth % 2]
    check_fault(tmp_path, table, lines, f"{call}:{first + nth}:{ways[nth // 2 % len(ways)]}")


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ("table.csv", f"pwrite:1:{SHORT}"),  # the header
        ("table.jsonl", "fsync:1:EIO"),  # of the folder
        ("table.csv", "fsync:2:ENOSPC"),
        ("table.csv", "ftruncate:1:EROFS"),
        ("table.csv", "unlink:1:EIO"),  # of what a retry may have left of a table before this one
    ],
)
def test_a_call_that_fails_before_the_first_request_exits_with_1(
    tmp_path: Path, lines: list[str], table: str, fault: str
) -> None:
    """One sentence, nothing requested; the same command begins again."""
    crawled = crawl(tmp_path, table, fault)
    (said,) = [line for line in crawled.log.splitlines() if line.startswith("scrapy crawl: ")]
    assert f"{table}: cannot be written: " in said
    assert "Make room" in said
    assert crawled.exit_code == 1
    assert read_table(tmp_path / table) == []
    assert_completed(tmp_path, table, lines)


def test_a_row_that_cannot_be_taken_back_is_cut_by_the_next_run(
    tmp_path: Path, lines: list[str]
) -> None:
    """Writing falls short, then ftruncate fails: half a row stays, and the log says so."""
    crawled = crawl(tmp_path, "table.jsonl", f"pwrite:20:{SHORT}", "ftruncate:2:EIO")
    assert crawled.exit_code == 4
    assert "the last row may be torn; the next run takes it away" in crawled.log
    whole, torn = (tmp_path / "table.jsonl").read_bytes().rsplit(b"\n", 1)
    assert (len(whole.splitlines()), torn[:1]) == (18, b"{")
    completed = assert_completed(tmp_path, "table.jsonl", lines)
    assert f"{len(torn)} bytes of a row that was not finished are taken away" in completed.log


def test_a_crawl_that_waits_hears_of_a_disk_that_fails(tmp_path: Path, site: SiteProcess) -> None:
    """Rows become durable while none comes; when that fails, what was to come is not requested."""
    pages = [*range(5), "5?delay=2", *range(6, 41)]
    lines = [site.url(f"/page/{page}") for page in pages]
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    words = ("-s", "SYNC_SECONDS=1", "-s", "CONCURRENT_REQUESTS=1")
    crawled = crawl(tmp_path, "table.csv", "fsync:3:EIO", words=words)
    assert crawled.exit_code == 4
    assert "table.csv: cannot be written: Input/output error" in crawled.log
    requested = re.search(r"0 of 41 records have their row. (\d) pages in", crawled.log)
    assert requested, crawled.log
    assert int(requested[1]) <= 6
    assert positions(tmp_path / "table.csv", lines) == set()
    assert_completed(tmp_path, "table.csv", lines)


@pytest.mark.parametrize(
    ("faults", "left"),
    [
        (["replace:2:EIO"], set()),  # the first is that of the binding
        (["replace:2:EROFS", "unlink:4:EROFS"], {".table.csv.ordered"}),
        (["fsync:115:ENOSPC"], set()),  # of the copy: folder and table at the start, 112 rows
    ],
)
def test_a_table_that_cannot_be_put_in_order_is_put_in_order_by_the_next_run(
    tmp_path: Path, lines: list[str], faults: list[str], left: set[str]
) -> None:
    """Every row is there, which the log says; exit code 4, because the order is part of it."""
    crawled = crawl(tmp_path, "table.csv", *faults)
    assert crawled.exit_code == 4
    assert "every record has its row, but they could not be put into the order" in crawled.log
    assert positions(tmp_path / "table.csv", lines) == set(range(1, 113))
    assert not check(tmp_path / "table.csv", lines).in_order
    assert hidden(tmp_path) == BESIDE | left
    assert "0 pages in" in assert_completed(tmp_path, "table.csv", lines).log
    assert hidden(tmp_path) == BESIDE


def test_a_table_without_its_binding_is_as_good(tmp_path: Path, lines: list[str]) -> None:
    """Neither the file that binds it to its list can be kept, nor what is left of it removed."""
    crawled = crawl(tmp_path, "table.csv", "replace:1:EIO", "unlink:2:EIO")
    assert (crawled.exit_code, check(tmp_path / "table.csv", lines).is_clean) == (0, True)


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        (["pwrite:2:ENOSPC"], 4),  # the first is the header of the part with new rows
        ([f"pwrite:3:{SHORT}", "ftruncate:2:EIO"], 4),
        (["fsync:6:EIO"], 4),  # the table and the part are made durable three and two times
        (["replace:1:EROFS"], 4),
        (["unlink:2:EIO"], 0),  # the part stays, and its rows are those of the table
    ],
)
def test_a_retry_that_fails_keeps_the_old_rows_and_is_made_up_for(
    tmp_path: Path, site: SiteProcess, faults: list[str], code: int
) -> None:
    """Rows that are crawled again replace the old ones all at once, or another time."""
    lines = [site.url(f"/flaky/{n}?{tmp_path.name}") for n in range(4)]
    lines += [site.url(f"/page/{n}") for n in range(4)]
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    crawl(tmp_path, "table.csv", words=("-s", "RETRY_TIMES=0"))
    before = (tmp_path / "table.csv").read_bytes()
    retried = crawl(tmp_path, "table.csv", *faults, words=("-a", "retry=failed"))
    assert retried.exit_code == code, retried.log
    assert ((tmp_path / "table.csv").read_bytes() == before) == (code == 4)
    assert retried.log.count("ERROR") == (code == 4)
    again = crawl(tmp_path, "table.csv", words=("-a", "retry=failed"))
    assert (again.exit_code, check(tmp_path / "table.csv", lines).is_clean) == (0, True)
    assert {row["outcome"] for row in read_table(tmp_path / "table.csv")} == {"ok"}
    assert hidden(tmp_path) == BESIDE
