"""The base of every spider that crawls a list."""

import asyncio
import inspect
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray
from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider
from scrapy.http import Response
from scrapy.settings import BaseSettings
from twisted.python.failure import Failure
from w3lib.http import basic_auth_header

from urlcrawler.exceptions import ArgumentError, InvalidUrl
from urlcrawler.extract.extraction import Extractor
from urlcrawler.extract.fields import Found
from urlcrawler.extract.parsing import Parser, TooComplexError
from urlcrawler.extract.reader import Reader
from urlcrawler.failures import explain
from urlcrawler.inputs.hostheaders import HostHeaders
from urlcrawler.inputs.index import ListIndex
from urlcrawler.inputs.records import Record
from urlcrawler.inputs.shards import Shard
from urlcrawler.inputs.sources import Source
from urlcrawler.inputs.urls import Target
from urlcrawler.items import Page
from urlcrawler.ledger import Ledger
from urlcrawler.meta import EARLIER, RECORD, forget_rendering
from urlcrawler.output.earlier import EarlierTable
from urlcrawler.output.quality import Quality, Wanted
from urlcrawler.output.retries import RetriedTable
from urlcrawler.output.rows import Row, Table
from urlcrawler.spiders.arguments import ARGUMENTS, check_names
from urlcrawler.spiders.callbacks import Callbacks, with_values
from urlcrawler.spiders.feeds import set_default_feed
from urlcrawler.spiders.keeping import keep_page
from urlcrawler.spiders.opening import open_list
from urlcrawler.spiders.settingvalues import check_values
from urlcrawler.spiders.single import is_single, open_without_list
from urlcrawler.spiders.wiring import wire, wire_single

if TYPE_CHECKING:
    from urlcrawler.output.pages import PageArchive

_UNWRITTEN_ROWS = 1000  # rows without a request that may be on their way at once


