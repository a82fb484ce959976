"""Spiders and components that each lose a record in a way of their own."""

import asyncio
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urljoin

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider, DropItem, IgnoreRequest
from scrapy.exporters import JsonItemExporter
from scrapy.utils import trackref

from urlcrawler.demo import names
from urlcrawler.resolver import Resolver
from urlcrawler.spiders.base import UrlListSpider

VICTIM = "/page/victim"


def is_victim(thing: Any) -> bool:
    return VICTIM in thing.url


class DropsInPipeline:
    def process_item(self, item: Any) -> Any:
        if is_victim(item):
            raise DropItem("not wanted")
        return item


class RaisesInPipeline:
    def process_item(self, item: Any) -> Any:
        if is_victim(item):
            raise ValueError("broken pipeline")
        return item


class ReturnsNothing:
    def process_item(self, item: Any) -> Any:
        return None if is_victim(item) else item


class DropsRow:
    def process_item(self, item: Any) -> Any:
        if VICTIM in item["url"]:
            raise DropItem("not wanted")
        return item


class RaisesInRequest:
    def process_request(self, request: Request) -> None:
        if is_victim(request):
            raise ValueError("broken middleware")


class RaisesInResponse:
    def process_response(self, request: Request, response: Any) -> Any:
        if is_victim(request):
            raise ValueError("broken middleware")
        return response


class Ignores:
    def process_request(self, request: Request) -> None:
        if is_victim(request):
            raise IgnoreRequest("not today")


class ForgetsMeta:
    def process_request(self, request: Request) -> Request | None:
        if is_victim(request) and "record" in request.meta:
            return Request(request.url, dont_filter=True)
        return None


class Filters:
    """Replaces the request by one that the duplicate filter throws away."""

    def process_response(self, request: Request, response: Any) -> Any:
        if is_victim(request) and not request.meta.get("again"):
            meta = {**request.meta, "again": True}
            return request.replace(url=request.url.replace("victim", "1"), meta=meta)
        return response


class RaisesOnInput:
    def process_spider_input(self, response: Any) -> None:
        if is_victim(response):
            raise ValueError("broken middleware")


class RaisesOnOutput:
    async def process_spider_output(
        self, response: Any, result: AsyncIterator[Any]
    ) -> AsyncIterator[Any]:
        if is_victim(response):
            raise ValueError("broken middleware")
        async for each in result:
            yield each


class SwallowsOutput:
    async def process_spider_output(
        self, response: Any, result: AsyncIterator[Any]
    ) -> AsyncIterator[Any]:
        async for each in result:
            if not is_victim(response):
                yield each


class Raises(UrlListSpider):
    name = "raises"

    def parse_page(self, response: Any, page: Any) -> None:
        if is_victim(response):
            raise ValueError("broken callback")


class RaisesInGenerator(UrlListSpider):
    name = "raises_in_generator"

    def parse_page(self, response: Any, page: Any) -> Iterable[Any]:
        yield {"another": "item"}
        if is_victim(response):
            raise ValueError("broken callback")


class RaisesInCoroutine(UrlListSpider):
    name = "raises_in_coroutine"

    async def parse_page(self, response: Any, page: Any) -> None:
        await asyncio.sleep(0)
        if is_victim(response):
            raise ValueError("broken callback")


class Cancels(UrlListSpider):
    name = "cancels"

    async def parse_page(self, response: Any, page: Any) -> None:
        if is_victim(response):
            raise asyncio.CancelledError


class Exits(UrlListSpider):
    name = "exits"

    def parse_page(self, response: Any, page: Any) -> None:
        if is_victim(response):
            raise SystemExit(3)


class Interrupts(UrlListSpider):
    name = "interrupts"

    def parse_page(self, response: Any, page: Any) -> None:
        if is_victim(response):
            raise KeyboardInterrupt


class Closes(UrlListSpider):
    name = "closes"

    def parse_page(self, response: Any, page: Any) -> None:
        if is_victim(response):
            raise CloseSpider("enough")


class InventsAnOutcome(UrlListSpider):
    name = "invents"

    def parse_page(self, response: Any, page: Any) -> None:
        if is_victim(page):
            page.outcome = "sold-out"


class SetsWhatNoFileHolds(UrlListSpider):
    name = "sets"

    def parse_page(self, response: Any, page: Any) -> None:
        if is_victim(page):
            page.title = {("a", "b"): 1}


