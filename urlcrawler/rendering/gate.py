"""The limits of hosts, for what rendered pages ask for.

Such requests do not come from the list, so the scheduler knows nothing of them; and the slots of
Scrapy's downloader count a request when it is sent, which is too late for many at once.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, cast

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from urlcrawler.hosts.headers import retry_after

_PAUSE = 0.05  # seconds between two looks whether there is room
_REFUSED = (429, 503)
_REST = 5.0  # seconds of rest for a host that refuses and does not say for how long


class Gate:
    """Lets requests to a host pass as its limit and its pauses say."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._under_way: Counter[str] = Counter()  # by the name of the host, or its group
        self._most = crawler.settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")

    @asynccontextmanager
    async def passed(self, request: Request) -> AsyncIterator[Callable[[Response], None]]:
        """Wait until *request* may be sent; give what is to be told of its answer."""
        engine = cast("Any", self._crawler.engine)
        name = engine.downloader.get_slot_key(request)

        def known() -> Any:
            return engine.scheduler.hosts.kept.get(name)

        def told(response: Response) -> None:
            if response.status in _REFUSED and (host := known()):
                after = (response.headers.get("Retry-After") or b"").decode("latin-1")
                host.pause(retry_after(after) or _REST, monotonic())

        while self._under_way[name] >= self._limit(known()) or self._is_paused(known()):
            await asyncio.sleep(_PAUSE)
        self._under_way[name] += 1
        try:
            yield told
        finally:
            self._under_way[name] -= 1
            if not self._under_way[name]:
                del self._under_way[name]

    def _limit(self, host: Any) -> int:
        """Return how many may be under way, besides what is asked for the list."""
        return max(1, host.limit.value - host.active) if host else min(2, self._most)

    def _is_paused(self, host: Any) -> bool:
        return bool(host) and host.paused_until > monotonic()
