"""Kill a crawl again and again, in every way, and look at the table that comes out.

    python tests/crawl/kills.py --kills 200 --urls 5000                     CSV
    python tests/crawl/kills.py --kills 200 --urls 5000 --table t.jsonl
    python tests/crawl/kills.py --kills 200 --urls 5000 --table t.csv,t.jsonl
    python tests/crawl/kills.py --kills 200 --urls 5000 --table t.parquet

Seven of ten kills hit the crawl, or the scan at its start; the others the closing of a crawl,
while its table is put in order, and `-a retry=` with its rename. Prints the counts, and leaves
with 1 when a row is lost, doubled or torn, or more is requested again than was under way.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from checker import Report, check
from crawling import RESOLVER, serving
from damage import WAYS, shuffle_rows

from urlcrawler.demo import names

HOSTS = 8
CONCURRENCY = 64
PAGES_A_SECOND = 300  # about, on one core
GONE = 10  # every so many URLs one is a 404, which a retry asks for again


class Killer:
    """A list, a site that has its pages, and crawls of it that do not live long.

    Attributes:
        kills: interruptions that hit a crawl, by way.
        cut: rows that damaged tails have cost.
    """

    def __init__(self, folder: Path, port: int, urls: list[str], tables: str, seed: int) -> None:
        self.folder, self.port, self.urls = folder, port, urls
        self.tables = [folder / name for name in tables.split(",")]
        self.chance = random.Random(seed)
        self.kills: Counter[str] = Counter()
        self.cut = 0
        (folder / "urls.txt").write_text("\n".join(urls))

    @contextmanager
    def crawling(self, *words: str) -> Iterator["subprocess.Popen[bytes]"]:
        """The command that a user would run again and again."""
        command = [sys.executable, "-m", "scrapy", "crawl", "urls", "-a", "file=urls.txt", *words]
        command += [word for table in self.tables for word in ("-o", table.name)]
        command += ["-s", RESOLVER, "-s", f"CONCURRENT_REQUESTS={CONCURRENCY}"]
        command += ["-s", "ALLOW_PRIVATE_ADDRESSES=127.0.0.0/8"]
        environment = {**os.environ, "SCRAPY_SETTINGS_MODULE": "urlcrawler.settings"}
        with (
            (self.folder / "log.txt").open("w") as log,
            subprocess.Popen(
                [*command, "-s", "AUTOTHROTTLE_ENABLED=0"],
                cwd=self.folder,
                env=environment,
                stderr=log,
            ) as crawl,
        ):
            yield crawl

    def finish(self, *words: str) -> None:
        """Let a crawl come to its end."""
        with self.crawling(*words) as crawl:
            if code := crawl.wait(timeout=600):
                sys.exit(f"exit code {code}:\n{(self.folder / 'log.txt').read_text()[-3000:]}")

    def kill(self, crawl: "subprocess.Popen[bytes]", phase: str, way: str) -> None:
        """End the crawl in this way, and damage a table as the way says."""
        signals, damage = WAYS[way]
        for number in signals:
            crawl.send_signal(number)
            time.sleep(0.05)
        if crawl.wait(timeout=60) == 0:
            return  # it was faster
        self.kills[f"{phase}: {way}"] += 1
        table = self.appended(self.chance.choice(self.tables))
        if table.exists() and table.stat().st_size:
            rows = table.read_bytes().count(b"\n")  # no cell of this site's pages has one
            damage(table, self.chance)
            self.cut += max(0, rows - table.read_bytes().count(b"\n"))

    def until(self, crawl: "subprocess.Popen[bytes]", ready: Callable[[], bool]) -> None:
        """Wait for the moment, or the end of the crawl."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and crawl.poll() is None and not ready():
            time.sleep(0.005)

    def says(self, words: str) -> bool:
        return words in (self.folder / "log.txt").read_text()

    def appended(self, table: Path) -> Path:
        """Return the file that rows are appended to: beside the table where that is published."""
        is_published = table.suffix not in (".csv", ".jsonl")
        return table.with_name(f".{table.name}.rows") if is_published else table

    def size(self) -> int:
        files = map(self.appended, self.tables)
        return sum(file.stat().st_size for file in files if file.exists())

    def crawl_with_kills(self, kills: int) -> int:
        """Hit the scan at the start, and the crawl; begin anew each time that it is complete.

        Returns:
            how often it was.
        """
        rounds = 1
        pause = 2 * len(self.urls) / PAGES_A_SECOND / kills
        for _ in range(kills):
            before = self.size()
            with self.crawling() as crawl:
                if self.chance.random() < 0.25:
                    phase, pause_here = "scan", 0.25
                    self.until(crawl, lambda: self.says("started"))
                else:
                    phase, pause_here = "crawl", pause
                    self.until(crawl, lambda: self.size() > before + 500)  # noqa: B023 - at once
                time.sleep(self.chance.uniform(0, pause_here))
                self.kill(crawl, phase, self.chance.choice(list(WAYS)))
            if crawl.returncode == 0:
                self.finish()  # the same command finds it complete
                self.assert_clean()
                for table in self.tables:
                    table.unlink()
                rounds += 1
        self.finish()
        return rounds

    def close_with_kills(self, kills: int) -> None:
        """Hit a complete table that is being put in order."""
        for _ in range(kills):
            for table in self.tables:
                if self.appended(table) == table:
                    shuffle_rows(table, self.chance)
            with self.crawling() as crawl:
                self.until(crawl, lambda: self.says("Closing spider"))
                time.sleep(self.chance.uniform(0, 0.1))
                self.kill(crawl, "close", self.chance.choice(["KILL", "TERM twice"]))
        self.finish()

    def retry_with_kills(self, kills: int) -> int:
        """Hit a retry and the rename at its end; return how many of them came to their end."""
        ended = 0
        for _ in range(kills):
            before = [table.read_bytes() for table in self.tables]
            with self.crawling("-a", "retry=http-4xx") as crawl:
                if self.chance.random() < 0.5:
                    self.until(crawl, lambda: self.says("are crawled again"))
                    time.sleep(self.chance.uniform(0, 0.5))
                else:
                    self.until(crawl, lambda: self.says("Closing spider"))
                    time.sleep(self.chance.uniform(0, 0.1))
                self.kill(crawl, "retry", self.chance.choice(["KILL", "TERM", "TERM twice"]))
            ended += before[0] != self.tables[0].read_bytes()
            self.assert_clean()  # the table is whole all the time
        self.finish("-a", "retry=http-4xx")
        return ended + 1

    def requests(self) -> int:
        """Return how many pages were requested so far."""
        with urlopen(f"http://127.0.0.1:{self.port}/__stats__") as answer:
            counts: dict[str, int] = json.load(answer)["requests"]
        return sum(count for name, count in counts.items() if not name.endswith("/robots.txt"))

    def assert_clean(self) -> None:
        for table in self.tables:
            report = check(table, self.urls)
            if not report.is_clean:
                sys.exit(f"{table} after {self.kills.total()} kills: {report}")


