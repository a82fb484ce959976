"""The handler of http and https: Scrapy's, without its trust in servers and lists."""

from typing import Any
from weakref import WeakKeyDictionary

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.utils.misc import build_from_crawler

from urlcrawler.handlers.guarded import Guarded, shared_by_connections
from urlcrawler.handlers.pool import ConnectionPool
from urlcrawler.handlers.tls import ContextFactory

_POOLS: WeakKeyDictionary[Crawler, ConnectionPool] = WeakKeyDictionary()


class HttpHandler(Guarded, HTTP11DownloadHandler):
    """Take no part of an answer for the whole, no answer for that of another request, and whatever
    a browser takes for an answer for one.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        from twisted.internet import reactor  # installed by now, and not before

        policy_for_https: Any = build_from_crawler(ContextFactory, crawler)
        self._contextFactory = policy_for_https
        # In the place of Scrapy's: its agents take it from here. One for http and https: the number
        # of files is that of the process.
        if crawler not in _POOLS:
            _POOLS[crawler] = ConnectionPool(
                reactor,
                **shared_by_connections(crawler),
            )
        self._pool = _POOLS[crawler]
