"""Contracts of spiders of lists, for `scrapy check`: they give `parse_page` its page."""

import inspect
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from itemadapter import ItemAdapter, is_item
from scrapy.contracts import Contract
from scrapy.contracts.default import ScrapesContract, UrlContract
from scrapy.exceptions import ContractFail
from scrapy.http import Response

from urlcrawler.items import OWN_COLUMNS, Page
from urlcrawler.spiders.base import UrlListSpider
from urlcrawler.spiders.callbacks import with_values
from urlcrawler.spiders.single import page_of, record_of, results_of

_COLUMNS = "columns"  # in the cb_kwargs of a contract's request, until its callback takes them


class Url(UrlContract):
    """The page that a callback is checked with (`@url`): it is to be `ok`, and is an item too.

    So it is for callbacks of a spider of lists that take a page; others are Scrapy's business.
    """

    def adjust_request_args(self, args: dict[str, Any]) -> dict[str, Any]:
        """Let the callback have its page."""
        args = super().adjust_request_args(args)
        method = args["callback"]
        spider = getattr(method, "__self__", None)
        if isinstance(spider, UrlListSpider) and "page" in inspect.signature(method).parameters:
            args["callback"] = _with_page(spider, method)
        return args


class Columns(Contract):
    """The other columns of the list (`@columns`), as a JSON object."""

    name = "columns"

    def adjust_request_args(self, args: dict[str, Any]) -> dict[str, Any]:
        """Keep them for the page."""
        columns = json.loads(" ".join(self.args))
        args["cb_kwargs"] = {**(args.get("cb_kwargs") or {}), _COLUMNS: columns}
        return args


class Scrapes(ScrapesContract):
    """What a callback must find (`@scrapes`): columns of the row, or fields of other items.

    A column that is empty is one that the page does not have.
    """

    def __init__(self, method: Callable[..., Any], *args: Any) -> None:
        super().__init__(method, *args)
        self._method: Any = method

    def post_process(self, output: list[Any]) -> None:
        """Look for names of columns in the row, and for others in the other items."""
        pages = [item for item in output if isinstance(item, Page)]
        if not pages:
            super().post_process(output)
            return
        columns = {*OWN_COLUMNS, *self._method.__self__.own_columns}
        others = [ItemAdapter(item) for item in output if is_item(item) and item not in pages]
        missing = []
        for name in self.args:
            if name in columns or not others:
                found = all(_value(page, name) not in (None, "", [], {}) for page in pages)
            else:
                found = all(name in item for item in others)
            missing += [] if found else [name]
        if missing:
            raise ContractFail(f"Missing fields: {', '.join(missing)}")


def _with_page(spider: UrlListSpider, method: Callable[..., Any]) -> Callable[..., Any]:
    async def callback(response: Response, /, **values: Any) -> AsyncIterator[Any]:
        columns = values.pop(_COLUMNS, None)
        page = page_of(spider, response, record_of(response.url, columns))
        if page.outcome != "ok":
            raise ContractFail(page.reason)
        async for result in results_of(method, response, page=page, **values):
            if result is not page:
                yield result
        spider.table.row(page)  # raises what the row would
        yield page

    return with_values(callback, method)


def _value(page: Page, name: str) -> Any:
    """Return what stands in a column of the row."""
    if name in page.fields:
        return page.fields[name]
    return getattr(page, name, None) if name in OWN_COLUMNS else page.columns.get(name)
