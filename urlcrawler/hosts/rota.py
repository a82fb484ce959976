"""Whose turn it is: of the hosts that can be served, the one that will take longest from now on.

A crawl is over when its last host is. While all have room the order does not matter; when the
processor or the total is what all wait for, a large host that had to share with hundreds of small
ones would be left over at the end, and alone (longest processing time first: Graham, 1969).
"""

import heapq
from itertools import count
from typing import Generic

from urlcrawler.hosts.host import Host
from urlcrawler.hosts.manners import RequestT


class Rota(Generic[RequestT]):
    """Hosts that can be served now, and those that can be at a time; each stands in it once."""

    def __init__(self) -> None:
        self._ready: list[tuple[float, int, Host[RequestT]]] = []
        self._timed: list[tuple[float, int, Host[RequestT]]] = []
        self._age = count()

    @property
    def wake_at(self) -> float | None:
        """When to look again although nothing has happened; None when there is no such time."""
        return self._timed[0][0] if self._timed else None

    def put(self, host: Host[RequestT], at: float, now: float) -> None:
        """Let *host* have its turn, from the time *at* on; inf is not at all for now."""
        if at <= now:
            host.queued = True
            # Equal ones come by turns.
            heapq.heappush(self._ready, (-host.seconds_left(now), next(self._age), host))
        elif at < float("inf") and (not host.timed or at < host.timed):
            host.timed = at
            heapq.heappush(self._timed, (at, next(self._age), host))

    def pop(self, now: float) -> Host[RequestT] | None:
        """Return whose turn it is, if anybody's. It may have less room than when it was put."""
        while self._timed and self._timed[0][0] <= now:
            host = heapq.heappop(self._timed)[2]
            host.timed = 0.0
            if not host.queued:
                self.put(host, now, now)
        if not self._ready:
            return None
        host = heapq.heappop(self._ready)[2]
        host.queued = False
        return host
