"""Ask for a page only if it has changed since an earlier crawl: `-a since=yesterday.csv`."""

from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from urlcrawler.inputs.records import Record
from urlcrawler.meta import EARLIER, RECORD
from urlcrawler.rendering.choice import OFF, choice_of

_VALIDATORS = ("If-None-Match", "If-Modified-Since")


class Conditional:
    """Send the validators of the earlier page (RFC 9110, section 13) to the URL that gave them.

    A redirect takes headers along; to another URL than the one that answered they would mean
    another page.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Conditional":
        """Build the middleware of a crawl that knows an earlier one."""
        if getattr(crawler.spider, "earlier", None) is None:
            raise NotConfigured  # without a word: Scrapy would log it as a warning
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Add the validators, or take them away."""
        record = request.meta.get(RECORD)
        if not isinstance(record, Record) or request.method != "GET":
            return
        spider: Any = self.crawler.spider
        if EARLIER not in request.meta:
            request.meta[EARLIER] = spider.earlier.find(record.url)
        earlier = request.meta[EARLIER]
        if earlier is None:
            return
        if choice_of(record, spider.render) != OFF:
            return  # what is rendered may have changed although what is sent has not
        is_same = earlier.url == request.url
        for name, value in zip(_VALIDATORS, (earlier.etag, earlier.last_modified), strict=True):
            if is_same and value:
                request.headers.setdefault(name, value)
            elif request.headers.get(name) == value.encode("utf-8", "replace"):
                del request.headers[name]
