"""The code of a spider, and the one row that it fills with one page or with several."""

import inspect
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple, get_type_hints

from scrapy import Request
from scrapy.exceptions import CloseSpider, NotSupported
from scrapy.http import Response, TextResponse
from scrapy.spidermiddlewares.httperror import HttpError
from scrapy.utils.misc import arg_to_iter
from twisted.python.failure import Failure

from urlcrawler.exceptions import ComponentError
from urlcrawler.extract.parsing import Parser, TooComplexError, select
from urlcrawler.failures import explain, raised
from urlcrawler.guard import Guard
from urlcrawler.items import Page, status_reason
from urlcrawler.meta import OF_A_RECORD, RECORD, SPENT, WAITED_FOR

logger = logging.getLogger(__name__)


class _WaitedFor(NamedTuple):
    """In the meta of a request: the page whose row waits for it, and what the spider gave it."""

    page: Page
    callback: Callable[..., Any]
    errback: Callable[..., Any] | None


@dataclass(slots=True)
class _Open:
    """A page without its row, and how many callbacks may still change it."""

    page: Page
    callbacks: int = 1


class Callbacks:
    """Runs what a spider has written: `parse_page`, and the callbacks that it leads to.

    What they raise ends in the row of their record, and none keeps the crawl waiting. A request
    that has the page among its `cb_kwargs` may add to it: the row is written when the last of
    these has come back, or has failed.
    """

    def __init__(self, spider: Any, parser: Parser) -> None:
        self._spider = spider
        self._parser = parser
        settings = spider.settings
        self._seconds = settings.getfloat("COMPONENT_TIMEOUT")
        # Records are parsed whatever their status is. For all else the rules of Scrapy hold.
        codes = settings.getlist("HTTPERROR_ALLOWED_CODES")
        self._statuses = getattr(spider, "handle_httpstatus_list", codes)
        self._open: dict[int, _Open] = {}
        self._logged: set[str] = set()  # kinds of exceptions

    def begin(self, page: Page) -> None:
        """Note that the row of *page* is not to be written before `end`."""
        self._open[page.position] = _Open(page)

    def end(self, page: Page) -> bool:
        """Note that a callback is done with *page*; return whether its row may be written now."""
        opened = self._open.get(page.position)
        if opened is None or opened.page is not page:
            return False  # the page was asked for once more
        opened.callbacks -= 1
        if not opened.callbacks:
            del self._open[page.position]
        return not opened.callbacks

    def give_up(self, position: int) -> Page | None:
        """Wait no longer for what the row of a record waits for; return its page, if it has one."""
        opened = self._open.pop(position, None)
        return opened.page if opened else None

    async def run(
        self, page: Page, code: Callable[..., Any], /, *args: Any, **values: Any
    ) -> AsyncIterator[Any]:
        """Yield what *code* of the spider yields, in whichever of the ways Scrapy allows.

        Raises:
            CloseSpider: it wants the crawl to end; the row is to be written all the same.
        """
        name = getattr(code, "__name__", type(code).__name__)
        guard = Guard(name, self._seconds)
        try:
            with guard:
                results = code(*args, **values)
            async for result in _each(results, guard):
                if isinstance(result, Request):
                    yield self._follow(result, page)
                elif result is not page:
                    yield result
        except CloseSpider:
            raise
        except Exception as error:
            # A selector on a PDF or an image finds nothing; that is no error of the page.
            no_text = not isinstance(args[0], TextResponse | Failure)
            if not (isinstance(error, NotSupported) and no_text):
                self.fail(page, error, name)
            if isinstance(error, ComponentError) and error.is_exit:
                raise CloseSpider("shutdown") from error

    async def parse(self, response: Response, /, **values: Any) -> AsyncIterator[Any]:
        """Yield what the callback of a request yields that a page waits for, and the page."""
        waited_for: _WaitedFor = response.meta[WAITED_FOR]
        page = waited_for.page
        stop: CloseSpider | None = None
        try:
            # Selectors answer at once meanwhile; see `extract.parsing`.
            async with self._parser.parsed(response, select):
                async for result in self.run(page, waited_for.callback, response, **values):
                    yield result
        except CloseSpider as request_to_stop:
            stop = request_to_stop
        except TooComplexError as problem:
            _note(waited_for, str(problem))
        if self.end(page):
            yield page
        if stop:
            raise stop

    async def errback(self, failure: Failure) -> AsyncIterator[Any]:
        """Yield the page, when nothing else is waited for, although a request has failed."""
        request: Request = failure.request  # type: ignore[attr-defined]
        waited_for: _WaitedFor = request.meta[WAITED_FOR]
        stop: CloseSpider | None = None
        if waited_for.errback is None:
            error: Any = failure.value
            is_status = isinstance(error, HttpError)
            reason = status_reason(error.response.status) if is_status else explain(error)[1]
            _note(waited_for, reason)
        else:
            try:
                async for result in self.run(waited_for.page, waited_for.errback, failure):
                    yield result
            except CloseSpider as request_to_stop:
                stop = request_to_stop
        if self.end(waited_for.page):
            yield waited_for.page
        if stop:
            raise stop

    def fail(self, page: Page, error: Exception, code: str) -> None:
        """Say in the row that *code* raised, and in the log the first time it does."""
        page.fail("extract", raised(code, error))
        kind = type(error.__cause__ if isinstance(error, ComponentError) else error).__name__
        first = kind not in self._logged
        self._logged.add(kind)
        logger.log(
            logging.ERROR if first else logging.DEBUG,
            "%(code)s raised %(kind)s on %(url)s (further ones are only in the table)",
            {"code": code, "kind": kind, "url": page.url},
            exc_info=error,
        )

    def _follow(self, request: Request, page: Page) -> Request:
        """Return a request of the spider's, as it is to be sent."""
        if WAITED_FOR in request.meta:  # a request of another callback, or this one, once more
            request = _unwrapped(request)
        meta, callback = request.meta, request.callback
        is_parse = callback is None or callback in (self._spider.parse, self._spider.callback)
        if is_parse and getattr(meta.get(RECORD), "position", 0) == page.position:
            self.give_up(page.position)  # the page once more: the row is that of what comes then
            meta.pop(SPENT, None)
            request.dont_filter = True
            return request
        if is_parse:
            raise ValueError(
                f"the request for {request.url} has no callback: name one, or yield "
                "get_retry_request(response.request, ...) to fetch the page of a record again"
            )
        for name in OF_A_RECORD if RECORD in meta else ():  # with `meta=response.meta`
            meta.pop(name, None)
        if "handle_httpstatus_all" not in meta:
            meta.setdefault("handle_httpstatus_list", self._statuses)
        if any(value is page for value in request.cb_kwargs.values()):
            self._open[page.position].callbacks += 1
            self._spider.ledger.take(page.position)
            assert callback is not None  # noqa: S101 - seen to above
            meta[WAITED_FOR] = _WaitedFor(page, callback, request.errback)
            request.callback, request.errback = self.parse, self.errback
            request.dont_filter = True  # other pages may need the same
        return request


