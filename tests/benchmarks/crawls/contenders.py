"""Who crawls: the seeds of this project, as their authors would write them, and this project."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

SEEDS = Path(__file__).with_name("seeds")
ROOT = Path(__file__).parents[3]
AT_ONCE = 1000  # requests in flight, of those that can have so many
FIELDS = ("name", "price", "sku", "brand", "stock")
Command = Callable[[Path, int], list[str]]  # the folder of the run, seconds of a timeout


def _script(name: str, *words: str) -> Command:
    path = str(SEEDS / name)
    return lambda folder, timeout: [
        sys.executable, path, "urls.txt", "table.csv", str(timeout), *words
    ]  # fmt: skip


def _generated(folder: Path, timeout: int) -> list[str]:
    """Scrapy as `startproject` generates it, with as much at a time as ours has."""
    if not (folder / "scrapy.cfg").exists():
        start = [sys.executable, "-m", "scrapy", "startproject", "generated", "."]
        subprocess.run(start, cwd=folder, check=True, capture_output=True)
        source = (SEEDS / "generated.py").read_text(encoding="utf-8")
        (folder / "generated/spiders/list.py").write_text(source, encoding="utf-8")
    options = {
        "CONCURRENT_REQUESTS": AT_ONCE, "CONCURRENT_REQUESTS_PER_DOMAIN": 16, "DOWNLOAD_DELAY": 0,
        "LOG_LEVEL": "INFO", "DOWNLOAD_TIMEOUT": timeout,
    }  # fmt: skip
    words = [word for name, value in options.items() for word in ("-s", f"{name}={value}")]
    command = [sys.executable, "-m", "scrapy", "crawl", "list", "-a", "file=urls.txt"]
    return [*command, "-O", "table.csv", *words]


def _ours(*words: str) -> Command:
    def command(folder: Path, timeout: int) -> list[str]:
        lines = [f'{name}: {{css: ".{name}::text", strip: false}}\n' for name in FIELDS]
        (folder / "fields.yaml").write_text("".join(lines))
        arguments = ["-a", "file=urls.txt", "-a", "fields=fields.yaml", "-O", "table.csv"]
        allow = ["-s", "ALLOW_PRIVATE_ADDRESSES=127.0.0.0/8"]
        allow += ["-s", f"CONCURRENT_REQUESTS={AT_ONCE}", "-s", f"DOWNLOAD_TIMEOUT={timeout}"]
        return [sys.executable, "-m", "scrapy", "crawl", "urls", *arguments, *allow, *words]

    return command


_NO_METADATA = ("-s", "METADATA=")
_FROM_MEMORY = (
    "-s", 'DOWNLOAD_HANDLERS={"http": "memory.MemoryHandler"}', "-s", "ALLOW_PRIVATE_ADDRESSES=1",
)  # fmt: skip
CONTENDERS: dict[str, Command] = {
    "a loop": _script("loop.py"),
    "32 processes, each appends": _script("processes.py"),
    "32 processes, one writer from before": _script("forked.py"),
    "15 threads": _script("threads.py", "15"),
    "500 threads": _script("threads.py", "500"),
    "asyncio, 100 at a time": _script("aio.py", "100", "0"),
    "asyncio, 100 in chunks of 500": _script("aio.py", "100", "500"),
    "asyncio, 1000 at a time": _script("aio.py", str(AT_ONCE), "0"),
    "Scrapy as generated": _generated,
    "urlcrawler": _ours(*_NO_METADATA),
    "urlcrawler, with metadata": _ours(),
    "urlcrawler, PROCESSES=2": _ours(*_NO_METADATA, "-s", "PROCESSES=2"),
    "urlcrawler, from memory": _ours(*_NO_METADATA, *_FROM_MEMORY),
    "urlcrawler, from memory, PROCESSES=2": _ours(
        *_NO_METADATA, *_FROM_MEMORY, "-s", "PROCESSES=2"
    ),
}
BASELINE = "asyncio, 1000 at a time"
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT),
    "PYTHONUNBUFFERED": "1",
}
OURS = {
    **ENVIRONMENT,
    "PYTHONPATH": f"{ROOT}{os.pathsep}{Path(__file__).parent}",  # for memory.py
    "SCRAPY_SETTINGS_MODULE": "urlcrawler.settings",
}


def environment(name: str) -> dict[str, str]:
    """Return the environment of a contender's process."""
    return OURS if name.startswith("urlcrawler") else ENVIRONMENT
