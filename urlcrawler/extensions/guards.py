"""Components of others: each ends in time, in an Exception at worst. `urlcrawler.guard` says why.

Scrapy has no seam around the calls of components. Its managers of middlewares and pipelines look
every method up in their `methods`, the scraper runs callbacks through its `call_spider_async`, and
signals reach their handlers through one function that `scrapy.utils.signal` imports. None of the
three is meant to be replaced, and there is no other place: a middleware of our own cannot catch
what the ones around it raise, and what hangs Scrapy never comes back to it.
`tests/extensions/test_guards.py` fails when Scrapy changes one of them.
"""

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from functools import wraps
from typing import Any
from weakref import WeakValueDictionary

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.utils import signal as scrapy_signal
from scrapy.utils.defer import deferred_from_coro, maybe_deferred_to_future
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from urlcrawler.guard import Guard

logger = logging.getLogger(__name__)

# Called for every page, and known to end. The project's other classes may be anybody's.
OURS = {
    "urlcrawler.extensions.accounting.Accounting",
    "urlcrawler.extensions.cleanlogs.CleanLogs",
    "urlcrawler.extensions.feedcheck.FeedCheck",
    "urlcrawler.extensions.gates.Gates",
    "urlcrawler.extensions.guards.Guards",
    "urlcrawler.extensions.leash.Leash",
    "urlcrawler.extensions.loopthrottle.LoopThrottle",
    "urlcrawler.extensions.progress.Progress",
    "urlcrawler.extensions.statsfile.StatsFile",
    "urlcrawler.extensions.summary.Summary",
    "urlcrawler.extensions.throttle.HostThrottle",
    "urlcrawler.extensions.usage.HostUsage",
    "urlcrawler.extensions.watchdog.Watchdog",
    "urlcrawler.middlewares.backoff.Backoff",
    "urlcrawler.middlewares.conditional.Conditional",
    "urlcrawler.middlewares.cookies.Cookies",
    "urlcrawler.middlewares.decompression.Decompression",
    "urlcrawler.middlewares.encoding.KnownEncoding",
    "urlcrawler.middlewares.hostheaders.HostHeaders",
    "urlcrawler.middlewares.redirect.Redirect",
    "urlcrawler.middlewares.render.Render",
    "urlcrawler.middlewares.robots.Robots",
    "urlcrawler.middlewares.start.Start",
    "urlcrawler.pipelines.Flatten",
}


