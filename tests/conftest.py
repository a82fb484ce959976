"""What the suites share: the local site, and crawls as a user starts them."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

HOSTS = 40  # loopback addresses that the local site answers on, 127.1.0.1 and on
TIMEOUT = 120  # seconds after which a crawl counts as hanging


@dataclass
class SiteProcess:
    """The local site in a process of its own."""

    port: int

    def url(self, path: str, host: int = 1) -> str:
        return f"http://127.1.0.{host}:{self.port}{path}"


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


@pytest.fixture(scope="session")
def site() -> Iterator[SiteProcess]:
    command = [sys.executable, "-m", "urlcrawler.demo", "--host-count", str(HOSTS)]
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
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "scrapy", *words],
        cwd=folder,
        env={
            **os.environ,
            "SCRAPY_SETTINGS_MODULE": "urlcrawler.settings",
            "PYTHONPATH": str(Path(__file__).parent / "crawl"),  # for saboteurs.py
        },
        input=stdin,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    path = folder / table
    return Crawl(done.returncode, done.stderr, done.stdout, path, read_table(path))


def crawl_list(
    folder: Path, lines: list[str], *words: str, table: str = "table.csv", name: str = "urls.txt"
) -> Crawl:
    """Crawl a list of *lines* into *table*."""
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    spider = () if "crawl" in words else ("crawl", "urls")
    return run_scrapy(folder, *spider, *words, "-a", f"file={name}", "-O", table, table=table)


@pytest.fixture
def scrapy(tmp_path: Path) -> Callable[..., Crawl]:
    """`run_scrapy` in an empty folder."""
    return partial(run_scrapy, tmp_path)


@pytest.fixture
def crawl(tmp_path: Path) -> Callable[..., Crawl]:
    """`crawl_list` in an empty folder."""
    return partial(crawl_list, tmp_path)
