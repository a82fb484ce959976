"""Headers and cookies for some hosts: `-a headers=secrets.yaml`."""

from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.utils.httpobj import urlparse_cached

from urlcrawler.meta import HOST_HEADERS


class HostHeaders:
    """Send them to the hosts they are for, and to no other: a redirect takes headers along.

    Nor are they sent in the clear when a redirect has left https.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "HostHeaders":
        """Build the middleware of a crawl that has such a file."""
        if getattr(crawler.spider, "host_headers", None) is None:
            raise NotConfigured  # without a word: Scrapy would log it as a warning
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Set what is for this host, and take away what was for another."""
        spider: Any = self.crawler.spider
        for name in request.meta.pop(HOST_HEADERS, ()):
            request.headers.pop(name, None)
        url = urlparse_cached(request)
        came_from = request.meta.get("redirect_urls", [])
        if url.scheme == "http" and any(hop.startswith("https:") for hop in came_from):
            return
        mine = {
            name: value
            for name, value in spider.host_headers.of(url.hostname or "").items()
            if name not in request.headers  # a spider's own word counts
        }
        if mine:
            request.headers.update(mine)
            request.meta[HOST_HEADERS] = tuple(mine)
