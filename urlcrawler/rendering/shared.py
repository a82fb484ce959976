"""Scripts and styles that pages have in common are asked for once, as a browser would.

Each page has a fresh profile, so the browser keeps nothing from one to the next: without this, a
shop with 50,000 pages would be asked 50,000 times for the same megabyte.
"""

from collections.abc import Awaitable, Callable
from email.utils import formatdate

from cachetools import LRUCache
from scrapy import Request
from scrapy.extensions.httpcache import RFC2616Policy
from scrapy.http import Response
from scrapy.settings import BaseSettings

MOST = 32_000_000  # bytes of them; those that nobody has asked for the longest make room
_KINDS = frozenset({"script", "stylesheet"})
# They make an answer that of one visitor.
_PERSONAL = ("Cookie", "Authorization")


class Shared:
    """Keeps what its server allows to be kept (RFC 2616, as Scrapy's HTTP cache reads it)."""

    def __init__(self, settings: BaseSettings) -> None:
        """Keep nothing yet."""
        self._policy = RFC2616Policy(settings)
        self._kept: LRUCache[str, Response] = LRUCache(MOST, lambda answer: len(answer.body))

    async def answer(
        self, request: Request, kind: str, fetch: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        """Return the answer to *request*: a kept one while it is fresh, else what *fetch* returns.

        Args:
            kind: of what is asked for, in playwright's words.
        """
        if kind not in _KINDS or any(name in request.headers for name in _PERSONAL):
            return await fetch(request)
        kept = self._kept.get(request.url)
        if kept and self._policy.is_cached_response_fresh(kept, request):
            return kept
        response = await fetch(request)  # with If-None-Match and the like, if it is kept
        if kept and self._policy.is_cached_response_valid(kept, response, request):
            kept.headers["Date"] = _date_of(response)
            return kept
        response.headers["Date"] = _date_of(response)
        if self._may_keep(request, response):
            self._kept[request.url] = response
        return response

    def _may_keep(self, request: Request, response: Response) -> bool:
        said = (response.headers.get("Cache-Control") or b"").lower()
        is_personal = "Set-Cookie" in response.headers or b"private" in said
        # Or that of one site: who asks is in the answer, or decides on it.
        varies = {
            name.strip() for name in (response.headers.get("Vary") or b"").lower().split(b",")
        }
        is_personal |= bool(varies - {b"", b"accept-encoding"})
        is_personal |= response.headers.get("Access-Control-Allow-Origin") not in (None, b"*")
        is_whole = response.status == 200 and response.url == request.url
        is_small = len(response.body) <= MOST / 8
        may = self._policy.should_cache_response(response, request)
        return may and is_whole and is_small and not is_personal


def _date_of(response: Response) -> bytes:
    """Return when *response* was sent, from which its age counts."""
    return response.headers.get("Date") or formatdate(usegmt=True).encode()
