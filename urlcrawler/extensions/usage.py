"""What each host was given: for the summary, the stats, and a report."""

import csv
import heapq
import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, cast

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from urlcrawler.divided import is_divided
from urlcrawler.hosts.host import Host
from urlcrawler.output.tablefile import beside

logger = logging.getLogger(__name__)

SLOWEST = 10  # hosts in the summary and the stats: those that took longest
COLUMNS = (
    "host", "requests", "ok", "refused", "latency", "highest", "delay", "paused", "seconds",
    "began", "given_up",
)  # fmt: skip


class HostUsage:
    """Write a line for each host into a hidden CSV file beside the table, `.<table>.hosts.csv`.

    A crawl that is resumed adds its lines: a host has one for each run that asked it. Without a
    local table that can be resumed there is no such file. Stats: `throttle/*`.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._slowest: list[tuple[float, int, dict[str, Any]]] = []
        self._count = 0
        self._lines: list[dict[str, Any]] = []
        self._path: Path | None = None
        self._start = (monotonic(), datetime.now(UTC))

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "HostUsage":
        """Connect to the signals; only a spider with a list has hosts that are kept."""
        if not hasattr(crawler.spider, "ledger"):
            raise NotConfigured("the spider reads no list.")
        if is_divided(crawler.settings):
            raise NotConfigured  # each of them has its own, see processes.totals
        usage = cls(crawler)
        crawler.signals.connect(usage.spider_opened, signals.spider_opened)
        crawler.signals.connect(usage.spider_closed, signals.spider_closed)
        return usage

    @property
    def _hosts(self) -> Any:
        return cast("Any", self.crawler.engine).scheduler.hosts.kept

    def spider_opened(self) -> None:
        """Begin the file, or go on with that of the earlier run."""
        spider: Any = self.crawler.spider
        self._hosts.forget = self.forget
        if spider.ledger.primary:
            self._path = beside(spider.ledger.primary.path, ".hosts.csv")
            if not (spider.ledger.count or spider.retried_errors):
                with suppress(OSError):
                    self._path.unlink(missing_ok=True)

    def spider_closed(self) -> None:
        """Write what is not written yet, and set the stats."""
        for host in self._hosts:
            self.forget(host)
        self._write()
        stats = cast("Any", self.crawler.stats)
        stats.set_value("throttle/hosts", self._count)
        stats.set_value("throttle/slowest", [line for *_, line in sorted(self._slowest)[::-1]])

    def forget(self, host: Host[Request]) -> None:
        """Keep what *host* was given, before its state is thrown away."""
        if not host.usage.requests:
            return
        line = self._line(host)
        self._count += 1
        stats = cast("Any", self.crawler.stats)
        stats.inc_value("throttle/refused", line["refused"])
        stats.inc_value("throttle/paused_seconds", line["paused"])
        stats.inc_value("throttle/given_up", int(bool(line["given_up"])))
        heapq.heappush(self._slowest, (line["seconds"], self._count, line))
        if len(self._slowest) > SLOWEST:
            heapq.heappop(self._slowest)
        self._lines.append(line)
        if len(self._lines) >= 1000:
            self._write()

    def _line(self, host: Host[Request]) -> dict[str, Any]:
        usage, now = host.usage, monotonic()
        began = self._start[1] + timedelta(seconds=usage.first - self._start[0])
        values = (
            host.name,
            usage.requests,
            usage.ok,
            usage.refused,
            None if usage.latency is None else round(usage.latency, 3),
            usage.highest,
            round(host.pace.delay(now), 3),
            round(usage.paused, 1),
            round(usage.last - usage.first, 1),
            began.isoformat(timespec="seconds"),
            usage.given_up,
        )
        return dict(zip(COLUMNS, values, strict=True))

    def _write(self) -> None:
        """Write the lines that are kept; the crawl goes on where that is not possible."""
        try:
            if self._path and self._lines:
                with self._path.open("a", encoding="utf-8", newline="") as file:
                    writer = csv.DictWriter(file, COLUMNS)
                    if not file.tell():
                        writer.writeheader()
                    writer.writerows(self._lines)
        except OSError as error:
            logger.warning("%(path)s: %(error)s", {"path": self._path, "error": error.strerror})
            self._path = None
        self._lines.clear()