def with_values(parse: Callable[..., Any], parse_page: Callable[..., Any]) -> Callable[..., Any]:
    """Return *parse* as it looks to libraries that give callbacks what they ask for.

    They (scrapy-poet, say) read the annotations of a callback, and put what these name into the
    `cb_kwargs` of its request. What `parse_page` asks for besides response and page is passed on.
    """
    names = [
        name
        for name, parameter in [*inspect.signature(parse_page).parameters.items()][2:]
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if not names:
        return parse
    hints: Mapping[str, Any] = {}
    with suppress(NameError):  # of a type that is there for type checkers only
        hints = get_type_hints(parse_page, include_extras=True)

    async def parse_with_values(response: Response, /, **values: Any) -> AsyncIterator[Any]:
        async for result in parse(response, **values):
            yield result

    parse_with_values.__module__ = parse.__module__
    parse_with_values.__annotations__ = {"response": Response} | {
        name: hints[name] for name in names if name in hints
    }
    parameters = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        for name in parse_with_values.__annotations__
    ]
    parse_with_values.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return parse_with_values


def _unwrapped(request: Request) -> Request:
    """Return *request* as the spider has made it."""
    request = request.copy()
    waited_for: _WaitedFor = request.meta.pop(WAITED_FOR)
    if getattr(request.callback, "__func__", None) is Callbacks.parse:
        request.callback = waited_for.callback
    if getattr(request.errback, "__func__", None) is Callbacks.errback:
        request.errback = waited_for.errback
    return request


def _note(waited_for: _WaitedFor, reason: str) -> None:
    """Say in the column `missing` that a callback was not called, and why."""
    name = getattr(waited_for.callback, "__name__", "a callback")
    waited_for.page.lacks(f"{name} ({reason})")


async def _each(results: Any, guard: Guard) -> AsyncIterator[Any]:
    """Yield what a callback returned, in whichever of the ways Scrapy allows."""
    if inspect.isawaitable(results):
        results = await guard.result(results)
    if hasattr(results, "__aiter__"):
        async for result in guard.steps(aiter(results), in_all=True):
            yield result
    elif results is not None:
        for result in guard.items(arg_to_iter(results)):
            yield result