class Guards:
    """Guard what is neither Scrapy's nor ours: methods, callbacks, handlers of signals.

    What they raise becomes the row of the record, or a line of the log; after SystemExit or
    KeyboardInterrupt the crawl stops as after Ctrl-C. Scrapy's own components pay nothing.
    """

    def __init__(self, crawler: Crawler, seconds: float) -> None:
        self.crawler = crawler
        self.seconds = seconds
        self._stopping: asyncio.Future[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Guards":
        """Connect to the signals; ordinary spiders keep Scrapy as it is."""
        if not hasattr(crawler.spider, "ledger"):
            raise NotConfigured("the spider reads no list.")
        guards = cls(crawler, crawler.settings.getfloat("COMPONENT_TIMEOUT"))
        crawler.signals.connect(guards.spider_opened, signals.spider_opened)
        _guards[id(crawler)] = guards
        _senders.robustApply = _call_guarded
        return guards

    def spider_opened(self) -> None:
        """Put the guards in place, before the first request."""
        engine: Any = self.crawler.engine
        managers: list[Any] = [engine.scraper.spidermw, engine.scraper.itemproc]
        for manager in [getattr(engine.downloader, "middleware", None), *managers]:
            for name, (unlimited, wrap) in _METHODS.items():
                methods = getattr(manager, "methods", {}).get(name, ())
                seconds = None if unlimited else self.seconds
                for place, method in enumerate(methods):
                    if method is None or _is_known(method):
                        continue
                    if name == "process_spider_output" and seconds:
                        # A step includes those of the callback and of the middlewares inside,
                        # each of which has its own time: the one that hangs is blamed.
                        seconds += self.seconds
                    guard = Guard(_name_of(method, name), seconds, self.stop)
                    guarded = _guarded(method, guard, wrap)
                    if method in manager._mw_methods_requiring_spider:
                        manager._mw_methods_requiring_spider.add(guarded)
                    methods[place] = guarded
        engine.scraper.call_spider_async = self._guarded_callbacks(engine.scraper.call_spider_async)

    def _guarded_callbacks(self, call_spider: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call_spider)
        async def call_spider_async(result: Any, request: Any) -> Any:
            if isinstance(result, Failure):
                code = request.errback
            else:
                code = (result.request or request).callback
            if getattr(code, "__module__", None) in _GUARDED:
                return await call_spider(result, request)
            guard = Guard(_name_of(code), self.seconds, self.stop)
            return _iterated(guard, await guard.result(call_spider(result, request)))

        return call_spider_async

    def call_handler(self, handler: Any, *args: Any, signal: object, **kwargs: Any) -> Any:
        """Return what the *handler* of a signal returns."""
        guard = Guard(
            _name_of(handler), self.seconds if signal in _ABOUT_ITEMS else None, self.stop
        )
        with guard:
            result = _call_handler(handler, *args, signal=signal, **kwargs)
        return _awaited(guard, result)

    def stop(self, why: str) -> None:
        """Close the spider, as Ctrl-C does: what is under way is finished."""
        engine = self.crawler.engine
        if engine.spider and not self._stopping:
            logger.error(
                "The crawl stops, because %(why)s. To go on, run the same command again",
                {"why": why},
            )
            self._stopping = asyncio.ensure_future(engine.close_spider_async(reason="shutdown"))


def _guarded(
    method: Callable[..., Any], guard: Guard, wrap: Callable[[Guard, Any], Any]
) -> Callable[..., Any]:
    @wraps(method)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        with guard:
            result = method(*args, **kwargs)
        return wrap(guard, result)

    return guarded


def _called(guard: Guard, result: Any) -> Any:
    return result


def _awaited(guard: Guard, result: Any) -> Any:
    if isinstance(result, Deferred):  # Scrapy is to see one, and say that they are deprecated
        return deferred_from_coro(guard.result(maybe_deferred_to_future(result)))
    return guard.result(result) if inspect.isawaitable(result) else result


def _iterated(guard: Guard, result: Any) -> Any:
    if isinstance(result, AsyncIterator):
        return guard.steps(result)
    return guard.items(result) if isinstance(result, Iterable) else result


# Name in `methods`: whether it may take any time, and what guards the thing that it returns.
_METHODS: dict[str, tuple[bool, Callable[[Guard, Any], Any]]] = {
    "process_request": (False, _awaited),
    "process_response": (False, _awaited),
    "process_exception": (False, _awaited),
    "process_spider_input": (False, _called),
    "process_spider_output": (False, _iterated),
    "process_spider_exception": (False, _iterated),
    "process_item": (False, _awaited),
    "close_spider": (True, _awaited),  # it may upload what it has gathered
}
# Scrapy waits for the handlers of these. Those of the beginning and the end may take their time.
_ABOUT_ITEMS = (signals.item_scraped, signals.item_dropped, signals.item_error)
# Their callbacks guard what they call.
_GUARDED = (None, "urlcrawler.spiders.base", "urlcrawler.spiders.callbacks")

_senders: Any = scrapy_signal
_call_handler: Callable[..., Any] = _senders.robustApply
_guards: WeakValueDictionary[int, Guards] = WeakValueDictionary()


def _call_guarded(handler: Any, *args: Any, **kwargs: Any) -> Any:
    """Call the handler of a signal; those of others under the guards of their crawler.

    Behind `Spider.close`, which is Scrapy's, is the `closed` of a spider.
    """
    guards = _guards.get(id(kwargs["sender"]))
    if guards is None or (kwargs["signal"] is not signals.spider_closed and _is_known(handler)):
        return _call_handler(handler, *args, **kwargs)
    return guards.call_handler(handler, *args, **kwargs)


def _is_known(code: Any) -> bool:
    """Return whether a method, or a function, is Scrapy's or ours. Others may inherit theirs."""
    owner = type(code.__self__) if hasattr(code, "__self__") else code
    module = getattr(owner, "__module__", "")
    return module.startswith("scrapy.") or f"{module}.{getattr(owner, '__qualname__', '')}" in OURS


def _name_of(code: Any, name: str = "") -> str:
    name = name or getattr(code, "__name__", type(code).__name__)
    return f"{type(code.__self__).__name__}.{name}" if hasattr(code, "__self__") else name
