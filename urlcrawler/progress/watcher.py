"""Looks at a crawl: how far it is, and what it waits for."""

from collections import Counter, deque
from time import monotonic
from typing import Any

from scrapy.crawler import Crawler

from urlcrawler.meta import PLAIN, ROBOTS_TXT
from urlcrawler.progress.standing import Standing

_LATELY = 30.0  # seconds over which the rate is measured
_MOST_PAUSED = 100  # hosts that are looked at one by one


class Watcher:
    """Says how far a crawl is."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._spider: Any = crawler.spider
        self._seen: deque[tuple[float, int]] = deque()  # when, and how many rows there were
        self._last_row = monotonic()

    def standing(self, outcomes: dict[str, int]) -> Standing:
        """Return how far the crawl is.

        Args:
            outcomes: rows of the whole table, by outcome.
        """
        now, ledger = monotonic(), self._spider.ledger
        standing = Standing(ledger.count, ledger.total, outcomes=outcomes)
        scheduler: Any = self._crawler.engine.scheduler
        if hasattr(scheduler, "standings"):
            standing.take(scheduler.standings())
        standing.rate = self._note(now, standing.done)
        standing.silent = now - self._last_row
        if standing.rate:
            seconds = (ledger.total - standing.done) / standing.rate
            if seconds > (standing.seconds_left or 0.0):
                standing.seconds_left, standing.slowest = seconds, None
        if hasattr(scheduler, "hosts"):
            self._look_at(scheduler, standing, now)
        return standing

    def _note(self, now: float, count: int) -> float:
        """Return rows a second, lately."""
        if self._seen and count != self._seen[-1][1]:
            self._last_row = now
        self._seen.append((now, count))
        while len(self._seen) > 2 and self._seen[1][0] <= now - _LATELY:
            self._seen.popleft()
        (then, before), seconds = self._seen[0], now - self._seen[0][0]
        return max(0, count - before) / seconds if seconds > 0 and then < now else 0.0

    def _look_at(self, scheduler: Any, standing: Standing, now: float) -> None:
        hosts = scheduler.hosts.kept.open.values()
        waiting = Counter[str]()
        for host in hosts:
            seconds = host.seconds_left(now)
            if seconds < float("inf") and seconds > (standing.seconds_left or 0.0):
                standing.seconds_left, standing.slowest = seconds, host.name
            if host.paused_until > now:
                waiting["hosts that are paused"] += 1
                if len(standing.paused) < _MOST_PAUSED:
                    standing.paused.append((host.name, host.why_paused, host.paused_until - now))
            elif not host.active and host.has_work:
                causes = {origin.circuit.cause for origin in host.working} - {None}
                kind = (
                    "hosts that do not answer" if causes else "hosts whose pace or back-off it is"
                )
                waiting[kind] += 1
        active = self._crawler.engine.downloader.active
        in_tabs = sum(PLAIN in request.meta for request in active)
        standing.rendering = in_tabs + scheduler.tabs.waiting
        robots = sum(ROBOTS_TXT in request.meta for request in active)
        waiting["answers"] = len(active) - robots - in_tabs
        waiting["robots.txt files"] = robots
        waiting["pages in the browser"] = standing.rendering
        waiting["rows on their way"] = len(self._spider.ledger.open) - len(active)
        standing.waiting = {kind: count for kind, count in waiting.items() if count > 0}
