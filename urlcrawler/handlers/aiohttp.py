"""The handler of http and https: Scrapy's for aiohttp, with as little trust as the other one has.

Its parser is stricter than browsers are. What it does not take for an answer is asked for again
with the handler that does, and so is everything else of that origin. That one is imported when it
is needed: with Twisted's TLS it takes an eighth of the time in which a crawl starts.
"""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

import aiohttp
import certifi
import yarl
from aiohttp.http_exceptions import ContentLengthError, HttpProcessingError
from OpenSSL import SSL
from scrapy import Request, exceptions
from scrapy.core.downloader.handlers._aiohttp import AiohttpDownloadHandler, _ClientResponse
from scrapy.crawler import Crawler
from scrapy.http import Headers, Response
from scrapy.utils.datatypes import LocalCache
from scrapy.utils.httpobj import urlparse_cached
from scrapy.utils.misc import build_from_crawler
from twisted.internet import error as txerror

from urlcrawler.handlers.certificates import CertificateRefused
from urlcrawler.handlers.connector import Connector
from urlcrawler.handlers.guarded import (
    LEAST,
    MOST_HEADERS,
    Guarded,
    shared_by_connections,
)
from urlcrawler.meta import HOST_LATENCY

if TYPE_CHECKING:
    from urlcrawler.handlers.http import HttpHandler

_SESSIONS: WeakKeyDictionary[Crawler, aiohttp.ClientSession] = WeakKeyDictionary()
_MOST_KNOWN = 65_536  # origins of which it is remembered that their answers are odd
_LEGACY_SERVERS = 0x4  # SSL_OP_LEGACY_SERVER_CONNECT, which has a name from Python 3.12 on
_TOO_SHORT = "Not enough data"  # of chunks, in the words of aiohttp
_REPEATABLE = ("GET", "HEAD")


class _OddAnswer(exceptions.DownloadFailedError):
    """What came is no answer for aiohttp."""


class _Answer(_ClientResponse):
    """Knows how many seconds the server has taken until the head came."""

    latency: float

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        protocol = connection.protocol  # it is gone when the answer has ended
        answer = await super().start(connection)
        self.latency = protocol.latency
        return answer


