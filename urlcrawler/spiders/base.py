"""The base of every spider that crawls a list."""

import asyncio
import inspect
import logging
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider, NotSupported
from scrapy.http import Response, TextResponse
from scrapy.settings import BaseSettings
from twisted.python.failure import Failure
from w3lib.http import basic_auth_header

from urlcrawler.earlier import EarlierTable
from urlcrawler.exceptions import ArgumentError, ComponentError, InvalidUrl, OutputError
from urlcrawler.extract.extraction import Extractor
from urlcrawler.extract.fields import Found
from urlcrawler.extract.parsing import Parser, TooComplexError
from urlcrawler.failures import explain, raised
from urlcrawler.guard import Guard
from urlcrawler.inputs.formats import open_reader
from urlcrawler.inputs.hostheaders import HostHeaders
from urlcrawler.inputs.index import ListIndex
from urlcrawler.inputs.records import Record
from urlcrawler.inputs.sources import Source, open_source
from urlcrawler.inputs.urls import Target
from urlcrawler.items import BASE_COLUMNS, Page
from urlcrawler.ledger import Ledger
from urlcrawler.meta import EARLIER
from urlcrawler.retries import RetriedTable
from urlcrawler.rows import Table
from urlcrawler.spiders.arguments import (
    ARGUMENTS,
    check_names,
    errors_named,
    names_in,
    one_of,
    positive,
)
from urlcrawler.spiders.feeds import bind_feeds, check_feeds, open_tables, set_default_feed
from urlcrawler.spiders.files import open_fields, open_host_headers, open_pages, open_since
from urlcrawler.spiders.interrupt import interruptible
from urlcrawler.spiders.wiring import check_values, wire

if TYPE_CHECKING:
    from urlcrawler.pages import PageArchive

logger = logging.getLogger(__name__)

_UNWRITTEN_ROWS = 1000  # rows without a request that may be on their way at once


