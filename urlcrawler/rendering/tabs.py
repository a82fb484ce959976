"""Pages that wait for a tab of the browser: in no host's queue, as their host has answered."""

from collections import deque

from scrapy import Request
from scrapy.http import Response

from urlcrawler.meta import PLAIN

MOST_WAITING = 64_000_000  # bytes of pages


class Tabs:
    """So many pages are rendered at a time; others wait here, and hold up no plain page."""

    def __init__(self, count: int) -> None:
        """Let *count* pages have a tab at a time."""
        self._free = count
        self._waiting: deque[Request] = deque()
        self._bytes = 0

    def __bool__(self) -> bool:
        """Whether a page waits."""
        return bool(self._waiting)

    @property
    def waiting(self) -> int:
        """How many pages wait."""
        return len(self._waiting)

    @property
    def is_crowded(self) -> bool:
        """Whether so much waits that no more pages should be fetched."""
        return self._bytes > MOST_WAITING

    def push(self, request: Request) -> None:
        """Let *request* wait; it has its answer with it."""
        self._waiting.append(request)
        self._bytes += _size(request)

    def take(self) -> Request | None:
        """Return the request that has a tab now; None when none waits, or none is free."""
        if not self._waiting or self._free <= 0:
            return None
        self._free -= 1
        return self._waiting.popleft()

    def leave(self, request: Request) -> None:
        """Note that *request* needs its tab no more."""
        self._free += 1
        self._bytes -= _size(request)


def _size(request: Request) -> int:
    plain: Response = request.meta[PLAIN]
    return len(plain.body)