class AiohttpHandler(Guarded, AiohttpDownloadHandler):
    """Promises what the other handler promises, and takes a fifth less of the processor."""

    experimental = False  # in Scrapy; here it passes the tests that the other one passes
    lazy = True  # it needs a loop that runs

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._odd = LocalCache[str, None](_MOST_KNOWN)
        self._session.detach()  # Scrapy's, of which nothing was used yet
        if crawler not in _SESSIONS:  # one for http and https, as with the other handler
            _SESSIONS[crawler] = self._new_session()
        self._session = _SESSIONS[crawler]

    def _new_session(self) -> aiohttp.ClientSession:
        head = self.crawler.settings.getint("DOWNLOAD_HEAD_MAXSIZE")
        if self.crawler.settings.getbool("DOWNLOAD_VERIFY_CERTIFICATES"):
            self._ssl_context.load_verify_locations(certifi.where())
        self._ssl_context.options |= _LEGACY_SERVERS  # as the other handler does
        connector = Connector(
            self._guard,
            **shared_by_connections(self.crawler),
            ssl=self._ssl_context,
            local_addr=self._bind_address,
        )
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # a middleware does, which stops at DOWNLOAD_MAXSIZE
            response_class=_Answer,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            max_line_size=head,
            max_field_size=head,
            max_headers=MOST_HEADERS,
        )
        # Private, and there is no other way: it would ask at once again, past all pauses, and the
        # row would not know. `tests/crawl/test_whole_answers.py` counts.
        session._retry_connection = False
        return session

    async def download_request(self, request: Request) -> Response:
        """Return the answer to *request*.

        Raises:
            PrivateAddress: its host has none but private addresses. Nothing was sent.
        """
        parts = urlparse_cached(request)
        origin = f"{parts.scheme}://{parts.netloc}"
        meta, began = request.meta, monotonic()
        timeout = meta.get("download_timeout")
        if origin not in self._odd or request.method not in _REPEATABLE:
            try:
                return await super().download_request(request)
            except (_OddAnswer, exceptions.ResponseDataLossError) as error:
                if request.method not in _REPEATABLE or not _is_odd(error):
                    raise
                self._odd[origin] = None
        if timeout:
            meta["download_timeout"] = max(LEAST, timeout - (monotonic() - began))
        try:
            return await self._tolerant.download_request(request)
        finally:
            if timeout:
                meta["download_timeout"] = timeout

    async def _read_response(self, response: _ClientResponse, request: Request) -> Response:
        """Read the body, if there is one: what has none may say how long it would be."""
        if response.status not in (204, 304) and request.method != "HEAD":
            return await super()._read_response(response, request)
        most = request.meta.get("download_maxsize", self._default_maxsize)
        request.meta["download_maxsize"] = 0
        try:
            return await super()._read_response(response, request)
        finally:
            request.meta["download_maxsize"] = most

    @cached_property
    def _tolerant(self) -> "HttpHandler":
        from urlcrawler.handlers.http import HttpHandler

        return build_from_crawler(HttpHandler, self.crawler)

    @asynccontextmanager
    async def _make_request(
        self, request: Request, timeout: float
    ) -> AsyncIterator[_ClientResponse]:
        """Send *request*; give the answer, of which the head is there, while the block runs."""
        try:
            async with self._session.request(
                request.method,
                yarl.URL(request.url, encoded=True),
                data=request.body,
                headers=self._request_headers(request).to_tuple_list(),
                # The first of the two says that it was the connection that took so long.
                timeout=aiohttp.ClientTimeout(
                    timeout, sock_connect=timeout * 0.99, ceil_threshold=math.inf
                ),
                allow_redirects=False,
                proxy=self._extract_proxy_url_with_creds(request),
            ) as response:
                request.meta[HOST_LATENCY] = cast("_Answer", response).latency
                yield cast("_ClientResponse", response)
        except aiohttp.ConnectionTimeoutError as error:
            raise txerror.TimeoutError from error
        except TimeoutError as error:
            raise exceptions.DownloadTimeoutError from error
        except (aiohttp.ClientConnectorDNSError, aiohttp.InvalidUrlClientError) as error:
            # The second is for hosts like 127.0.0.1. and 0177.1: neither name nor address.
            raise exceptions.CannotResolveHostError(str(error)) from error
        except aiohttp.ClientConnectorCertificateError as error:
            code: int = getattr(error.certificate_error, "verify_code", 0)
            raise CertificateRefused(code) from error
        except aiohttp.ClientSSLError as error:
            raise SSL.Error(_tls_words(error.os_error)) from error
        except (aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError) as error:
            raise _tunnel_error(str(error)) from error
        except aiohttp.ClientConnectorError as error:
            raise exceptions.DownloadConnectionRefusedError(str(error)) from error
        except aiohttp.ClientResponseError as error:
            raise _OddAnswer(str(error)) from error
        except aiohttp.ClientError as error:
            raise exceptions.DownloadFailedError(str(error)) from error

    @staticmethod
    def _extract_headers(response: Any) -> Headers:
        """Return the headers as they came: bytes, whatever they say."""
        return Headers(list(response.raw_headers))

    async def close(self) -> None:
        """Close the connections."""
        await super().close()
        if "_tolerant" in self.__dict__:
            await self._tolerant.close()


def _tunnel_error(words: str) -> Exception:
    """Return Scrapy's exception for a proxy that fails; RETRY_EXCEPTIONS has it."""
    from scrapy.core.downloader.handlers.http11 import TunnelError

    return TunnelError(words)


def _is_odd(error: BaseException) -> bool:
    """Return whether the parser has refused what came; not when it has ended too early."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, HttpProcessingError):
            return not isinstance(cause, ContentLengthError) and _TOO_SHORT not in str(cause)
        cause = cause.__cause__
    return isinstance(error, _OddAnswer)


def _tls_words(error: OSError) -> str:
    """Return the words of OpenSSL without those of Python."""
    reason = getattr(error, "reason", None) or error.strerror or "the handshake failed"
    return str(reason).replace("_", " ").lower()
