"""Tells the scheduler when a host has room again, and the engine when to ask for more.

Why this is a downloader: no signal of Scrapy's fires exactly once for every request that the
scheduler gave out. `request_left_downloader` misses those that end in a middleware (robots.txt, a
cached response), and middlewares miss those that end in an exception of another middleware.
`fetch` is the one place that each of them passes, both ways. And the engine asks for the next
request when something has happened, or every 5 s; that a pause or a delay is over is no event to
it, and its `_slot.nextcall` is the only way to say so. `tests/test_downloader.py` fails when
Scrapy changes the one, `tests/crawl/test_politeness.py` (the pace of robots.txt) when the other.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from time import monotonic
from typing import Any

from scrapy import Request
from scrapy.core.downloader import Downloader
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.utils.defer import deferred_from_coro, maybe_deferred_to_future
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IHostResolution, IResolutionReceiver
from zope.interface import implementer

from urlcrawler.hosts.groups import Groups
from urlcrawler.hosts.guests import Guest
from urlcrawler.hosts.headers import retry_after
from urlcrawler.hosts.window import Window
from urlcrawler.inputs.urls import origin_of
from urlcrawler.items import status_reason
from urlcrawler.meta import HOST_LATENCY, PLAIN, ROBOTS_TXT
from urlcrawler.room import room_of

_REFUSED = (429, 503)


@dataclass(slots=True, eq=False)
class Holder:
    """Who has a place on a host, for as long as it has; contexts outlive requests by far."""

    name: str | None


Holders = tuple[Holder, ...]
# The requests for whose sake something is done.
_holders: ContextVar[Holders] = ContextVar("holders", default=())


class ListDownloader(Downloader):
    """Fetch as Scrapy does, and note the end of each request at the scheduler."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._apart = 0  # requests that are out and take no place: robots.txt, pages in the browser
        self._room = room_of(crawler)
        self.window = Window(self.total_concurrency)
        self.groups = Groups(crawler.settings["THROTTLE_GROUP_BY"], look_up)

    def fetch(self, request: Request) -> "Deferred[Response | Request]":  # type: ignore[override]
        """Return what the download and its middlewares make of *request*."""
        scheduler: Any = self.crawler.engine.scheduler
        is_apart = ROBOTS_TXT in request.meta or PLAIN in request.meta
        if not is_apart and scheduler.out(request) is None:
            return deferred_from_coro(self._fetch_guest(request, scheduler))
        self._apart += is_apart
        holder = Holder(None if is_apart else self.get_slot_key(request))

        def finished(result: Any) -> Any:
            holder.name = None
            self._apart -= is_apart
            scheduler.finished(request)
            return result

        with _holding(holder):
            fetched: Deferred[Response | Request] = super().fetch(request)
        return fetched.addBoth(finished)

    async def _fetch_guest(self, request: Request, scheduler: Any) -> Response | Request:
        """Return the same for a request that does not come from the scheduler."""
        group: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        host = urlparse_cached(request).hostname or ""
        self.groups.find(host, lambda name: None if group.done() else group.set_result(name))
        name = request.meta.get(self.DOWNLOAD_SLOT) or await group
        is_awaited = any(holder.name == name for holder in _holders.get())
        guest = await scheduler.guests.enter(name, origin_of(request.url), is_awaited=is_awaited)
        holder = Holder(name)
        try:
            with _holding(*_holders.get(), holder):
                fetched = super().fetch(request)
            result = await maybe_deferred_to_future(fetched)
            if isinstance(result, Response):
                _tell(guest, request, result)
            return result
        finally:
            holder.name = None
            guest.leave()

    def needs_backout(self) -> bool:
        """Return whether there are as many requests as there may be, or as much to be read.

        One for a robots.txt takes the place of a request that waits for it: counted twice, a few
        hundred hosts that do not answer would keep all others waiting. Pages in the browser have a
        limit of their own.
        """
        is_full = 0 < self.total_concurrency <= len(self.active) - self._apart
        return is_full or self._room.is_crowded

    def get_slot_key(self, request: Request) -> str:
        """Return the slot of *request*: the one it names, or the group of its host."""
        chosen: str | None = request.meta.get(self.DOWNLOAD_SLOT)
        return chosen or self.groups.name(urlparse_cached(request).hostname or "")

    def leave_slot(self, request: Request, hostname: str) -> None:
        """Let *request*, a copy of one to *hostname*, find a slot by its own URL.

        A `download_slot` that somebody has chosen stays.
        """
        if request.meta.get(self.DOWNLOAD_SLOT) in (hostname, self.groups.name(hostname)):
            del request.meta[self.DOWNLOAD_SLOT]

    def wake(self) -> None:
        """Let the engine ask for the next request soon."""
        slot = self.crawler.engine._slot if self.crawler.engine else None
        if slot is not None:
            slot.nextcall.schedule()


@contextmanager
def _holding(*holders: Holder) -> Iterator[None]:
    """Let what is started in the block know who has a place on which host, and waits for it.

    What a middleware downloads for its request need not wait for that one's place.
    """
    token = _holders.set(holders)
    try:
        yield
    finally:
        _holders.reset(token)


def _tell(guest: Guest[Request], request: Request, response: Response) -> None:
    now = monotonic()
    if response.status in _REFUSED:
        after = (response.headers.get("Retry-After") or b"").decode("latin-1")
        guest.refused(retry_after(after), now, status_reason(response.status))
    elif latency := request.meta.get(HOST_LATENCY) or request.meta.get("download_latency"):
        guest.answered(latency, now)


def look_up(host: str, found: Callable[[str | None], None]) -> None:
    """Call *found* with the address that requests to *host* go to; None when there is none."""
    from twisted.internet import reactor  # installed by now, and not before

    resolver: Any = reactor
    resolver.nameResolver.resolveHostName(_FirstAddress(found), host)


@implementer(IResolutionReceiver)
class _FirstAddress:
    def __init__(self, found: Callable[[str | None], None]) -> None:
        self._found = found
        self._address: str | None = None

    def resolutionBegan(self, resolution: IHostResolution) -> None:  # noqa: N802
        pass

    def addressResolved(self, address: IAddress) -> None:  # noqa: N802
        self._address = self._address or getattr(address, "host", None)

    def resolutionComplete(self) -> None:  # noqa: N802
        self._found(self._address)
