"""How much memory a crawl takes: by the length of its list, and while it goes on.

    .venv/bin/python tests/benchmarks/memory.py                   # 10 thousand, 1 million records
    .venv/bin/python tests/benchmarks/memory.py --records 10000 10000000
    .venv/bin/python tests/benchmarks/memory.py --pages 200000    # no growth while it goes on

Of a long list 2,000 pages are crawled: what the list takes, it takes by then. Peak memory is that
of the system for the process, in MB; bytes a record are what it has more than the shortest list.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "crawls"))
sys.path.insert(0, str(Path(__file__).parents[2]))

from server import ADDRESSES, Server, serving

ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(Path(__file__).parents[2]),
    "SCRAPY_SETTINGS_MODULE": "urlcrawler.settings",
}
WORDS = ["-s", "ALLOW_PRIVATE_ADDRESSES=127.0.0.0/8", "-O", "table.csv"]


def crawl(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "scrapy", "crawl", "urls", "-a", "file=urls.txt"]
    log = (folder / "log.txt").open("wb")
    return subprocess.Popen([*command, *WORDS, *words], cwd=folder, env=ENVIRONMENT, stderr=log)


def write_list(folder: Path, server: Server, records: int) -> None:
    with (folder / "urls.txt").open("w") as file:
        for n in range(records):
            file.write(server.url(n % len(ADDRESSES), "0", n) + "\n")


def peak(records: int, server: Server) -> float:
    """Return the peak memory in MB of a crawl of a list with so many records."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_list(folder, server, records)
        process = crawl(folder, "-s", "CLOSESPIDER_PAGECOUNT=2000")
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        rows = sum(1 for _ in (folder / "table.csv").open()) - 1
        assert process.returncode == 75, (folder / "log.txt").read_text()[-2000:]
        assert rows >= 1500, rows  # robots.txt counts as a page too
        return usage.ru_maxrss / 1000


def growth(pages: int, server: Server) -> None:
    """Print the memory of a crawl in each tenth of it."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_list(folder, server, pages)
        process = crawl(folder)
        status, table = Path(f"/proc/{process.pid}/status"), folder / "table.csv"
        seen: dict[int, int] = {}
        while process.poll() is None:
            rows = sum(1 for _ in table.open()) - 1 if table.exists() else 0
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
            if "VmRSS" in fields:
                tenth = min(9, rows * 10 // pages)
                seen[tenth] = max(seen.get(tenth, 0), int(fields["VmRSS"].split()[0]))
            time.sleep(2)
        rows = sum(1 for _ in table.open()) - 1
        assert (rows, process.returncode) == (pages, 0), (folder / "log.txt").read_text()[-2000:]
    for tenth, kilobytes in sorted(seen.items()):
        print(f"{(tenth + 1) * 10:>4} % of {pages} pages: {kilobytes / 1000:>7.0f} MB", flush=True)


def main() -> None:
    """Print a line for each length of the list, or for each tenth of a crawl."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, nargs="*", default=[10_000, 1_000_000])
    parser.add_argument("--pages", type=int, default=0)
    args = parser.parse_args()
    with serving({"0"}) as server:
        if args.pages:
            growth(args.pages, server)
            return
        first = 0.0
        for records in args.records:
            taken = peak(records, server)
            first = first or taken
            more = (taken - first) * 1e6 / records
            print(f"{records:>10} records: {taken:>7.0f} MB, {taken / first:.2f}; {more:.1f} bytes "
                  "a record more", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
