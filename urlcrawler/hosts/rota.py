"""Whose turn it is: hosts that can be served now, and hosts that can be at a time."""

import heapq
from collections import deque
from itertools import count
from typing import Generic

from urlcrawler.hosts.host import Host
from urlcrawler.hosts.manners import RequestT


class Rota(Generic[RequestT]):
    """Hosts in the order in which they came; each stands in it once."""

    def __init__(self) -> None:
        self._ready: deque[Host[RequestT]] = deque()
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
            self._ready.append(host)
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
        host = self._ready.popleft()
        host.queued = False
        return host