def run(folder: Path, kills: int, urls: int, tables: str, seed: int) -> list[Report]:
    """Crawl *urls* pages with so many interruptions; return what each of the tables is like."""
    with serving(sorted({"127.0.0.1", *names.addresses(HOSTS)})) as site:
        pages = [f"/page/{n}?size=900&delay=0.02" for n in range(urls)]
        pages[::GONE] = [f"/status/404?{n}" for n in range(0, urls, GONE)]
        lines = [site.url(page, 1 + n % HOSTS) for n, page in enumerate(pages)]
        killer = Killer(folder, site.port, lines, tables, seed)
        closing = retrying = max(1, kills * 15 // 100)
        rounds = killer.crawl_with_kills(kills - closing - retrying)
        killer.close_with_kills(closing)
        retries = killer.retry_with_kills(retrying)
        wanted = urls * rounds + len(pages[::GONE]) * retries
        reports = [check(table, lines) for table in killer.tables]
        for report in reports:
            report.kills, report.again = killer.kills, killer.requests() - wanted
            report.allowed = killer.kills.total() * CONCURRENCY + killer.cut
    return reports


def main() -> None:
    """Run as the module says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--urls", type=int, default=5000)
    parser.add_argument("--table", default="table.csv")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        reports = run(Path(folder), args.kills, args.urls, args.table, args.seed)
    for report in reports:
        print(f"seed {args.seed}: {report.kills.total()} kills: {report}")
    sys.exit(not all(report.is_clean for report in reports))


if __name__ == "__main__":
    main()
