"""Tests of spiders on pages that were saved: without a network, a crawl or an event loop."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Headers
from scrapy.responsetypes import responsetypes

from urlcrawler.items import Page
from urlcrawler.project import project_settings
from urlcrawler.spiders.base import UrlListSpider
from urlcrawler.spiders.single import page_of, record_of, results_of


@dataclass
class Parsed:
    """What a spider makes of one page.

    Attributes:
        page: the page, with what the spider has filled in.
        items: what else it has yielded, in order.
        requests: that it wants to follow, in order.
    """

    page: Page
    items: list[Any] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)


def parse_saved(
    spider: type[UrlListSpider],
    saved: str | Path | bytes,
    *,
    url: str,
    headers: Mapping[str, str] | None = None,
    columns: Mapping[str, Any] | None = None,
    **arguments: str,
) -> Parsed:
    """Let `parse_page` of *spider* parse a page that was saved.

    The page has its columns filled, metadata and fields as in a crawl; robots.txt, retries, the
    browser and pipelines have no part in it.

    Args:
        spider: the class.
        saved: a file, or the bytes of a page of HTML.
        url: where the page is from.
        headers: of the answer, for a Content-Type that the name does not tell.
        columns: the other columns of the list.
        arguments: what would stand after `-a`, such as `fields="fields.yaml"`.

    Raises:
        UrlcrawlerError: an argument or a setting is wrong.
        Exception: whatever `parse_page` raises.
    """
    if isinstance(saved, bytes):
        name, body = "page.html", saved
    else:
        name, body = str(saved), Path(saved).read_bytes()
    sent = Headers(headers or {})
    kind = responsetypes.from_args(headers=sent, filename=name, body=body)
    response = kind(url, headers=sent, body=body, request=Request(url))
    settings = project_settings()
    settings.set("WITHOUT_LIST", True, priority="cmdline")
    built = spider.from_crawler(Crawler(spider, settings), **arguments)
    parsed = Parsed(page_of(built, response, record_of(url, columns)))

    async def parse() -> None:
        async for result in results_of(built.parse_page, response, parsed.page):
            if isinstance(result, Request):
                parsed.requests.append(result)
            elif result is not parsed.page:
                parsed.items.append(result)

    asyncio.run(parse())
    built.table.row(parsed.page)  # raises for a column that the spider has not named
    return parsed
