"""What a script sees: how the crawl ended."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from crawling import ENVIRONMENT, Crawl, SiteProcess, crawl_that_says, crawl_under_way, read_table

from urlcrawler.output.rows import Table


def test_a_complete_crawl_exits_with_0(crawl: Callable[..., Crawl], site: SiteProcess) -> None:
    """Failed URLs are rows, not an exit code."""
    assert crawl([site.url("/ok"), site.url("/status/404"), "nope nope"]).exit_code == 0


def test_records_without_a_row_exit_with_5(crawl: Callable[..., Crawl], site: SiteProcess) -> None:
    """N in is not N out; the positions are named. It takes a bug in the accounting itself."""
    lost = json.dumps({"saboteurs.ReturnsNothing": 500})
    crawled = crawl(
        [site.url("/ok"), site.url("/page/victim")],
        "-s",
        f"ITEM_PIPELINES={lost}",
        "-s",
        'EXTENSIONS={"saboteurs.Unaccounted": 1}',
    )
    assert "2 records in, 1 rows out. Without a row: [2]" in crawled.log
    assert crawled.exit_code == 5


def test_rows_that_were_not_written_exit_with_4(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """Scrapy only logs an exporter that fails, here one of a format that cannot be resumed."""
    crawled = crawl(
        [site.url("/page/victim"), site.url("/ok")],
        "-s",
        'FEED_EXPORTERS={"json": "saboteurs.BrokenExporter"}',
        table="table.json",
    )
    assert crawled.exit_code == 4
    assert "table.json has 1 rows of 2" in crawled.log


def test_a_feed_that_cannot_be_ended_exits_with_4(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """All rows went in, but the JSON array has no end; Scrapy passes over such a feed."""
    exporters = 'FEED_EXPORTERS={"json": "saboteurs.ExporterWithoutEnd"}'
    crawled = crawl([site.url("/ok")], "-s", exporters, table="table.json")
    assert crawled.exit_code == 4
    assert "1 rows could not be written" in crawled.log


def test_a_limit_exits_with_75(crawl: Callable[..., Crawl], site: SiteProcess) -> None:
    """CLOSESPIDER_* stops early; the rows so far are in the table."""
    lines = [site.url(f"/page/{page}?delay=0.2") for page in range(200)]
    crawled = crawl(lines, "-s", "CLOSESPIDER_ITEMCOUNT=5")
    assert crawled.exit_code == 75
    assert 5 <= len(crawled.rows) < 200
    assert "Not finished" in crawled.log


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_exits_with_its_number(
    tmp_path: Path, site: SiteProcess, number: signal.Signals, code: int
) -> None:
    """Once: what is under way is finished, the table is whole, and the code says why."""
    lines = [site.url(f"/page/{page}?delay=0.3") for page in range(500)]
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    with crawl_under_way(tmp_path, "-O", "table.csv") as process:
        process.send_signal(number)
        _, log = process.communicate(timeout=60)
    rows = read_table(tmp_path / "table.csv")
    assert process.returncode == code, log
    assert "Traceback" not in log
    assert 0 < len(rows) < 500
    assert len({row["position"] for row in rows}) == len(rows)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_while_the_list_is_read_ends_at_once(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """A list of millions takes its time; Ctrl-C does not have to wait for it."""
    (tmp_path / "urls.txt").write_text("".join(f"http://h{n}.test/\n" for n in range(3_000_000)))
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "scrapy", "crawl", "urls", "-a", "file=urls.txt"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        time.sleep(4)  # the start takes one second, the list about ten
        process.send_signal(number)
        _, log = process.communicate(timeout=4)
    assert "interrupted while the list was read" in log
    assert (process.returncode, "Traceback" in log) == (code, False)


def test_a_second_interrupt_ends_at_once(tmp_path: Path, site: SiteProcess) -> None:
    """Pages under way are given up; the rows so far are whole, and the next run goes on."""
    lines = [site.url(f"/page/{page}") for page in range(5)]
    lines += [site.url(f"/drip?seconds=25&n={n}", host=2) for n in range(20)]
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    with crawl_under_way(tmp_path, "-o", "table.csv", rows=5) as process:
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        _, log = process.communicate(timeout=20)
    assert time.monotonic() - began < 10  # two seconds on a machine of one's own
    assert (process.returncode, "Traceback" in log) == (130, False)
    assert "Stopping: pages under way" in log
    assert "run it again without -O" in log
    assert [int(row["position"]) for row in read_table(tmp_path / "table.csv")][:5]


def test_a_second_interrupt_does_not_wait_for_the_order_of_the_table(tmp_path: Path) -> None:
    """Millions of rows take minutes; the next run puts them in order."""
    count = 200_000
    (tmp_path / "urls.txt").write_text("".join(f"http://h/{n}\n" for n in range(1, count + 1)))
    row = dict.fromkeys(Table([]).columns) | {"outcome": "ok"}
    with (tmp_path / "table.jsonl").open("w") as table:
        for n in range(count, 0, -1):
            table.write(json.dumps(row | {"position": n, "url": f"http://h/{n}"}) + "\n")
    before = (tmp_path / "table.jsonl").read_bytes()
    with crawl_that_says(tmp_path, "Closing spider", "-o", "table.jsonl") as process:
        for _ in range(2):
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
        _, log = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in log) == (130, False)
    assert (tmp_path / "table.jsonl").read_bytes() == before


def test_a_second_interrupt_does_not_wait_for_code_that_blocks(
    tmp_path: Path, site: SiteProcess
) -> None:
    """The event loop stands still; the rows so far are whole all the same."""
    lines = [*(site.url(f"/page/{n}") for n in range(5)), site.url("/page/victim?delay=2", host=2)]
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    blocking = json.dumps({"saboteurs.Blocks": 500})
    with crawl_under_way(
        tmp_path, "-o", "table.csv", "-s", f"DOWNLOADER_MIDDLEWARES={blocking}", rows=1
    ) as process:
        time.sleep(3)
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)
        began = time.monotonic()
        _, log = process.communicate(timeout=60)
    assert time.monotonic() - began < 15  # it blocks for a minute
    assert (process.returncode, "Traceback" in log) == (130, False)
    assert read_table(tmp_path / "table.csv")


def test_an_interrupt_while_a_component_opens_exits_with_130(
    tmp_path: Path, site: SiteProcess
) -> None:
    """Nothing was requested yet; the table of an earlier run is as it was."""
    (tmp_path / "urls.txt").write_text(site.url("/page/1"))
    slow = json.dumps({"saboteurs.OpensSlowly": 500})
    words = ("-o", "table.csv", "-s", f"ITEM_PIPELINES={slow}")
    with crawl_that_says(tmp_path, "opening", *words) as process:
        process.send_signal(signal.SIGINT)
        _, log = process.communicate(timeout=20)
    assert "run it again without -O" in log
    assert (process.returncode, "Traceback" in log) == (130, False)


def test_an_interrupt_just_before_the_crawl_begins_is_one(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """Scrapy stops at once and closes nothing; that is no bug which has lost a record."""
    component = 'EXTENSIONS={"saboteurs.TerminatesWhileOpening": 1}'
    stopped = crawl([site.url("/page/1")], "-s", component)
    assert (stopped.exit_code, "run it again without -O" in stopped.log) == (130, True)
    assert crawl([site.url("/page/1")], fresh=False).exit_code == 0
