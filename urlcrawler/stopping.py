"""Ends a crawl from within, as Ctrl-C does: what is under way is finished."""

import asyncio

from scrapy.crawler import Crawler


def stop(crawler: Crawler, reason: str) -> None:
    """Close the spider with a *reason*, unless it is closed already."""
    engine = crawler.engine
    if engine and engine.spider:
        closing = engine.close_spider_async(reason=reason)
        asyncio.ensure_future(closing)  # noqa: RUF006 - the engine keeps it
