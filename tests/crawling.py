"""Crawls as a user starts them, and the local site that they crawl."""

import asyncio
import atexit
import csv
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from warmstart import WarmStart

from urlcrawler.demo import names
from urlcrawler.demo.messages import Handler, Request, Response
from urlcrawler.demo.site import Site

csv.field_size_limit(sys.maxsize)  # a page may have a title of megabytes

HOSTS = 40  # hosts of the local site; addresses of their own where the machine has them
RESOLVER = "TWISTED_DNS_RESOLVER=urlcrawler.demo.names.DemoResolver"
TESTS = Path(__file__).parent
ENVIRONMENT = {
    **os.environ,
    "SCRAPY_SETTINGS_MODULE": "loopback",
    # This checkout's package, whichever one is installed; saboteurs.py and its like.
    "PYTHONPATH": os.pathsep.join([str(TESTS / "crawl"), str(TESTS.parent)]),
}
# Handlers of http and https, and the settings that choose them.
HANDLERS = {"aiohttp": "loopback", "twisted": "loopback_twisted"}
TIMEOUT = 120  # seconds after which a crawl counts as hanging

needs_addresses = pytest.mark.skipif(
    not names.answers_everywhere(), reason="this machine has one loopback address only"
)


@dataclass
class SiteProcess:
    """The local site in a process of its own."""

    port: int

    def url(self, path: str, host: int = 1) -> str:
        return f"http://{names.shop(host)}:{self.port}{path}"


@dataclass
class Crawl:
    """What a user sees after a crawl: the exit code, the log and the table."""

    exit_code: int
    log: str
    stdout: str
    table: Path
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def by_position(self) -> dict[int, dict[str, Any]]:
        return {int(row["position"]): row for row in self.rows}

    def only(self) -> dict[str, Any]:
        (row,) = self.rows
        return row