class UrlListSpider(Spider):
    """Crawl a list of URLs into a table: exactly one row per record.

    To write a spider of your own:

    1. Subclass this class in a new file of `urlcrawler/spiders/` and give it a `name`.
    2. Write `parse_page(response, page)`. It is called for every page with outcome `ok`; the
       page has its columns filled already. Change what should be different.
    3. Yield further items or requests if you need them; the page itself is written for you, after
       all requests that have it in their `cb_kwargs`.
    4. Columns of your own go into `columns`, name and type (`str`, `int`, `float`, `bool` or
       `json`); their values go into `page.fields`.
    5. A fields file that it always takes goes into `fields`; `-a fields=` names another one.
    6. Arguments of your own go into `arguments`, name and meaning; they become attributes.

    For example::

        class ShopSpider(UrlListSpider):
            name = "shop"

            def parse_page(self, response, page):
                page.title = response.css("h1::text").get()
    """

    arguments: ClassVar[dict[str, str]] = ARGUMENTS
    columns: ClassVar[dict[str, str]] = {}

    given: dict[str, Any]  # arguments, as they were given
    list_name: str
    table_name: str  # of the default feed
    shard: Shard | None  # the only part of the list that is crawled
    source: Source
    index: ListIndex
    ledger: Ledger
    table: Table
    tables: dict[Path, RetriedTable]
    retried_errors: frozenset[str]  # whose records are crawled again
    extractor: Extractor
    own_columns: dict[str, str]  # of the fields file and of the spider: name and type
    pages: "PageArchive | None"  # see KEEP_PAGES
    wanted: Wanted  # how good the table is to be
    quality: Quality | None = None  # how good it is, once that was looked at
    own_groups: NDArray[np.uint64] | None = None  # of the shard: keys of groups of hosts
    render: str  # which pages the browser has: see rendering.choice
    may_render: bool  # whether any page may come to that
    host_headers: HostHeaders | None  # see `-a headers`
    earlier: EarlierTable | None  # of another crawl, see `-a since`
    earlier_rows: Counter[tuple[str, str | None]]  # of earlier runs, by outcome and error

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        """Wire what a list needs; other spiders of the project keep Scrapy's own parts."""
        super().update_settings(settings)
        if is_single(settings):
            wire_single(settings)
            return
        set_default_feed(settings, (cls.custom_settings or {}).get("FEEDS", {}))
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
        single = is_single(crawler.settings)
        check_names(kwargs, {**ARGUMENTS, **cls.arguments}, cls.name, needs_list=not single)
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.given = dict(kwargs)
        if single:
            open_without_list(spider, crawler.settings)
        else:
            open_list(spider, crawler)
        return spider

    async def start(self) -> AsyncIterator[Any]:
        """Yield the rows of records that are not requested: invalid ones and duplicates.

        The others are requested by the scheduler, one at a time, whenever there is room.
        """
        unwritten: deque[int] = deque()
        for record, why in self.index.without_request(self.ledger.__contains__):
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
            callback=self.callback,
            errback=self.errback,
            dont_filter=True,
            meta={RECORD: record, "is_start_request": True},
        )

    def parse_page(self, response: Response, page: Page, *args: Any, **kwargs: Any) -> Any:
        """Fill in more of *page*; may be async, and may yield items and requests."""

    async def parse(self, response: Response, /, **values: Any) -> AsyncIterator[Any]:
        """Yield what `parse_page` yields of an answered record, and then its page."""
        page = Page.of(response.meta[RECORD]).answered(response)
        forget_rendering(cast("Request", response.request))
        self._callbacks.begin(page)
        stop: CloseSpider | None = None
        try:
            if page.outcome == "ok":
                async with self.reader.read(response) as extracted:
                    page.says(extracted)
                    self._count(extracted.found)
                    code = self.parse_page
                    async for result in self._callbacks.run(page, code, response, page, **values):
                        yield result
            elif page.outcome == "unchanged" and self._carries:
                self._carry(response, page)
        except CloseSpider as request_to_stop:
            stop = request_to_stop
        except TooComplexError as problem:
            page.fail("too-complex", str(problem))
        except Exception as error:  # a page that no test has thought of
            self._callbacks.fail(page, error, "the extraction")
        if self.pages and not await keep_page(self.pages, self.crawler, response, page):
            self._callbacks.give_up(page.position)
        elif self._callbacks.end(page):
            yield page
        if stop:
            raise stop

    def _carry(self, response: Response, page: Page) -> None:
        """Take over what an earlier crawl has found, if it is about the same URL."""
        earlier = response.meta.get(EARLIER)
        if earlier and earlier.url == page.final_url:
            page.carry(earlier, self.own_columns)

    def _count(self, found: Found) -> None:
        """Count in the stats which fields were found, and keep an example of what was not read."""
        stats = self.crawler.stats
        for name, matches in found.matches.items() if stats else ():
            stats.inc_value(f"fields/{name}/{'found' if matches else 'absent'}")
        for name, why in found.unread.items() if stats else ():
            stats.inc_value(f"fields/{name}/unread")
            stats.set_value(f"fields/{name}/example", why)

    @cached_property
    def callback(self) -> Callable[..., Any]:
        """The callback of requests for records: `parse`, which calls `parse_page`."""
        return with_values(self.parse, self.parse_page)

    @cached_property
    def _callbacks(self) -> Callbacks:
        return Callbacks(self, self.reader.parser)

    def waiting_page(self, position: int) -> Page | None:
        """Return the page of a record whose row waits for a request that never came back."""
        page = self._callbacks.give_up(position)
        if page:
            page.lacks("what a request would have added")
        return page

    @cached_property
    def _carries(self) -> bool:
        return self.settings.getbool("CARRY_UNCHANGED")

    @cached_property
    def reader(self) -> Reader:
        """What reads pages, each of them once."""
        extractor = self.extractor
        timeout = self.settings.getfloat("PARSE_TIMEOUT")
        parser = Parser(timeout, extractor.recipe, may_be_slow=extractor.fields.may_be_slow)
        self.crawler.signals.connect(parser.close, signals.spider_closed, weak=False)
        selects = type(self).parse_page is not UrlListSpider.parse_page
        return Reader(extractor, parser, selects=selects)

    def errback(self, failure: Failure) -> Iterable[Any]:
        """Yield the page of a record that got no answer."""
        request = cast("Request", failure.request)  # type: ignore[attr-defined]
        exception = cast("BaseException", failure.value)
        page = Page.of(request.meta[RECORD])
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
        self.write(self.table.row(page))

    def write(self, row: Row) -> None:
        """Give *row* to every feed, and to whoever else hears of items."""
        results = self.crawler.signals.send_catch_log(
            signals.item_scraped, item=row, response=None, spider=self
        )
        for _, result in results:
            if inspect.isawaitable(result):
                asyncio.ensure_future(result)  # noqa: RUF006 - the handler's own business