class UrlListSpider(Spider):
    """Crawl a list of URLs into a table: exactly one row per record.

    To write a spider of your own:

    1. Subclass this class in a new file of `urlcrawler/spiders/` and give it a `name`.
    2. Write `parse_page(response, page)`. It is called for every page with outcome `ok`; the
       page has its columns filled already. Change what should be different.
    3. Yield further items or requests if you need them; the page itself is written for you.
    4. Arguments of your own go into `arguments`, name and meaning; they become attributes.

    For example::

        class ShopSpider(UrlListSpider):
            name = "shop"

            def parse_page(self, response, page):
                page.title = response.css("h1::text").get()
    """

    arguments: ClassVar[dict[str, str]] = ARGUMENTS

    _failures: set[str]  # kinds of exceptions of parse_page that were logged

    list_name: str
    source: Source
    index: ListIndex
    ledger: Ledger
    table: Table
    tables: dict[Path, RetriedTable]
    retried_errors: frozenset[str]  # whose records are crawled again
    extractor: Extractor
    pages: "PageArchive | None"  # see KEEP_PAGES
    host_headers: HostHeaders | None  # see `-a headers`
    earlier: EarlierTable | None  # of another crawl, see `-a since`
    earlier_rows: Counter[tuple[str, str | None]]  # of earlier runs, by outcome and error

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        """Wire what a list needs; other spiders of the project keep Scrapy's own parts."""
        super().update_settings(settings)
        set_default_feed(settings)
        wire(settings)

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> "UrlListSpider":
        """Check everything that can be checked before the first request, and index the list.

        Raises:
            UrlcrawlerError: with one sentence that says what to type.
        """
        if cls.parse is not UrlListSpider.parse:
            raise ArgumentError(f"spider {cls.name!r}: write `parse_page`, not `parse`")
        check_values(crawler.settings)
        check_names(kwargs, {**ARGUMENTS, **cls.arguments}, cls.name)
        duplicates = one_of("duplicates", kwargs.get("duplicates", "skip"), ("skip", "fetch"))
        limit = positive("limit", kwargs["limit"]) if "limit" in kwargs else 0
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider._failures = set()
        spider.retried_errors = errors_named("retry", kwargs.get("retry"))
        spider.earlier_rows = Counter()
        with interruptible(), ExitStack() as on_error:
            spider.source = source = open_source(kwargs["file"])
            on_error.callback(source.close)
            spider.list_name = source.name
            check_feeds(crawler.settings, spider)
            spider.host_headers = open_host_headers(kwargs.get("headers"))
            spider.earlier = open_since(crawler.settings, spider, kwargs.get("since"))
            if spider.earlier:
                on_error.callback(spider.earlier.close)
                crawler.signals.connect(spider.earlier.close, signals.spider_closed)
            reader = open_reader(source, kwargs.get("column"))
            spider.index = ListIndex(reader, fetch_duplicates=duplicates == "fetch", limit=limit)
            # What a crawl leaves in its feeds is the next run's ledger.
            spider.ledger = Ledger(len(spider.index))
            groups = frozenset(crawler.settings.getlist("METADATA"))
            types = names_in("json_ld", kwargs.get("json_ld"))
            spider.extractor = Extractor(
                groups, open_fields(kwargs.get("fields")), types, kwargs.get("fields")
            )
            spider.table = Table(spider.index.columns, spider.extractor.fields.columns, groups)
            bind_feeds(crawler.settings, spider.table.columns)
            spider.tables = open_tables(crawler.settings, spider)
            spider.pages = open_pages(crawler.settings, spider)
            on_error.pop_all()
        if spider.pages:
            crawler.signals.connect(spider.pages.close, signals.engine_stopped)
        crawler.signals.connect(source.close, signals.spider_closed)
        crawler.signals.connect(spider._close_tables, signals.engine_stopped)
        return spider

    def _close_tables(self) -> None:
        """Let others have the tables, after the feeds are done with them."""
        tables = self.tables.values()
        for table in tables:
            table.try_sync()
        # Not before all tables have taken them: a kill in between leaves something to go on with.
        if all(table.is_merged or not table.newer for table in tables) and self.ledger.is_complete:
            for table in tables:
                with suppress(OutputError):  # one that stays has the same rows as the table
                    table.remove_part()
        for table in tables:
            table.close()

    async def start(self) -> AsyncIterator[Any]:
        """Yield the rows of records that are not requested: invalid ones and duplicates.

        The others are requested by the scheduler, one at a time, whenever there is room.
        """
        unwritten: deque[int] = deque()
        for record, why in self.index.without_request():
            if record.position in self.ledger:
                continue
            page = Page.of(record)
            if isinstance(why, InvalidUrl):
                page.fail(why.error, str(why))
            else:
                page.outcome, page.duplicate_of = "duplicate", why
                page.reason = f"the same request as record {why}"
            self.ledger.hand_out(record.position)
            unwritten.append(record.position)
            yield page
            await asyncio.sleep(0)  # the engine reads on without a pause while it is busy
            while len(unwritten) > _UNWRITTEN_ROWS:
                while unwritten[0] not in self.ledger:
                    await asyncio.sleep(0.01)
                unwritten.popleft()

    def request_for(self, record: Record, target: Target) -> Request:
        """Return the request for *record*. Override it to add headers, cookies or meta."""
        headers = {}
        if target.user is not None:
            headers["Authorization"] = basic_auth_header(target.user, target.password or "")
        return Request(
            target.url,
            headers=headers,
            callback=self.parse,
            errback=self.errback,
            dont_filter=True,
            meta={"record": record, "is_start_request": True},
        )

    def parse_page(self, response: Response, page: Page) -> Any:
        """Fill in more of *page*; may be async, and may yield items and requests."""

    async def parse(self, response: Response) -> AsyncIterator[Any]:
        """Yield the page of an answered record, after what `parse_page` yields."""
        page = Page.of(response.meta["record"]).answered(response)
        if page.outcome != "ok":
            earlier = response.meta.get(EARLIER) if self._carries else None
            if earlier and earlier.url == page.final_url and page.outcome == "unchanged":
                page.carry(earlier, self.extractor.fields.columns)
            if await self._keep(response, page):
                yield page
            return
        stop: CloseSpider | None = None
        try:
            async with self._parser.parsed(response, self.extractor) as extracted:
                page.says(extracted)
                self._count(extracted.found)
                try:
                    with self._guard:
                        results = self.parse_page(response, page)
                    async for result in _each(results, self._guard):
                        if result is not page:
                            yield result
                except CloseSpider as request_to_stop:
                    stop = request_to_stop
                except Exception as error:
                    if isinstance(error, ComponentError) and error.is_exit:
                        stop = CloseSpider("shutdown")
                    # A selector on a PDF or an image finds nothing; that is no error of the page.
                    if not isinstance(error, NotSupported) or isinstance(response, TextResponse):
                        self._fail(page, error)
                if await self._keep(response, page):
                    yield page
        except TooComplexError as problem:
            page.fail("too-complex", str(problem))
            if await self._keep(response, page):
                yield page
        except Exception as error:  # a page that no test has thought of
            self._fail(page, error, "the extraction")
            if await self._keep(response, page):
                yield page
        if stop:
            raise stop

    async def _keep(self, response: Response, page: Page) -> bool:
        """Keep the page, if pages are kept; return whether its row may be written."""
        if self.pages is None:
            return True
        row = {name: getattr(page, name) for name in BASE_COLUMNS} | {"columns": page.columns}
        try:
            await self.pages.keep(response, row)
        except OSError as error:
            stats: Any = self.crawler.stats
            if not stats.get_value("feedexport/failed_count/pages"):
                logger.error(
                    "%(path)s: cannot be written: %(why)s. The rows so far are whole. Make room, "
                    "or mend the disk, then run it again without -O to go on",
                    {"path": self.pages.folder, "why": error.strerror},
                )
                engine: Any = self.crawler.engine
                closing = engine.close_spider_async(reason="output_failed")
                asyncio.ensure_future(closing)  # noqa: RUF006 - the engine keeps it
            stats.inc_value("feedexport/failed_count/pages")
            return False
        return True

    def _count(self, found: Found) -> None:
        """Count in the stats which fields were found, and keep an example of what was not read."""
        stats = self.crawler.stats
        for name, matches in found.matches.items() if stats else ():
            stats.inc_value(f"fields/{name}/{'found' if matches else 'absent'}")
        for name, why in found.unread.items() if stats else ():
            stats.inc_value(f"fields/{name}/unread")
            stats.set_value(f"fields/{name}/example", why)

    @cached_property
    def _guard(self) -> Guard:
        return Guard("parse_page", self.settings.getfloat("COMPONENT_TIMEOUT"))

    @cached_property
    def _carries(self) -> bool:
        return self.settings.getbool("CARRY_UNCHANGED")

    @cached_property
    def _parser(self) -> Parser:
        extractor = self.extractor
        timeout = self.settings.getfloat("PARSE_TIMEOUT")
        parser = Parser(timeout, extractor.recipe, may_be_slow=extractor.fields.may_be_slow)
        self.crawler.signals.connect(parser.close, signals.spider_closed, weak=False)
        return parser

    def _fail(self, page: Page, error: Exception, code: str = "parse_page") -> None:
        """Say in the row that *code* raised, and in the log the first time it does."""
        page.fail("extract", raised(code, error))
        kind = type(error.__cause__ if isinstance(error, ComponentError) else error).__name__
        first = kind not in self._failures
        self._failures.add(kind)
        logger.log(
            logging.ERROR if first else logging.DEBUG,
            "%(code)s raised %(kind)s on %(url)s (further ones are only in the table)",
            {"code": code, "kind": kind, "url": page.url},
            exc_info=error,
        )

    def errback(self, failure: Failure) -> Iterable[Any]:
        """Yield the page of a record that got no answer."""
        request = cast("Request", failure.request)  # type: ignore[attr-defined]
        exception = cast("BaseException", failure.value)
        page = Page.of(request.meta["record"])
        answer = getattr(exception, "response", None)
        if isinstance(answer, Response):  # StopDownload
            answer.request = request
            page.answered(answer)
        error, reason = explain(exception)
        if redirects := request.meta.get("redirect_times"):
            reason += f" (redirected {redirects} times, at last to {request.url})"
        if error not in ("robots", "robots-unreachable") or redirects:
            page.requested(request)
        yield page.fail(error, reason)

    def write_row(self, page: Page) -> None:
        """Write the row of a record that no callback yields, past the item pipelines."""
        results = self.crawler.signals.send_catch_log(
            signals.item_scraped, item=self.table.row(page), response=None, spider=self
        )
        for _, result in results:
            if inspect.isawaitable(result):
                asyncio.ensure_future(result)  # noqa: RUF006 - the handler's own business


async def _each(results: Any, guard: Guard) -> AsyncIterator[Any]:
    """Yield what a callback returned, in whichever of the ways Scrapy allows."""
    if inspect.isawaitable(results):
        results = await guard.result(results)
    if hasattr(results, "__aiter__"):
        async for result in guard.steps(aiter(results), in_all=True):
            yield result
    elif results is not None:
        one = isinstance(results, Request | dict | Page)
        for result in [results] if one else guard.items(results):
            yield result