def read_table(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a table, read by the standard library alone; none of what is no text."""
    if not path.exists() or path.suffix in (".parquet", ".sqlite", ".gz"):
        return []
    with path.open(encoding="utf-8", newline="") as file:
        if path.suffix == ".rows":  # of a table that is published later
            return [{"row": line} for line in file]
        if path.suffix == ".jsonl":
            return [json.loads(line) for line in file]
        return list(csv.DictReader(file))


def texts_of(values: Any) -> list[str | None]:
    """Return cells so that lists, numbers and what CSV makes of them can be compared."""
    texts = []
    for value in values.astype(object):
        if isinstance(value, list | dict):
            value = json.dumps(value, ensure_ascii=False)
        is_absent = value is None or value is pd.NA or value is pd.NaT or value == ""
        texts.append(None if is_absent or value != value else str(value).removesuffix(".0"))
    return texts


@contextmanager
def serving(addresses: Sequence[str]) -> Iterator[SiteProcess]:
    """The local site on these addresses, for as long as the block runs."""
    command = [sys.executable, "-m", "urlcrawler.demo", "--hosts", ",".join(addresses)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield SiteProcess(int(process.stdout.readline().split()[1]))
        process.stdin.close()


def run_scrapy(
    folder: Path,
    *words: str,
    table: str = "table.csv",
    stdin: str | None = None,
    python: str = sys.executable,
    timeout: float = TIMEOUT,
) -> Crawl:
    """Run `scrapy ...` in *folder*, as a user would, and read the table it has written."""
    if words[0] == "crawl":
        if not any("TWISTED_DNS_RESOLVER" in word for word in words):
            words = (*words, "-s", RESOLVER)
        if not any("BACKOFF_START" in word for word in words):
            words = (*words, "-s", "BACKOFF_START=0.1")  # no host here needs so much rest
    done = _run(["scrapy", *words], python, folder, stdin, timeout)
    path = folder / table
    rows = read_table(path)
    # Only a component that a test puts in on purpose may lose a record.
    sabotaged = any("saboteurs" in word or "stoppers" in word for word in words)
    assert sabotaged or "lost" not in {row.get("error") for row in rows}, done.stderr
    assert sabotaged or "Error caught on signal handler" not in done.stderr, done.stderr
    return Crawl(done.returncode, done.stderr, done.stdout, path, rows)


def _run(
    words: list[str], python: str, folder: Path, stdin: str | None, timeout: float
) -> subprocess.CompletedProcess[str]:
    may_be_forked = python == sys.executable and hasattr(os, "pidfd_open")
    if may_be_forked and "COLD_START" not in os.environ and not _changes_what_is_imported():
        return warm_start().run(words, folder, ENVIRONMENT, stdin, timeout)
    return subprocess.run(
        [python, "-W", "error", "-m", *words],
        cwd=folder,
        env=ENVIRONMENT,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def _changes_what_is_imported() -> bool:
    folders = ENVIRONMENT["PYTHONPATH"].split(os.pathsep)
    return any(Path(folder, "sitecustomize.py").exists() for folder in folders)


@cache
def warm_start() -> WarmStart:
    """The process that crawls of this one are forked from."""
    process = WarmStart()
    atexit.register(process.close)
    return process


def crawl_list(
    folder: Path,
    lines: list[str],
    *words: str,
    table: str = "table.csv",
    name: str = "urls.txt",
    fresh: bool = True,
    python: str = sys.executable,
) -> Crawl:
    """Crawl a list of *lines* into *table*, a *fresh* one or what is there."""
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    spider = () if "crawl" in words else ("crawl", "urls")
    output = ("-O" if fresh else "-o", table)
    return run_scrapy(
        folder, *spider, *words, "-a", f"file={name}", *output, table=table, python=python
    )


@contextmanager
def crawl_that_says(folder: Path, what: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A crawl of *folder*/urls.txt that has just logged a line with *what* in it, and goes on."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "scrapy", "crawl", "urls", "-afile=urls.txt", *words],
        cwd=folder,
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        while what not in process.stderr.readline():
            assert process.poll() is None
        yield process


@contextmanager
def crawl_under_way(
    folder: Path, *words: str, rows: int = 1, table: str = "table.csv", spider: str = "urls"
) -> Iterator[subprocess.Popen[str]]:
    """A crawl of *folder*/urls.txt that has written so many rows to *table*, and goes on."""
    command = [sys.executable, "-W", "error", "-m", "scrapy", "crawl", spider]
    with subprocess.Popen(
        [*command, "-a", "file=urls.txt", *words, "-s", RESOLVER],
        cwd=folder,
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = time.monotonic() + 30
        while len(read_table(folder / table)) < rows and time.monotonic() < deadline:
            time.sleep(0.1)
        yield process


PAGE = b"<title>A page</title>"


class Server:
    """Routes that remember when what was asked for, and answer as *answer* says.

    *answer* is given the request and its number; *robots* may be an answer, or be one too.
    """

    def __init__(
        self,
        answer: Callable[[Request, int], Response] = lambda request, number: Response(PAGE),
        robots: Response | Callable[[Request, int], Response] | None = None,
    ) -> None:
        self.times: list[tuple[float, str, str]] = []  # when, host, path
        self.robots_times: list[float] = []
        self._answer = answer
        self._robots = robots or Response(b"", 404)

    @property
    def routes(self) -> dict[str, Handler]:
        return {"/*": self.page, "/robots.txt": self.robots}

    async def page(self, request: Request) -> Response:
        self.times.append((time.time(), request.host, request.path))
        return self._answer(request, len(self.times))

    async def robots(self, request: Request) -> Response:
        self.robots_times.append(time.time())
        if isinstance(self._robots, Response):
            return self._robots
        return self._robots(request, len(self.robots_times))

    def gaps(self) -> list[float]:
        return [after[0] - before[0] for before, after in pairwise(self.times)]


def rules(text: str) -> Response:
    """A robots.txt."""
    return Response(text.encode(), content_type="text/plain")


@contextmanager
def site_of(routes: Mapping[str, Handler], *addresses: str) -> Iterator[Site]:
    """A site of the test's own routes, in a thread, for as long as the block runs."""
    loop = asyncio.new_event_loop()
    site = Site(routes, addresses or ("127.0.0.1",))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(site.start(), loop).result(10)
    try:
        yield site
    finally:
        asyncio.run_coroutine_threadsafe(site.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