class WritesToAPath(UrlListSpider):
    name = "path"
    custom_settings: ClassVar[Any] = {"FEEDS": {Path("table.csv"): {"format": "csv"}}}


class RaisesInErrback(UrlListSpider):
    name = "raises_in_errback"

    def errback(self, failure: Any) -> Iterable[Any]:
        raise ValueError("broken errback")


class CannotBuild(UrlListSpider):
    name = "cannot_build"

    def request_for(self, record: Any, target: Any) -> Request:
        if is_victim(record):
            raise ValueError("broken request")
        return super().request_for(record, target)


class YieldsTwice(UrlListSpider):
    name = "yields_twice"

    def parse_page(self, response: Any, page: Any) -> Iterable[Any]:
        yield page
        yield type(page)(page.position, page.url, outcome="ok")


class OverridesParse(UrlListSpider):
    name = "overrides_parse"

    def parse(self, response: Any) -> Iterable[Any]:  # type: ignore[override]
        yield {"url": response.url}


class ExporterWithoutEnd(JsonItemExporter):
    """Fails when all rows are written, which Scrapy tells to nobody."""

    def finish_exporting(self) -> None:
        raise ValueError("no end")


class BrokenExporter(JsonItemExporter):
    """Fails on one row, which Scrapy only logs."""

    def export_item(self, item: Any) -> None:
        if VICTIM in item["url"]:
            raise OSError("no room for this row")
        super().export_item(item)


class LiveRequests:
    """Keeps the highest number of requests that are alive at the same time."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "LiveRequests":
        extension = cls(crawler)
        crawler.signals.connect(extension.item_scraped, signals.item_scraped)
        crawler.signals.connect(extension.spider_closed, signals.spider_closed)
        return extension

    def item_scraped(self) -> None:
        gc.collect()  # what only waits for the collector is not alive
        self.crawler.stats.max_value("live", len(trackref.live_refs[Request]))

    def spider_closed(self) -> None:
        logging.getLogger(__name__).warning(
            "live requests: %(live)s", {"live": self.crawler.stats.get_value("live")}
        )


class Ordinary(Spider):
    name = "ordinary"

    def __init__(self, root: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start_urls = [root]

    def parse(self, response: Any) -> Iterable[Any]:
        yield {"title": response.css("title::text").get()}


class Passes:
    def process_item(self, item: Any) -> Any:
        return item


class HasAPipeline(UrlListSpider):
    name = "has_a_pipeline"
    custom_settings: ClassVar[dict[str, Any]] = {
        "ITEM_PIPELINES": {"saboteurs.Passes": 300},
        "DOWNLOADER_MIDDLEWARES": {"saboteurs.Ignores": 300},
    }


class ExitsWhileBuilding(UrlListSpider):
    name = "exits_while_building"

    def request_for(self, record: Any, target: Any) -> Request:
        if is_victim(record):
            raise SystemExit(3)
        return super().request_for(record, target)


class Unaccounted:
    """Takes the ledger its memory of what was handed out."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Unaccounted":
        crawler.spider.ledger.hand_out = lambda position: None  # type: ignore[union-attr]
        return cls()


class Blocks:
    """Lets the event loop stand still for a minute."""

    def process_response(self, request: Request, response: Any) -> Any:
        if "victim" in request.url:
            time.sleep(60)
        return response


class OpensSlowly:
    """A pipeline that waits for something before the first request."""

    async def open_spider(self) -> None:
        print("opening", file=sys.stderr, flush=True)
        await asyncio.sleep(60)


class DoesNotAdjust:
    """Keeps every answer from the throttle."""

    def process_request(self, request: Request) -> None:
        request.meta["autothrottle_dont_adjust_delay"] = True


class TellingResolver(Resolver):
    """Says what it asks the system for; there is no answer for `never.*`."""

    def __init__(self, reactor: Any, **kwargs: Any) -> None:
        super().__init__(reactor, **kwargs)
        system = self._system

        class System:
            def resolveHostName(self, receiver: Any, name: str, *args: Any) -> Any:  # noqa: N802
                print(f"asked for {name}", flush=True)
                if name.startswith("never."):
                    return None
                if name.endswith(".demo.test"):
                    name = names.address_of(name)
                return system.resolveHostName(receiver, name, *args)

        self._system = System()


