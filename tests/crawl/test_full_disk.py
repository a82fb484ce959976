"""A disk that is really full: a small one of memory, which then grows."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from checker import check
from crawling import Crawl, SiteProcess, read_table, run_scrapy

Mount = Callable[[str], None]
ROOM = "size=64m,nr_inodes=100"


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


@pytest.fixture
def mount(disk: Path) -> Iterator[Mount]:
    """Give the disk so much room; more, when it has some already."""
    mounted: list[str] = []

    def mount(options: str) -> None:
        remount = "remount," if mounted else ""
        command = ["mount", "-t", "tmpfs", "-o", remount + options, "tmpfs", str(disk)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            pytest.skip("there is no command to mount a disk")
        if done.returncode:
            pytest.skip(f"mounting a disk is not permitted: {done.stderr.strip()}")
        mounted.append(options)

    yield mount
    if mounted:
        command = ["umount", str(disk)]
        subprocess.run(command, check=True)


@pytest.fixture
def lines(tmp_path: Path, site: SiteProcess) -> list[str]:
    """A list of 240 pages, whose table takes 60 to 150 kB; the first page comes last."""
    lines = [site.url("/page/0?delay=1", host=9)]
    lines += [site.url(f"/page/{n}?size=900", host=1 + n % 4) for n in range(1, 240)]
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    return lines


def crawl(folder: Path, *words: str) -> Crawl:
    words = ("-a", "file=urls.txt", *words, "-s", "AUTOTHROTTLE_ENABLED=0", "-s", "METADATA=")
    crawled = run_scrapy(folder, "crawl", "urls", *words, table="not read")
    assert "Traceback" not in crawled.log
    return crawled


def assert_whole(table: Path, lines: list[str]) -> int:
    """Return how many rows there are, each of which is whole and only there once."""
    rows = read_table(table)
    assert [row["url"] for row in rows] == [lines[int(row["position"]) - 1] for row in rows]
    assert len({row["position"] for row in rows}) == len(rows)
    return len(rows)


def assert_completed(table: Path, lines: list[str]) -> Crawl:
    """With more room the same command makes the table that it would have been."""
    crawled = crawl(table.parents[1], "-o", f"disk/{table.name}")
    assert crawled.exit_code == 0, crawled.log
    assert check(table, lines).is_clean
    return crawled


@pytest.mark.parametrize(("name", "size"), [("table.csv", "size=32k"), ("table.jsonl", "size=64k")])
def test_a_disk_that_fills_up_ends_the_crawl(
    tmp_path: Path, lines: list[str], disk: Path, mount: Mount, name: str, size: str
) -> None:
    """Every row is whole, exit code 4, one line that says what to do; room is all it needs."""
    mount(size)
    crawled = crawl(tmp_path, "-o", f"disk/{name}")
    count = assert_whole(disk / name, lines)
    assert 100 < count < 240
    assert crawled.log.count("ERROR") == 1
    assert f"disk/{name}: cannot be written: No space left on device" in crawled.log
    assert "Make room, or mend the disk, then run it again without -O" in crawled.log
    assert f"{count} of 240 records have their row" in crawled.log
    assert "Closing spider (output_failed)" in crawled.log
    assert crawled.exit_code == 4
    mount(ROOM)
    completed = assert_completed(disk / name, lines)
    assert f"{count} of 240 records have their row from an earlier run" in completed.log


@pytest.mark.parametrize("size", ["size=132k", "size=248k"])
def test_a_disk_without_room_for_sorting_keeps_the_complete_table(
    tmp_path: Path, lines: list[str], disk: Path, mount: Mount, size: str
) -> None:
    """Of about 100 kB: no room for the sorted rows, or for these and the copy."""
    mount(size)
    crawled = crawl(tmp_path, "-o", "disk/table.jsonl")
    assert assert_whole(disk / "table.jsonl", lines) == 240
    assert "every record has its row, but they could not be put into the order" in crawled.log
    assert "No space left on device. That takes 1 MB beside the table" in crawled.log
    assert crawled.exit_code == 4
    assert not list(disk.glob(".*.ordered"))
    mount(ROOM)
    assert "0 pages in" in assert_completed(disk / "table.jsonl", lines).log


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ("size=64m,nr_inodes=1", 1),  # not even for the lock
        ("size=64m,nr_inodes=2", 1),  # not for the table
        ("size=64m,nr_inodes=3", 4),  # not for what binds it to its list, nor for what is sorted
    ],
)
def test_a_disk_that_takes_no_more_files_says_so(
    tmp_path: Path, lines: list[str], disk: Path, mount: Mount, options: str, code: int
) -> None:
    """The table and each hidden file beside it in turn."""
    mount(options)
    crawled = crawl(tmp_path, "-o", "disk/table.jsonl")
    assert "No space left on device" in crawled.log
    assert crawled.exit_code == code
    mount(ROOM)
    assert_completed(disk / "table.jsonl", lines)


def test_a_disk_that_is_full_already_exits_with_1(
    tmp_path: Path, lines: list[str], disk: Path, mount: Mount
) -> None:
    """Before the first request; the same command begins when there is room."""
    mount("size=8k")
    (disk / "ballast").write_bytes(b"x" * 8192)
    crawled = crawl(tmp_path, "-o", "disk/table.csv")
    assert "disk/table.csv: cannot be written: No space left on device. Make room" in crawled.log
    assert crawled.exit_code == 1
    mount(ROOM)
    assert_completed(disk / "table.csv", lines)


def test_a_table_that_cannot_be_resumed_says_so_on_a_full_disk(
    tmp_path: Path, lines: list[str], mount: Mount
) -> None:
    """A JSON array without its end is of no use: exit code 4, and what would have helped."""
    mount("size=24k")
    crawled = crawl(tmp_path, "-o", "disk/table.json")
    assert "disk/table.json: cannot be written: No space left on device" in crawled.log
    assert "with a CSV or JSON Lines file one can" in crawled.log
    assert crawled.log.count("ERROR") == 1
    assert crawled.exit_code == 4
