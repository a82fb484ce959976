"""The guards around components of others, in the places where Scrapy calls them.

Each test goes through Scrapy's own managers, so it fails when Scrapy calls them in another way.
"""

import asyncio
import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Request, Spider, signals
from scrapy.core.downloader.middleware import DownloaderMiddlewareManager
from scrapy.core.scraper import Scraper
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.exceptions import ScrapyDeprecationWarning
from scrapy.http import Response
from scrapy.pipelines import ItemPipelineManager
from scrapy.utils.misc import build_from_crawler
from scrapy.utils.test import get_crawler
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from urlcrawler.exceptions import ComponentError
from urlcrawler.extensions.guards import OURS, Guards
from urlcrawler.spiders import wiring

PAGE = Request("http://shop.test/")
DOWNLOADER, SPIDER, PIPELINE = "DOWNLOADER_MIDDLEWARES", "SPIDER_MIDDLEWARES", "ITEM_PIPELINES"


def exits(self: Any, *args: Any, **kwargs: Any) -> Any:
    raise SystemExit


def exits_later(self: Any, *args: Any, **kwargs: Any) -> Any:
    yield "an item"
    raise SystemExit


async def cancels(self: Any, *args: Any, **kwargs: Any) -> Any:
    raise asyncio.CancelledError


async def cancels_later(self: Any, *args: Any, **kwargs: Any) -> Any:
    yield "an item"
    raise asyncio.CancelledError


async def waits(self: Any, *args: Any, **kwargs: Any) -> Any:
    await asyncio.Event().wait()


async def waits_later(self: Any, *args: Any, **kwargs: Any) -> Any:
    yield "an item"
    await asyncio.Event().wait()


async def download(engine: Any) -> None:
    """Send a request through the downloader middlewares; `fail` says how it ends."""

    async def fetch(request: Request) -> Response:
        if engine.fails:
            raise ValueError
        return Response(request.url, request=request)

    await engine.downloader.middleware.download_async(fetch, PAGE)


async def scrape(engine: Any) -> None:
    """Send a response through the spider middlewares to a callback, and read what comes out."""

    async def call(result: Response | Failure, request: Request) -> Any:
        if isinstance(result, Failure):
            result.raiseException()
        if engine.fails:
            raise ValueError
        return []

    answer = Response(PAGE.url, request=PAGE)
    async for _ in await engine.scraper.spidermw.scrape_response_async(call, answer, PAGE):
        pass


async def process(engine: Any) -> Any:
    """Send an item through the pipelines."""
    return await engine.scraper.itemproc.process_item_async("an item")


async def close(engine: Any) -> Any:
    await engine.scraper.itemproc.close_spider_async()


METHODS = [
    # setting, method, what it does, what calls it, how that may end
    (DOWNLOADER, "process_request", exits, download, "raised SystemExit"),
    (DOWNLOADER, "process_request", waits, download, "took longer"),
    (DOWNLOADER, "process_response", cancels, download, "raised CancelledError"),
    (DOWNLOADER, "process_response", waits, download, "took longer"),
    (DOWNLOADER, "process_exception", exits, download, "raised SystemExit"),
    (DOWNLOADER, "process_exception", waits, download, "took longer"),
    (SPIDER, "process_spider_input", exits, scrape, "raised SystemExit"),
    (SPIDER, "process_spider_output", cancels_later, scrape, "raised CancelledError"),
    (SPIDER, "process_spider_output", waits_later, scrape, "took longer"),
    (SPIDER, "process_spider_exception", exits, scrape, "raised SystemExit"),
    (SPIDER, "process_spider_exception", exits_later, scrape, "raised SystemExit"),
    (SPIDER, "process_spider_exception", waits_later, scrape, "took longer"),
    (PIPELINE, "process_item", cancels, process, "raised CancelledError"),
    (PIPELINE, "process_item", waits, process, "took longer"),
    (PIPELINE, "close_spider", exits, close, "raised SystemExit"),
]


def component(**methods: Any) -> type:
    return type("Shop", (), methods)


def engine_with(*components: tuple[str, Any], fails: bool = False, **settings: Any) -> Any:
    """Return the parts of an engine that Scrapy builds for these components, guarded."""
    wanted: dict[str, Any] = {
        "TWISTED_REACTOR_ENABLED": False,
        "LOGSTATS_INTERVAL": 0,
        "COMPONENT_TIMEOUT": 0.05,
    }
    for setting, cls in components:
        wanted.setdefault(setting, {})[cls] = 50
    crawler = get_crawler(settings_dict={**wanted, **settings})
    crawler.spider = crawler._create_spider("shop")
    crawler.spider.ledger = None  # type: ignore[attr-defined]
    middleware = build_from_crawler(DownloaderMiddlewareManager, crawler)
    crawler.engine = engine = SimpleNamespace(  # type: ignore[assignment]
        spider=crawler.spider,
        downloader=SimpleNamespace(middleware=middleware),
        scraper=Scraper(crawler),
        fails=fails,
        stopped=[],
    )

    async def close_spider_async(reason: str) -> None:
        engine.stopped.append(reason)

    engine.close_spider_async = close_spider_async
    engine.crawler = crawler
    engine.guards = build_from_crawler(Guards, crawler)
    opened = crawler.signals.send_catch_log(signals.spider_opened, spider=crawler.spider)
    assert [result for _, result in opened if isinstance(result, Failure)] == []
    return engine


