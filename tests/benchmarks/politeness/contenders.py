"""Who crawls: this project and plain Scrapy, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent.parent
_PLAIN = ["runspider", str(HERE / "plain.py"), "-s", "CONCURRENT_REQUESTS_PER_DOMAIN=16",
          "-s", "TELNETCONSOLE_ENABLED=0", "-s", "DOWNLOAD_TIMEOUT=30"]  # fmt: skip

CONTENDERS = {
    "ours": ["crawl", "urls"],
    "AutoThrottle": [*_PLAIN, "-s", "AUTOTHROTTLE_ENABLED=1"],
    "AutoThrottle 8": [
        *[*_PLAIN, "-s", "AUTOTHROTTLE_ENABLED=1"],
        *["-s", "AUTOTHROTTLE_TARGET_CONCURRENCY=8"],
    ],
    "fixed 16": _PLAIN,
}


def start(
    name: str, folder: Path, urls: list[str], seconds: float, hosts: int
) -> subprocess.Popen[bytes]:
    """Start a crawl of *urls* that ends after *seconds*; its table is `table.csv` of *folder*.

    On one host plain Scrapy gets 16 requests in all: the limit for each domain alone does not hold
    when many requests come at the same moment (Scrapy 2.19 then sends all of them).
    """
    folder.mkdir(parents=True)
    (folder / "urls.txt").write_text("\n".join(urls) + "\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("SCRAPY_SETTINGS_MODULE", None)
    if name == "ours":
        environment["SCRAPY_SETTINGS_MODULE"] = "urlcrawler.settings"
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "scrapy", *CONTENDERS[name], "-a", "file=urls.txt",
             "-O", "table.csv", "-s", f"CLOSESPIDER_TIMEOUT={seconds:.0f}",
             "-s", "ALLOW_PRIVATE_ADDRESSES=127.0.0.0/8",
             "-s", f"CONCURRENT_REQUESTS={16 if hosts == 1 else 512}"],
            cwd=folder, env=environment, stdout=log, stderr=log,
        )  # fmt: skip
