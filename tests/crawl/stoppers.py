"""Spiders and components whose code ends in no Exception, or never.

Each method does so on the page that is named after it: `/page/process_item` and so on. The setting
STOPPER names what is raised.
"""

import asyncio
import builtins
from collections.abc import AsyncIterator, Iterable
from typing import Any

from scrapy import Request, signals
from scrapy.crawler import Crawler

from urlcrawler.spiders.base import UrlListSpider


def stops(name: str, url: str) -> bool:
    return url.partition("?")[0].endswith(f"/page/{name}")


class Stopper:
    """A component of any kind."""

    def __init__(self, crawler: Crawler) -> None:
        self.how = crawler.settings["STOPPER"]

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Stopper":
        return cls(crawler)

    def stop(self, name: str, thing: Any) -> None:
        if stops(name, thing.url):
            raise exception(self.how)


class Downloader(Stopper):
    def process_request(self, request: Request) -> None:
        self.stop("process_request", request)

    def process_response(self, request: Request, response: Any) -> Any:
        self.stop("process_response", request)
        return response


class Spider(Stopper):
    def process_spider_input(self, response: Any) -> None:
        self.stop("process_spider_input", response)

    async def process_spider_output(
        self, response: Any, result: AsyncIterator[Any]
    ) -> AsyncIterator[Any]:
        self.stop("process_spider_output", response)
        async for each in result:
            yield each


class Pipeline(Stopper):
    def process_item(self, item: Any) -> Any:
        self.stop("process_item", item)
        return item


class Handler(Stopper):
    """An extension: the setting STOPPER_SIGNALS names what it listens to."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Handler":
        extension = cls(crawler)
        for name in crawler.settings.getlist("STOPPER_SIGNALS"):
            crawler.signals.connect(extension.handler, getattr(signals, name))
        return extension

    def handler(self) -> None:
        raise exception(self.how)


class Later(Handler):
    """Stops the event loop from a callback that it has given to it."""

    def handler(self) -> None:
        asyncio.get_running_loop().call_soon(super().handler)


class SlowDownloader:
    async def process_request(self, request: Request) -> None:
        if stops("process_request", request.url):
            await asyncio.Event().wait()

    async def process_response(self, request: Request, response: Any) -> Any:
        if stops("process_response", request.url):
            await asyncio.Event().wait()
        return response


class SlowSpider:
    async def process_spider_output(
        self, response: Any, result: AsyncIterator[Any]
    ) -> AsyncIterator[Any]:
        async for each in result:
            if stops("process_spider_output", response.url):
                await asyncio.Event().wait()
            yield each


class SlowPipeline:
    async def process_item(self, item: Any) -> Any:
        if stops("process_item", item.url):
            await asyncio.Event().wait()
        return item


class Forgets:
    """Loses a page, and takes its time for other items."""

    async def process_item(self, item: Any) -> Any:
        if isinstance(item, dict):
            await asyncio.sleep(0.2)
        elif stops("forgotten", item.url):
            return None
        return item


class SlowHandler(Handler):
    async def handler(self, item: Any) -> None:  # type: ignore[override]
        if stops("item_scraped", item["url"]):
            await asyncio.Event().wait()


class Slow(UrlListSpider):
    """Its own code waits for ever, in each of the ways in which it can."""

    name = "slow"

    def parse_page(self, response: Any, page: Any) -> Any:
        if stops("coroutine", response.url):
            return asyncio.Event().wait()
        if stops("generator", response.url):
            return self._forever()
        if stops("callback", response.url):
            return [Request(f"{response.url}?more", callback=self.parse_more, dont_filter=True)]
        return [{}] * 9 if stops("items", response.url) else None

    async def _forever(self) -> AsyncIterator[Any]:
        while True:
            await asyncio.sleep(0.1)
            yield None

    async def parse_more(self, response: Any) -> None:
        await asyncio.Event().wait()


class StopsOutside(UrlListSpider):
    """Its own code raises where `parse_page` is not."""

    name = "stops_outside"

    async def start(self) -> AsyncIterator[Any]:
        async for each in super().start():
            yield each
        raise exception(self.settings["STOPPER"])

    def parse_page(self, response: Any, page: Any) -> Iterable[Any]:
        if stops("callback", response.url):
            yield Request(f"{response.url}?more", callback=self.parse_more, dont_filter=True)

    def parse_more(self, response: Any) -> None:
        raise exception(self.settings["STOPPER"])

    def errback(self, failure: Any) -> Iterable[Any]:
        raise exception(self.settings["STOPPER"])


def exception(name: str) -> BaseException:
    if name == "CancelledError":
        return asyncio.CancelledError()
    kind: type[BaseException] = getattr(builtins, name)
    return kind(0)