def run(crawl: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call `crawl(engine)` in an event loop, and return the engine and the result."""

    async def main() -> Any:
        engine = engine_with(*args, **kwargs)
        return engine, await crawl(engine)

    return asyncio.run(main())


@pytest.mark.parametrize(("setting", "name", "does", "crawl", "words"), METHODS)
def test_each_method_of_a_component_is_guarded(
    setting: str, name: str, does: Any, crawl: Any, words: str
) -> None:
    """It ends in time, and in an exception that Scrapy handles."""
    shop = component(**{name: does})
    with pytest.raises(ComponentError, match=f"^Shop.{name} {words}"):
        run(crawl, (setting, shop), fails=name.endswith("exception"))


def test_an_exit_closes_the_spider_once() -> None:
    """What is under way is finished, as after Ctrl-C."""

    async def crawl(engine: Any) -> None:
        for _ in range(2):
            with pytest.raises(ComponentError):
                await process(engine)
        await asyncio.sleep(0)

    engine, _ = run(crawl, (PIPELINE, component(process_item=exits)))
    assert engine.stopped == ["shutdown"]


def test_close_spider_may_take_its_time() -> None:
    """A pipeline may upload at the end what it has gathered."""

    async def uploads(self: Any) -> None:
        await asyncio.sleep(0.2)

    run(close, (PIPELINE, component(close_spider=uploads)))


def test_a_method_that_wants_the_spider_still_gets_it() -> None:
    """Scrapy knows such methods by identity, and warns of them only."""

    def wants(self: Any, item: Any, spider: Spider) -> Any:
        return spider.name

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScrapyDeprecationWarning)
        _, result = run(process, (PIPELINE, component(process_item=wants)))
    assert result == "shop"


def test_a_deferred_is_guarded_too() -> None:
    """Scrapy says of the component that they are deprecated, and they work."""

    def succeeds(self: Any, item: Any) -> Any:
        return succeed("value")

    def hangs(self: Any, item: Any) -> Any:
        return Deferred()

    async def crawl(engine: Any) -> None:
        with pytest.raises(ComponentError, match="took longer"):
            await process(engine)

    with pytest.warns(ScrapyDeprecationWarning, match="succeeds returned a Deferred"):
        assert run(process, (PIPELINE, component(process_item=succeeds)))[1] == "value"
    with pytest.warns(ScrapyDeprecationWarning, match="hangs returned a Deferred"):
        run(crawl, (PIPELINE, component(process_item=hangs)))


def test_components_of_scrapy_stay_as_they_are() -> None:
    """A crawl without components of others pays nothing; one that inherits from Scrapy's is one."""

    class Again(RetryMiddleware):
        pass

    async def methods(engine: Any) -> Any:
        managers = [engine.downloader.middleware, engine.scraper.spidermw, engine.scraper.itemproc]
        return [
            method
            for manager in managers
            for found in manager.methods.values()
            for method in found
            if method and not hasattr(method, "__self__")
        ]

    assert run(methods)[1] == []
    assert [method.__name__ for method in run(methods, (DOWNLOADER, Again))[1]] == [
        "process_response",
        "process_exception",
    ]


def test_what_wiring_puts_in_is_known_to_end() -> None:
    """Ours are called for every page and are not guarded."""
    wired = [path for paths in wiring._COMPONENTS.values() for path in paths]
    assert {path for path in wired if path.startswith("urlcrawler.")} == OURS


def test_an_item_processor_of_another_kind_is_left_alone() -> None:
    """ITEM_PROCESSOR may be any class; one without `methods` has nothing to guard."""

    class Processor:
        async def open_spider_async(self) -> None: ...

        async def process_item_async(self, item: Any) -> Any:
            return item

        async def close_spider_async(self) -> None: ...

    assert not issubclass(Processor, ItemPipelineManager)
    assert run(process, ITEM_PROCESSOR=Processor)[1] == "an item"


def test_a_callback_for_a_request_of_the_spiders_own_is_guarded() -> None:
    """So is an errback; UrlListSpider.parse guards parse_page itself."""

    def parse_more(response: Response) -> Any:
        yield from exits_later(None)

    async def failed(failure: Failure) -> Any:
        await asyncio.Event().wait()

    async def crawl(engine: Any) -> None:
        request = PAGE.replace(callback=parse_more, errback=failed)
        answer = Response(PAGE.url, request=request)
        with pytest.raises(ComponentError, match=r"^parse_more raised SystemExit"):
            list(await engine.scraper.call_spider_async(answer, request))
        with pytest.raises(ComponentError, match=r"^failed took longer"):
            await engine.scraper.call_spider_async(Failure(ValueError()), request)

    run(crawl)


@pytest.mark.parametrize("signal", ["item_scraped", "spider_idle", "response_downloaded"])
@pytest.mark.parametrize("kind", [asyncio.CancelledError, SystemExit])
def test_a_handler_of_a_signal_is_guarded(signal: str, kind: type[BaseException]) -> None:
    """It fails like one that raises ValueError, and those behind it are called."""
    called = []

    def fails() -> None:
        raise kind

    def works() -> None:
        called.append(signal)

    async def crawl(engine: Any) -> None:
        for handler in (fails, works):
            engine.crawler.signals.connect(handler, getattr(signals, signal))
        engine.crawler.signals.send_catch_log(getattr(signals, signal))
        await engine.crawler.signals.send_catch_log_async(getattr(signals, signal))

    engine, _ = run(crawl)
    assert called == [signal, signal]
    assert engine.stopped == (["shutdown"] if kind is SystemExit else [])


def test_another_crawl_keeps_its_signals() -> None:
    """Guards are for the crawl of a list; an ordinary spider beside it fails as Scrapy has it."""

    def fails() -> None:
        raise KeyboardInterrupt

    async def crawl(engine: Any) -> None:
        other = get_crawler(settings_dict={"TWISTED_REACTOR_ENABLED": False})
        other.signals.connect(fails, signals.spider_idle)
        with pytest.raises(KeyboardInterrupt):
            other.signals.send_catch_log(signals.spider_idle)

    run(crawl)
