"""As many requests in flight as this process can handle: the listening end of `hosts.window`."""

import asyncio
from typing import Any, cast

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from urlcrawler.divided import is_divided
from urlcrawler.hosts.window import BEAT


class LoopThrottle:
    """Keep answers from waiting for one another in this process.

    When the processor is what a crawl waits for, more requests in flight only make answers older:
    each host looks slower than it is, and the largest host, on which the end of the crawl depends,
    gets no more than the smallest. So Scrapy's limit on all requests (the downloader's
    `total_concurrency`) begins low, and goes up to CONCURRENT_REQUESTS only while that helps.
    Stats: `throttle/in_flight_limit`.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._alarm: asyncio.TimerHandle | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "LoopThrottle":
        """Listen while the engine runs. Without AUTOTHROTTLE_ENABLED limits are fixed."""
        if not hasattr(crawler.spider, "ledger"):
            raise NotConfigured("the spider reads no list.")
        settings = crawler.settings
        is_limited = settings.getint("CONCURRENT_REQUESTS") > 0
        if not (is_limited and settings.getbool("AUTOTHROTTLE_ENABLED")):
            raise NotConfigured  # without a word: it was switched off
        if is_divided(settings):
            raise NotConfigured  # each of them has its own
        throttle = cls(crawler)
        crawler.signals.connect(throttle.engine_started, signals.engine_started)
        crawler.signals.connect(throttle.spider_closed, signals.spider_closed)
        crawler.signals.connect(throttle.engine_stopped, signals.engine_stopped)
        return throttle

    def engine_started(self) -> None:
        """Begin."""
        self._downloader: Any = cast("Any", self.crawler.engine).downloader
        self._window = self._downloader.window
        self._downloader.total_concurrency = self._window.limit
        self._loop = asyncio.get_running_loop()
        self._wait()

    def spider_closed(self) -> None:
        """Keep the figure."""
        limit = cast("Any", self.crawler.engine).downloader.total_concurrency
        cast("Any", self.crawler.stats).set_value("throttle/in_flight_limit", limit)

    def engine_stopped(self) -> None:
        """End."""
        if self._alarm:
            self._alarm.cancel()

    def _wait(self) -> None:
        self._due = self._loop.time() + BEAT
        self._alarm = self._loop.call_at(self._due, self._hear)

    def _hear(self) -> None:
        now = self._loop.time()
        self._window.heard(now - self._due, now, len(self._downloader.active))
        if (limit := self._window.limit) != self._downloader.total_concurrency:
            self._downloader.total_concurrency = limit
            self._downloader.wake()
        self._wait()
