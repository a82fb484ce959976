"""Feeds that are no tables of ours and can take no more: pipes, devices, JSON arrays."""

import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import pytest
from crawling import RESOLVER, TIMEOUT, Crawl, SiteProcess, read_table

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


@pytest.fixture
def folder(tmp_path: Path, site: SiteProcess) -> Path:
    lines = [site.url(f"/page/{n}?size=900", host=1 + n % 4) for n in range(60)]
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    return tmp_path


def start(
    folder: Path, *words: str, stdout: int | IO[Any] = subprocess.PIPE
) -> "subprocess.Popen[str]":
    """Begin a crawl that has only a few pages under way at a time."""
    words = ("-a", "file=urls.txt", *words, "-s", RESOLVER, "-s", "CONCURRENT_REQUESTS=4")
    words = (*words, "-s", "ALLOW_PRIVATE_ADDRESSES=127.0.0.0/8")
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "scrapy", "crawl", "urls", *words],
        cwd=folder,
        env={
            **os.environ,
            "SCRAPY_SETTINGS_MODULE": "urlcrawler.settings",
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "PYTHONUNBUFFERED": "",  # as for most users: some rows wait to be written
        },
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: "subprocess.Popen[str]") -> Crawl:
    """Wait for the crawl to end."""
    with process:
        _, log = process.communicate(timeout=TIMEOUT)
    return Crawl(process.returncode, log, "", Path())


def assert_failed(crawled: Crawl, feed: str) -> None:
    """It was said once, in one line, and the exit code tells."""
    said = [line for line in crawled.log.splitlines() if "ERROR" in line]
    assert len(said) == 1, crawled.log
    assert f"{feed}: cannot be written: " in said[0]
    assert "rows could not be written: see the errors above" in crawled.log
    for word in ("Traceback", "Exception ignored"):
        assert word not in crawled.log
    assert crawled.exit_code == 4


def test_a_reader_that_goes_away_ends_the_crawl(folder: Path) -> None:
    """`-o -:csv | head -1`: pages under way are finished, and nothing more is requested."""
    process = start(folder, "-o", "-:csv")
    assert process.stdout is not None
    header = process.stdout.readline()
    process.stdout.close()
    process.stdout = None
    crawled = end(process)
    assert header.startswith("position,url,")
    assert_failed(crawled, "standard output")
    assert "Closing spider (output_failed)" in crawled.log
    assert "60 of 60 records" not in crawled.log


@needs_full
@pytest.mark.parametrize("limit", ["3", "60"])
def test_standard_output_that_is_full_exits_with_4(folder: Path, limit: str) -> None:
    """Also when it shows only at the end, because a few rows fit into Python's buffer."""
    with FULL.open("w") as full:
        crawled = end(start(folder, "-o", "-:jsonl", "-a", f"limit={limit}", stdout=full))
    assert_failed(crawled, "standard output")


@needs_full
@pytest.mark.parametrize("limit", ["3", "60"])
@pytest.mark.parametrize("format_", ["csv", "jsonl", "json", "xml", "pickle", "marshal"])
def test_a_file_that_is_full_exits_with_4(folder: Path, format_: str, limit: str) -> None:
    """In every format of Scrapy, and no lock is left beside a device."""
    crawled = end(start(folder, "-O", f"file:///dev/full:{format_}", "-a", f"limit={limit}"))
    assert_failed(crawled, "/dev/full")
    assert not Path("/dev/.full.lock").exists()


@needs_full
def test_the_table_beside_a_stream_that_is_full_stays_whole(folder: Path) -> None:
    """Scrapy passes a row to no further feed when one feed raises; the table can be resumed."""
    words = ("-o", "table.csv")
    assert_failed(end(start(folder, "-o", "/dev/full:json", *words)), "/dev/full")
    rows = read_table(folder / "table.csv")
    assert 0 < len(rows) < 60
    assert len({row["position"] for row in rows}) == len(rows)
    assert end(start(folder, *words)).exit_code == 0
    assert len(read_table(folder / "table.csv")) == 60


def test_a_file_that_cannot_be_opened_exits_with_4(folder: Path) -> None:
    """It shows at the first row, and costs no line per row."""
    (folder / "table.json").symlink_to("nowhere/table.json")
    crawled = end(start(folder, "-o", "table.json"))
    assert_failed(crawled, "table.json")


def test_a_pipe_takes_a_table(folder: Path) -> None:
    """`-o pipe` writes to a named pipe like to standard output: no lock, nothing to resume."""
    os.mkfifo(folder / "pipe")
    process = start(folder, "-o", "pipe:csv")
    text = (folder / "pipe").read_text()
    crawled = end(process)
    assert (crawled.exit_code, text.count("\n")) == (0, 61)
    assert "This crawl cannot be resumed" in crawled.log
    assert not (folder / ".pipe.lock").exists()
