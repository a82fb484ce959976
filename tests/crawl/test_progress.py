"""How far a crawl is, while it goes on: on a terminal, in the log, in a file."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyte
import pytest
from crawling import ENVIRONMENT, RESOLVER, Crawl, Server, SiteProcess, crawl_list, site_of

from urlcrawler.demo.messages import Response

SECOND = ("-s", "LOGSTATS_INTERVAL=1")


def slow(site: SiteProcess, count: int = 60, delay: float = 0.3) -> list[str]:
    return [site.url(f"/page/{n}?delay={delay}&size=900", host=1 + n % 4) for n in range(count)]


def objects(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_without_a_terminal_there_is_a_line_in_the_log(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """How far, how fast, how long still, and what has come of the records."""
    log = crawl([*slow(site), "not a url"], *SECOND).log
    line = next(line for line in log.splitlines() if " of 61 records (" in line)
    assert re.search(
        r"INFO: \d+ of 61 records \(\d+%\); \d+\.\d a second; about .* left.*; \d+ ok, 1 invalid",
        line,
    )
    assert "Crawled" not in log


def test_a_file_gets_an_object_a_line(
    crawl: Callable[..., Crawl], tmp_path: Path, site: SiteProcess
) -> None:
    """For programs; the log is left alone, and a resumed crawl begins where it was."""
    words = (*SECOND, "-s", "PROGRESS_JSON=progress.jsonl")
    lines = slow(site, 80)
    stopped = crawl(lines, *words, "-s", "CLOSESPIDER_ITEMCOUNT=25")
    first = objects(tmp_path / "progress.jsonl")
    again = crawl_list(tmp_path, lines, *words, fresh=False)
    later = objects(tmp_path / "progress.jsonl")[len(first) :]
    assert (stopped.exit_code, again.exit_code) == (75, 0)
    done = [standing["done"] for standing in later]
    assert done == sorted(done)
    assert done[0] >= 25
    assert {standing["total"] for standing in later} == {80}
    assert later[-1]["outcomes"]["ok"] == later[-1]["done"] == 80
    assert " of 80 records (" not in again.log


def test_several_processes_are_one_crawl(crawl: Callable[..., Crawl], site: SiteProcess) -> None:
    """What each of them knows is in the same lines."""
    words = (*SECOND, "-s", "PROGRESS_JSON=progress.jsonl", "-s", "PROCESSES=2")
    crawled = crawl(slow(site, 120, 0.5), *words)
    standings = objects(crawled.table.with_name("progress.jsonl"))
    assert {standing["total"] for standing in standings} == {120}
    assert any(standing["waiting"].get("answers", 0) > 2 for standing in standings)
    assert crawled.exit_code == 0


def test_a_host_that_is_paused_is_named_with_what_it_said(
    crawl: Callable[..., Crawl], tmp_path: Path
) -> None:
    """For how long, and why."""
    limited = Server(
        lambda request, number: (
            Response(b"", 429, [("Retry-After", "4")])
            if number == 2
            else Response(b"<h1>Page</h1>")
        )
    )
    with site_of(limited.routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(4)]
        crawl(lines, *SECOND, "-s", "PROGRESS_JSON=progress.jsonl")
    paused = [each["paused"][0] for each in objects(tmp_path / "progress.jsonl") if each["paused"]]
    name, why, seconds = paused[0]
    assert (name, why) == (
        "127.0.0.1",
        "the server answered 429 Too Many Requests and asked to wait 4 s",
    )
    assert 1 < seconds < 5


def test_it_is_said_what_a_crawl_waits_for(crawl: Callable[..., Crawl], site: SiteProcess) -> None:
    """Seconds without a row, and for how many answers."""
    words = (*SECOND, "-s", "PROGRESS_JSON=progress.jsonl")
    crawled = crawl([site.url("/page/1?delay=4", host=n) for n in (1, 2, 3)], *words)
    standings = objects(crawled.table.with_name("progress.jsonl"))
    stalled = [standing for standing in standings if standing["silent"] > 2]
    assert stalled[0]["waiting"]["answers"] == 3


class Terminal:
    """A crawl on a terminal of so many columns, and what stands on it."""

    def __init__(self, folder: Path, columns: int, *words: str, **environment: str) -> None:
        self.screen = pyte.HistoryScreen(columns, 30, history=1000)
        self.raw = b""
        self._stream = pyte.ByteStream(self.screen)
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
        command = [sys.executable, "-W", "error", "-m", "scrapy", "crawl", "urls", "-a",
                   "file=urls.txt", "-O", "table.csv", "-s", RESOLVER, *words]  # fmt: skip
        env = {name: value for name, value in ENVIRONMENT.items() if name not in ("COLUMNS", "CI")}
        self.process = subprocess.Popen(
            command, cwd=folder, stdin=slave, stdout=slave, stderr=slave,
            env={**env, "TERM": "xterm-256color", **environment}, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self._reader = threading.Thread(target=self._read, args=(master,), daemon=True)
        self._reader.start()

    def _read(self, master: int) -> None:
        while True:
            try:
                data = os.read(master, 65_536)
            except OSError:  # the other side is closed
                return
            self.raw += data
            self._stream.feed(data)

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display]

    def until(self, words: str) -> list[str]:
        """Return the screen with these words on it."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            found = self.lines
            if any(words in line for line in found):
                return found
            time.sleep(0.05)
        raise AssertionError("\n".join(self.lines))

    def end(self) -> list[str]:
        self.process.wait(30)
        self._reader.join(5)
        return self.lines