class SwallowsProbes:
    """Raises on what is asked for a second time."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def process_response(self, request: Request, response: Any) -> Any:
        if request.url in self._seen and "download_timeout" in request.meta:
            raise ValueError("not again")
        self._seen.add(request.url)
        return response


class DownloadsAgain(UrlListSpider):
    """Downloads what always fails, with the meta of its record, and waits for it."""

    name = "downloads_again"

    async def parse_page(self, response: Any, page: Any) -> None:
        engine: Any = self.crawler.engine
        url = response.urljoin("/status/500")
        answer = await engine.download_async(response.request.replace(url=url))
        page.title = str(answer.status)


class AsksElsewhere(UrlListSpider):
    """Follows each page with a request of its own to another host."""

    name = "asks_elsewhere"
    arguments: ClassVar[dict[str, str]] = {"elsewhere": "URL of the other host"}

    def parse_page(self, response: Any, page: Any) -> Iterable[Any]:
        yield Request(self.elsewhere, callback=self.other, dont_filter=True)  # type: ignore[attr-defined]

    def other(self, response: Any) -> None:
        """Take no notice of it."""


class Rebinding(names.DemoResolver):
    """Has another address for `rebinding.demo.test` each time: an allowed one, a refused one."""

    def __init__(self, reactor: Any, **kwargs: Any) -> None:
        super().__init__(reactor, **(kwargs | {"size": 0}))
        self._count = 0

    def resolveHostName(self, receiver: Any, name: str, *args: Any, **kwargs: Any) -> Any:  # noqa: N802
        if name == "rebinding.demo.test":
            self._count += 1
            name = "127.0.0.1" if self._count % 2 == 0 else names.shop(1)
        return super().resolveHostName(receiver, name, *args, **kwargs)


class WorksHard(UrlListSpider):
    """Does not wait, but works, for a good second."""

    name = "works_hard"

    def parse_page(self, response: Any, page: Any) -> None:
        time.sleep(1.3)


class AddsAHeader(UrlListSpider):
    """Sends what the pages are not given without."""

    name = "adds_a_header"

    def request_for(self, record: Any, target: Any) -> Request:
        return super().request_for(record, target).replace(headers={"X-Key": "1"})


class ChoosesASlot(UrlListSpider):
    """Puts all requests into a slot of its own name."""

    name = "chooses_a_slot"

    def request_for(self, record: Any, target: Any) -> Request:
        request = super().request_for(record, target)
        request.meta["download_slot"] = "mine"
        return request


class WatchesTheLoop:
    """Says at the end for how long nothing else could happen, and how much memory there was.

    Time in which this process had no processor is that of the machine, and does not count.
    """

    def __init__(self, crawler: Any) -> None:
        self._longest = 0.0
        crawler.signals.connect(self.engine_started, signals.engine_started)
        crawler.signals.connect(self.spider_closed, signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Any) -> "WatchesTheLoop":
        return cls(crawler)

    async def _watch(self) -> None:
        while True:
            began, used = time.monotonic() + 0.01, time.process_time()
            await asyncio.sleep(0.01)
            blocked = min(time.monotonic() - began, time.process_time() - used)
            self._longest = max(self._longest, blocked)

    def engine_started(self) -> None:
        self._task = asyncio.ensure_future(self._watch())

    def spider_closed(self) -> None:
        self._task.cancel()
        status = Path("/proc/self/status").read_text(encoding="ascii")
        memory = int(status.split("VmHWM:")[1].split()[0]) // 1024
        logging.getLogger(__name__).warning(
            "the loop was blocked for %.2f s at most, and the process has had %d MB",
            self._longest,
            memory,
        )


class Dies(UrlListSpider):
    """Ends its process with the first page."""

    name = "dies"

    def parse_page(self, response: Any, page: Any, *args: Any, **kwargs: Any) -> None:
        os._exit(9)


class DiesThere(UrlListSpider):
    """Ends its process with one page."""

    name = "dies_there"

    def parse_page(self, response: Any, page: Any, *args: Any, **kwargs: Any) -> None:
        if is_victim(response):
            os._exit(9)


class KillsItsParent(UrlListSpider):
    """Ends the process that has started its own, with one page."""

    name = "kills_its_parent"

    def parse_page(self, response: Any, page: Any, *args: Any, **kwargs: Any) -> None:
        if is_victim(response):
            os.kill(os.getppid(), signal.SIGKILL)
            os._exit(9)


class FetchesToken:
    """A downloader middleware that downloads something for each request, as one that logs in."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "FetchesToken":
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        if "/token" not in request.url and "robots.txt" not in request.url:
            engine: Any = self.crawler.engine
            token = Request(urljoin(request.url, "/token"), dont_filter=True)
            await engine.download_async(token)
