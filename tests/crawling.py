"""Crawls as a user starts them, and the local site that they crawl."""

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from urlcrawler.demo import names

HOSTS = 40  # hosts of the local site; addresses of their own where the machine has them
RESOLVER = "TWISTED_DNS_RESOLVER=urlcrawler.demo.names.DemoResolver"
TESTS = Path(__file__).parent
ENVIRONMENT = {
    **os.environ,
    "SCRAPY_SETTINGS_MODULE": "urlcrawler.settings",
    # This checkout's package, whichever one is installed; saboteurs.py and its like.
    "PYTHONPATH": os.pathsep.join([str(TESTS / "crawl"), str(TESTS.parent)]),
}
TIMEOUT = 120  # seconds after which a crawl counts as hanging


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
    """Return the rows of a table, read by the standard library alone."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        if path.suffix == ".jsonl":
            return [json.loads(line) for line in file]
        return list(csv.DictReader(file))


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
    folder: Path, *words: str, table: str = "table.csv", stdin: str | None = None
) -> Crawl:
    """Run `scrapy ...` in *folder*, as a user would, and read the table it has written."""
    if words[0] == "crawl":
        words = (*words, "-s", RESOLVER)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "scrapy", *words],
        cwd=folder,
        env=ENVIRONMENT,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    path = folder / table
    rows = read_table(path)
    # Only a component that a test puts in on purpose may lose a record.
    sabotaged = any("saboteurs" in word or "stoppers" in word for word in words)
    assert sabotaged or "lost" not in {row.get("error") for row in rows}, done.stderr
    return Crawl(done.returncode, done.stderr, done.stdout, path, rows)


def crawl_list(
    folder: Path,
    lines: list[str],
    *words: str,
    table: str = "table.csv",
    name: str = "urls.txt",
    fresh: bool = True,
) -> Crawl:
    """Crawl a list of *lines* into *table*, a *fresh* one or what is there."""
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    spider = () if "crawl" in words else ("crawl", "urls")
    output = ("-O" if fresh else "-o", table)
    return run_scrapy(folder, *spider, *words, "-a", f"file={name}", *output, table=table)


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
    folder: Path, *words: str, rows: int = 1, table: str = "table.csv"
) -> Iterator[subprocess.Popen[str]]:
    """A crawl of *folder*/urls.txt that has written so many rows to *table*, and goes on."""
    command = [sys.executable, "-W", "error", "-m", "scrapy", "crawl", "urls"]
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