@pytest.mark.parametrize("columns", [80, 40])
def test_on_a_terminal_a_few_lines_are_written_again_and_again(
    tmp_path: Path, site: SiteProcess, columns: int
) -> None:
    """They stand once, below the log, however narrow it is; at the end they are gone."""
    (tmp_path / "urls.txt").write_text("\n".join([*slow(site, 48), "not a url"]))
    terminal = Terminal(tmp_path, columns)
    seen = terminal.until("/49 ")
    assert sum("/49 " in line for line in seen) == 1
    assert any(re.search(r"\d ok, 1 invalid", line) for line in seen)
    assert any("━" in line for line in seen) == (columns == 80)
    last = terminal.end()
    assert not any("/49 " in line or "━" in line for line in last)
    assert any("The table: table.csv" in line for line in last)
    assert terminal.process.returncode == 0
    assert not terminal.screen.cursor.hidden


def test_lines_of_the_log_stay_whole(tmp_path: Path, site: SiteProcess) -> None:
    """A long one is wrapped by the terminal and by nobody else: it can be copied."""
    path = "/page/1?" + "x" * 200
    (tmp_path / "urls.txt").write_text("\n".join([*slow(site, 48), site.url(path)]))
    debug = ("-s", "LOG_LEVEL=DEBUG", "-s", "CONCURRENT_REQUESTS_PER_DOMAIN=8")
    terminal = Terminal(tmp_path, 80, *debug)
    terminal.until("/49 ")
    terminal.end()
    text = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", terminal.raw).decode()
    assert "x" * 200 in text


@pytest.mark.parametrize(
    ("environment", "words"),
    [({"TERM": "dumb"}, ()), ({}, ("-s", "PROGRESS_ENABLED=0"))],
    ids=["a dumb terminal", "switched off"],
)
def test_where_it_is_not_wanted_nothing_is_written_twice(
    tmp_path: Path, site: SiteProcess, environment: dict[str, str], words: tuple[str, ...]
) -> None:
    """Lines of the log instead."""
    (tmp_path / "urls.txt").write_text("\n".join(slow(site, 60)))
    terminal = Terminal(tmp_path, 100, *SECOND, *words, **environment)
    terminal.end()
    assert b"\x1b[" not in terminal.raw
    assert b" of 60 records (" in terminal.raw


@pytest.mark.long
def test_without_colour_it_is_without_colour(tmp_path: Path, site: SiteProcess) -> None:
    """NO_COLOR (no-color.org)."""
    (tmp_path / "urls.txt").write_text("\n".join(slow(site, 60)))
    terminal = Terminal(tmp_path, 80, NO_COLOR="1")
    terminal.until("/60 ")
    terminal.end()
    assert not re.search(rb"\x1b\[[0-9;]*3[0-9][;m]", terminal.raw)


def test_an_interrupt_leaves_the_terminal_as_it_was(tmp_path: Path, site: SiteProcess) -> None:
    """Twice in a row, which ends the process where it is: the cursor is there."""
    (tmp_path / "urls.txt").write_text("\n".join(slow(site, 200, 1.0)))
    terminal = Terminal(tmp_path, 80)
    terminal.until("/200 ")
    os.killpg(terminal.process.pid, signal.SIGINT)
    time.sleep(0.3)
    os.killpg(terminal.process.pid, signal.SIGINT)
    terminal.end()
    assert not terminal.screen.cursor.hidden
    assert terminal.process.returncode == 130
