"""Scrapy's limit on all requests follows the event loop."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Spider, signals
from scrapy.exceptions import NotConfigured
from scrapy.utils.misc import build_from_crawler
from scrapy.utils.test import get_crawler

from urlcrawler.extensions.loopthrottle import LoopThrottle
from urlcrawler.hosts.window import START, Window


def crawl(seconds: float, work: float, ceiling: int = 512) -> Any:
    """Return the downloader of a crawl whose loop has to *work* for as long, again and again.

    It has as many requests in flight as it may have, and each waits for a tenth of a second here.
    """
    crawler: Any = get_crawler(Spider, {"AUTOTHROTTLE_ENABLED": True, "CONCURRENT_REQUESTS": 512})
    crawler.spider = SimpleNamespace(ledger=None)
    window = Window(ceiling)
    downloader = SimpleNamespace(window=window, total_concurrency=ceiling, woken=0)
    downloader.wake = lambda: setattr(downloader, "woken", downloader.woken + 1)
    crawler.engine = SimpleNamespace(downloader=downloader)

    async def run() -> None:
        throttle = build_from_crawler(LoopThrottle, crawler)
        crawler.signals.send_catch_log(signals.engine_started)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            downloader.active = range(downloader.total_concurrency)
            until = time.monotonic() + work
            while time.monotonic() < until:
                window.answered(0.1, 0.01)
                time.sleep(0.001)
            await asyncio.sleep(0 if work else 0.01)
        for signal in (signals.spider_closed, signals.engine_stopped):
            crawler.signals.send_catch_log(signal)
        del throttle  # signals hold it weakly

    asyncio.run(run())
    downloader.stats = crawler.stats
    return downloader


def test_a_loop_that_is_late_has_fewer_requests() -> None:
    """Fewer than it began with; the engine asks the downloader whether there is room."""
    downloader = crawl(1.5, work=0.03)
    assert downloader.total_concurrency < START
    assert downloader.stats.get_value("throttle/in_flight_limit") == downloader.total_concurrency


def test_a_loop_that_has_nothing_to_do_has_more_and_more() -> None:
    """The engine is told, as nothing else happens while all wait for slow hosts."""
    downloader = crawl(1.5, work=0.0)
    assert downloader.total_concurrency > START
    assert downloader.woken > 1


@pytest.mark.parametrize("name", ["AUTOTHROTTLE_ENABLED", "CONCURRENT_REQUESTS"])
def test_fixed_limits_stay(name: str) -> None:
    """Without AutoThrottle, and without a limit at all."""
    crawler: Any = get_crawler(Spider, {"AUTOTHROTTLE_ENABLED": True, name: 0})
    crawler.spider = SimpleNamespace(ledger=None)
    with pytest.raises(NotConfigured):
        build_from_crawler(LoopThrottle, crawler)
