"""An extension that notes the signals of a crawl, and spiders and pipelines that provoke them."""

import json
from pathlib import Path
from typing import Any

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem

from urlcrawler.items import Page
from urlcrawler.output.rows import Row
from urlcrawler.spiders.base import UrlListSpider

# scheduler_empty is sent whenever there is nothing to give out; memory has a limit of its own.
NAMES = sorted(
    name
    for name, value in vars(signals).items()
    if type(value) is object and name not in ("scheduler_empty", "memusage_warning_reached")
)


class Listener:
    """Write a line of JSON for each signal: its name, and what it is about."""

    def __init__(self, crawler: Crawler) -> None:
        self._kept = [self._connect(crawler, name) for name in NAMES]

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Listener":
        return cls(crawler)

    def _connect(self, crawler: Crawler, name: str) -> Any:
        def hear(**values: Any) -> None:
            item, request = values.get("item"), values.get("request")
            response = values.get("response")
            about: Any = None
            if item is not None:
                about = item["url"] if isinstance(item, Row) else item.url
            elif request or response:
                about = (request or response).url
            kind = type(item).__name__ if item is not None else None
            has_response = "response" in values and response is not None
            line = {"signal": name, "about": about, "item": kind, "response": has_response}
            with Path("signals.jsonl").open("a") as file:
                file.write(json.dumps(line) + "\n")

        crawler.signals.connect(hear, getattr(signals, name))
        return hear


class Pipeline:
    """Drop /page/4, and raise on /page/5."""

    def process_item(self, item: Page) -> Page:
        if item.url.endswith("/page/4"):
            raise DropItem("not wanted")
        if item.url.endswith("/page/5"):
            raise ValueError("not liked")
        return item


class HeardSpider(UrlListSpider):
    name = "heard"
    custom_settings = {  # noqa: RUF012
        "EXTENSIONS": {"listener.Listener": 0},
        "ITEM_PIPELINES": {"listener.Pipeline": 1},
    }

    def parse_page(self, response: Any, page: Page) -> None:
        if response.url.endswith("/page/3"):
            raise KeyError("price")
