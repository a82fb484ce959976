"""Kill a crawl again and again, in every way, and look at the table that comes out.

    python tests/crawl/kills.py --kills 200 --urls 5000                CSV
    python tests/crawl/kills.py --kills 200 --urls 5000 --table t.jsonl

Prints the counts, and leaves with 1 when a row is lost, doubled or torn.
"""

import argparse
import csv
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from crawling import RESOLVER, serving

from urlcrawler.demo import names

HOSTS = 8
CONCURRENCY = 64


def cut_tail(table: Path, chance: random.Random) -> None:
    """Take some bytes away, as if the last row had not been finished."""
    size = table.stat().st_size
    os.truncate(table, max(0, size - chance.randrange(1, 400)))


def nul_tail(table: Path, chance: random.Random) -> None:
    """Append zeros, as a power cut does on some file systems."""
    with table.open("ab") as file:
        file.write(b"\0" * chance.randrange(1, 5000))


def garbage_tail(table: Path, chance: random.Random) -> None:
    """Append what was never a row."""
    with table.open("ab") as file:
        file.write(chance.randbytes(chance.randrange(1, 2000)))


def nothing(table: Path, chance: random.Random) -> None:
    """Leave the table as the kill has left it."""


Damage = Callable[[Path, random.Random], None]
WAYS: dict[str, tuple[list[signal.Signals], Damage]] = {
    "KILL": ([signal.SIGKILL], nothing),
    "TERM": ([signal.SIGTERM], nothing),
    "TERM twice": ([signal.SIGTERM, signal.SIGTERM], nothing),
    "INT": ([signal.SIGINT], nothing),
    "KILL, cut tail": ([signal.SIGKILL], cut_tail),
    "KILL, NUL tail": ([signal.SIGKILL], nul_tail),
    "KILL, garbage tail": ([signal.SIGKILL], garbage_tail),
}


@dataclass
class Report:
    """What came out.

    Attributes:
        kills: number of interruptions, by way.
        lost, doubled, torn, headers: faults of the final table.
        requests: pages requested in all.
    """

    kills: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    doubled: int = 0
    torn: int = 0
    headers: int = 0
    in_order: bool = False
    requests: int = 0

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.torn) and self.headers < 2 and self.in_order


def check(table: Path, urls: list[str]) -> Report:
    """Compare the table with the list. Shares no code with the project."""
    report = Report()
    if table.suffix == ".csv":
        with table.open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        report.headers = 1 + sum(row == header for row in rows)
        report.torn = sum(len(row) != len(header) for row in rows)
        found = [(int(row[0]), row[1]) for row in rows if row[0].isdecimal()]
    else:
        lines = table.read_bytes().splitlines()
        found = [(row["position"], row["url"]) for row in map(json.loads, lines)]
        report.headers = 1
    counts = Counter(found)
    wanted = list(enumerate(urls, 1))
    report.lost = sum(pair not in counts for pair in wanted)
    report.doubled = sum(count - 1 for count in counts.values())
    report.torn += sum(pair not in set(wanted) for pair in counts)
    report.in_order = found == sorted(found)
    return report


def run(folder: Path, kills: int, urls: int, table_name: str, seed: int) -> Report:
    """Crawl *urls* pages with up to *kills* interruptions."""
    chance = random.Random(seed)  # noqa: S311 - a seed makes the run repeatable
    table = folder / table_name
    killed: Counter[str] = Counter()
    with serving(sorted({"127.0.0.1", *names.addresses(HOSTS)})) as site:
        lines = [site.url(f"/page/{n}?size=900&delay=0.02", 1 + n % HOSTS) for n in range(urls)]
        (folder / "urls.txt").write_text("\n".join(lines))
        command = [sys.executable, "-m", "scrapy", "crawl", "urls", "-a", "file=urls.txt"]
        command += ["-o", table_name, "-s", RESOLVER, "-s", f"CONCURRENT_REQUESTS={CONCURRENCY}"]
        command += ["-s", "AUTOTHROTTLE_ENABLED=0"]
        environment = {**os.environ, "SCRAPY_SETTINGS_MODULE": "urlcrawler.settings"}
        while True:
            before = table.stat().st_size if table.exists() else 0
            with (folder / "log.txt").open("w") as log:
                crawl = subprocess.Popen(command, cwd=folder, env=environment, stderr=log)
                if killed.total() < kills:
                    way = chance.choice(list(WAYS))
                    # Some hit the start and the scan, most the crawl, a few the end.
                    if chance.random() < 0.7:
                        grown(table, before, crawl)
                    time.sleep(chance.uniform(0, 1.2))
                    signals, damage = WAYS[way]
                    for number in signals:
                        crawl.send_signal(number)
                        time.sleep(0.05)
                    if crawl.wait(timeout=60) != 0:
                        killed[way] += 1
                        if table.exists() and table.stat().st_size:
                            damage(table, chance)
                        continue
                code = crawl.wait(timeout=600)
            if code:
                sys.exit(f"exit code {code}:\n{(folder / 'log.txt').read_text()[-3000:]}")
            break
        report = check(table, lines)
        report.kills, report.requests = killed, requests(site.port)
    return report


def grown(table: Path, before: int, crawl: "subprocess.Popen[bytes]") -> None:
    """Wait until the crawl has written rows, or has ended."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and crawl.poll() is None:
        if table.exists() and table.stat().st_size > before + 500:
            return
        time.sleep(0.02)


def requests(port: int) -> int:
    from urllib.request import urlopen

    with urlopen(f"http://127.0.0.1:{port}/__stats__") as answer:
        counts: dict[str, int] = json.load(answer)["requests"]
    return sum(count for name, count in counts.items() if not name.endswith("/robots.txt"))


def main() -> None:
    """Run as the module says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--urls", type=int, default=5000)
    parser.add_argument("--table", default="table.csv")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = run(Path(folder), args.kills, args.urls, args.table, args.seed)
    print(f"seed {args.seed}: {report}")
    sys.exit(not report.is_clean)


if __name__ == "__main__":
    main()
