"""What the handlers of http and https have in common."""

import logging
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.crawler import Crawler
from scrapy.exceptions import CannotResolveHostError
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached
from scrapy.utils.url import add_http_if_no_scheme

from urlcrawler.addresses import AddressPolicy, allowed_addresses, is_address
from urlcrawler.exceptions import PrivateAddress
from urlcrawler.handlers.lookup import GuardedResolver
from urlcrawler.handlers.trust import Trust
from urlcrawler.meta import HOST_LATENCY, SPENT
from urlcrawler.openfiles import SPARE, allow_open_files
from urlcrawler.room import room_of

logger = logging.getLogger(__name__)

LEAST = 0.05  # seconds; of nothing at all Scrapy would make its default
MOST_HEADERS = 1000  # lines; as with Apache, ten times what servers send
_PORTS = {"http": 80, "https": 443}


class Guarded(BaseDownloadHandler):
    """Connects to no private address, unless ALLOW_PRIVATE_ADDRESSES says otherwise, and has one
    DOWNLOAD_TIMEOUT for a page with all that redirects to it. Stands before a handler of Scrapy's.
    """

    checks_addresses = True

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        from twisted.internet import reactor  # installed by now, and not before

        self._policy = AddressPolicy(allowed_addresses(crawler.settings["ALLOW_PRIVATE_ADDRESSES"]))
        self._guard = GuardedResolver.install(reactor)
        self._guard.begin(crawler, self._policy)
        self._has_warned = False

    async def download_request(self, request: Request) -> Response:
        """Return the answer to *request*.

        Raises:
            PrivateAddress: its host has none but private addresses. Nothing was sent.
        """
        host = urlparse_cached(request).hostname or ""
        if proxy := request.meta.get("proxy"):
            self._use(proxy, host)
        elif self._policy.refuses_any:
            self._refuse_proxies(host, request)
        meta, began = request.meta, monotonic()
        timeout, spent = meta.get("download_timeout"), meta.get(SPENT, 0.0)
        meta.pop(HOST_LATENCY, None)  # of the host that has redirected here
        if timeout and meta.get("redirect_times"):
            # One time for the page, however many redirects lead to it.
            meta["download_timeout"] = max(LEAST, timeout - spent)
        try:
            handler: Any = super()
            return await handler.download_request(request)  # type: ignore[no-any-return]
        except CannotResolveHostError:
            if refusal := self._guard.refusals.get(host):
                raise refusal.again() from None
            raise
        finally:
            meta[SPENT] = spent + monotonic() - began
            if timeout:
                meta["download_timeout"] = timeout

    async def close(self) -> None:
        """Close the connections."""
        handler: Any = super()
        await handler.close()
        self._guard.end(self.crawler)

    def _refuse_proxies(self, host: str, request: Request) -> None:
        """Refuse a page on a proxy: that one may be connected to is no reason to visit it.

        Raises:
            PrivateAddress: it is one, and its address is none that is allowed.
        """
        parts = urlparse_cached(request)
        if self._guard.is_proxy(host, parts.port or _PORTS.get(parts.scheme, 80)):
            self._policy.check_literal(host)
            if not is_address(host):
                raise PrivateAddress(host, host, "the proxy of the crawl")

    def _use(self, proxy: str, host: str) -> None:
        """Allow the connection to *proxy*, and check what can be checked of the host behind it."""
        self._policy.check_literal(host)
        parts = urlsplit(add_http_if_no_scheme(proxy))
        port = parts.port or _PORTS.get(parts.scheme, 80)
        self._guard.add_proxy(self.crawler, parts.hostname or "", port)
        if self._policy.refuses_any and not self._has_warned:
            self._has_warned = True
            logger.warning(
                "The proxy looks up host names: of private addresses only those are refused that "
                "are written out, see ALLOW_PRIVATE_ADDRESSES"
            )


def shared_by_connections(crawler: Crawler) -> dict[str, Any]:
    """Return what the pools of both handlers are made with: see `pool.ConnectionPool`."""
    settings = crawler.settings
    used = settings.getint("CONCURRENT_REQUESTS") + SPARE
    return {
        "most_idle": max(0, allow_open_files() - used),
        "most_head": settings.getint("DOWNLOAD_HEAD_MAXSIZE"),
        "room": room_of(crawler),
        "trust": Trust(keeps_alive=settings.getbool("KEEPALIVE_ENABLED")),
    }
