"""A spider of lists without one: for tools that look at a single page, and for tests."""

import inspect
import itertools
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from scrapy.http import Response
from scrapy.settings import BaseSettings
from scrapy.utils.misc import arg_to_iter

from urlcrawler.inputs.records import Record
from urlcrawler.items import Page
from urlcrawler.ledger import Ledger
from urlcrawler.rendering.choice import OFF
from urlcrawler.spiders.arguments import check_selector
from urlcrawler.spiders.files import open_host_headers
from urlcrawler.spiders.reading import open_extractor

_positions = itertools.count(1)


def is_single(settings: BaseSettings) -> bool:
    """Return whether one of Scrapy's tools (check, parse, shell, ...) starts the spider."""
    return settings.getbool("WITHOUT_LIST")


def open_without_list(spider: Any, settings: BaseSettings) -> None:
    """Give *spider* what `parse_page` may ask it for, but for its list and its tables.

    Raises:
        UrlcrawlerError: with one sentence that says what to type.
    """
    check_selector("render_wait_for", spider.given.get("render_wait_for"))
    spider.host_headers = open_host_headers(spider.given.get("headers"))
    spider.list_name = spider.table_name = spider.name
    spider.shard = spider.earlier = spider.pages = None
    spider.render, spider.may_render = OFF, False
    spider.ledger, spider.tables = Ledger(0), {}
    open_extractor(spider, settings, [])


def record_of(url: str, columns: Mapping[str, Any] | None = None) -> Record:
    """Return a record as a list would hold it, with the other *columns* of that list."""
    return Record(next(_positions), url, dict(columns or {}))


def page_of(spider: Any, response: Response, record: Record) -> Page:
    """Return the page of *record* with its columns filled, as `parse_page` gets it."""
    page = Page.of(record).answered(response)
    if page.outcome == "ok":
        page.says(spider.extractor(response))
    return page


async def results_of(code: Callable[..., Any], *args: Any, **values: Any) -> AsyncIterator[Any]:
    """Yield what a callback returns, in whichever of the ways Scrapy allows, and raise what it
    raises.
    """
    results = code(*args, **values)
    if inspect.isawaitable(results):
        results = await results
    if hasattr(results, "__aiter__"):
        async for result in results:
            yield result
    else:
        for result in arg_to_iter(results):
            yield result
