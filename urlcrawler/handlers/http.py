"""The handler of http and https: Scrapy's, without its trust in servers and lists."""

import logging
from time import monotonic
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.exceptions import CannotResolveHostError
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached
from scrapy.utils.misc import build_from_crawler
from scrapy.utils.url import add_http_if_no_scheme

from urlcrawler.addresses import AddressPolicy, allowed_addresses
from urlcrawler.handlers.pool import ConnectionPool
from urlcrawler.handlers.resolver import GuardedResolver
from urlcrawler.handlers.tls import ContextFactory
from urlcrawler.meta import SPENT
from urlcrawler.openfiles import SPARE, allow_open_files

logger = logging.getLogger(__name__)

_LEAST = 0.05  # seconds; of nothing at all Scrapy would make its default
_PORTS = {"http": 80, "https": 443}
_POOLS: WeakKeyDictionary[Crawler, ConnectionPool] = WeakKeyDictionary()


class HttpHandler(HTTP11DownloadHandler):
    """Connect to no private address, unless ALLOW_PRIVATE_ADDRESSES says otherwise; take no part of
    an answer for the whole, and no answer for that of another request.
    """

    checks_addresses = True

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        from twisted.internet import reactor  # installed by now, and not before

        policy_for_https: Any = build_from_crawler(ContextFactory, crawler)
        self._contextFactory = policy_for_https
        settings = crawler.settings
        used = settings.getint("CONCURRENT_REQUESTS") + SPARE
        # In the place of Scrapy's: its agents take it from here. One for http and https: the number
        # of files is that of the process.
        if crawler not in _POOLS:
            _POOLS[crawler] = ConnectionPool(
                reactor,
                most_idle=max(0, allow_open_files() - used),
                most_head=settings.getint("DOWNLOAD_HEAD_MAXSIZE"),
            )
        self._pool = _POOLS[crawler]
        policy = AddressPolicy(allowed_addresses(settings["ALLOW_PRIVATE_ADDRESSES"]))
        self._guard = GuardedResolver.install(reactor, policy, crawler)
        self._has_warned = False

    async def download_request(self, request: Request) -> Response:
        """Return the answer to *request*.

        Raises:
            PrivateAddress: its host has none but private addresses. Nothing was sent.
        """
        host = urlparse_cached(request).hostname or ""
        if proxy := request.meta.get("proxy"):
            self._use(proxy, host)
        meta, began = request.meta, monotonic()
        timeout, spent = meta.get("download_timeout"), meta.get(SPENT, 0.0)
        if timeout and meta.get("redirect_times"):
            # One time for the page, however many redirects lead to it.
            meta["download_timeout"] = max(_LEAST, timeout - spent)
        try:
            return await super().download_request(request)
        except CannotResolveHostError:
            if refusal := self._guard.refusals.get(host):
                raise refusal.again() from None
            raise
        finally:
            meta[SPENT] = spent + monotonic() - began
            if timeout:
                meta["download_timeout"] = timeout

    def _use(self, proxy: str, host: str) -> None:
        """Allow the connection to *proxy*, and check what can be checked of the host behind it."""
        self._guard.policy.check_literal(host)
        parts = urlsplit(add_http_if_no_scheme(proxy))
        self._guard.proxies.add((parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 80)))
        if self._guard.policy.refuses_any and not self._has_warned:
            self._has_warned = True
            logger.warning(
                "The proxy looks up host names: of private addresses only those are refused that "
                "are written out, see ALLOW_PRIVATE_ADDRESSES"
            )
