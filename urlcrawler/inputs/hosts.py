"""Which record is next: hosts, not lines.

Lists are usually sorted by host. Read in order with a bounded window, the window fills with one
slow host and the crawl stalls; so the crawl asks here for the next record of a host that has room.
"""

import heapq
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Generic, NamedTuple, TypeVar

from urlcrawler.inputs.index import ListIndex, Resolved

RequestT = TypeVar("RequestT")  # opaque here: this package knows no Scrapy


class Host(Generic[RequestT]):
    """The state of one host; it has this one home.

    Attributes:
        name: host name, or whatever groups requests that must be polite to one another.
        active: how many of its requests are out.
        next: position of its next record of the list, 0 when all were given out.
        followups: requests that are no records (retries, redirects, a spider's own), by priority.
    """

    __slots__ = ("active", "followups", "name", "next", "queued", "working")

    def __init__(self, name: str) -> None:
        self.name = name
        self.active = 0
        self.next = 0
        self.followups: list[tuple[int, int, RequestT]] = []
        self.queued = False
        self.working = False

    @property
    def has_work(self) -> bool:
        """Whether a request of the host waits."""
        return bool(self.next or self.followups)


class Turn(NamedTuple, Generic[RequestT]):
    """Whose turn it is: a record of the list, or a request that was pushed."""

    host: Host[RequestT]
    record: Resolved | None
    request: RequestT | None


class HostQueue(Generic[RequestT]):
    """Gives out records and requests, host by host in turn.

    At most *total* hosts are open at a time, largest first: that bounds what is kept per host. Each
    gets its fair share of *total*, so that slow hosts can never take the whole window, and never
    more than *per_host* requests out at once.
    """

    def __init__(
        self, index: ListIndex, *, total: int, per_host: int, done: Callable[[int], bool]
    ) -> None:
        self._index = index
        self._total = total or 1 << 30  # Scrapy: 0 means no limit
        self._per_host = per_host
        self._done = done
        self._open: dict[str, Host[RequestT]] = {}
        self._unopened = 0  # place in index.heads of the next host to open
        self._ready: deque[Host[RequestT]] = deque()
        self._working = 0  # how many of the open hosts have work
        self._share = per_host
        self._age = count()

    def __bool__(self) -> bool:
        """Whether anything waits to be given out."""
        return self._working > 0 or self._unopened < len(self._index.heads)

    def push(self, name: str, request: RequestT, priority: int = 0) -> None:
        """Let *request* wait for its turn on host *name*."""
        host = self._host(name)
        heapq.heappush(host.followups, (-priority, next(self._age), request))
        self._queue(host)

    def take(self) -> Turn[RequestT] | None:
        """Return what is next, or None while no host that has work has room."""
        while self._unopened < len(self._index.heads) and len(self._open) < self._total:
            self._open_next()
        while self._ready:
            host = self._ready.popleft()
            host.queued = False
            if host.active >= self._share:
                continue  # the share has shrunk since it was queued
            host.active += 1
            if host.followups:
                turn = Turn(host, None, heapq.heappop(host.followups)[2])
            else:
                turn = Turn(host, self._index.resolve(host.next), None)
                host.next = self._undone(self._index.following(host.next))
            self._queue(host)
            return turn
        return None

    def give_back(self, host: Host[RequestT]) -> None:
        """Note that a request of *host* is finished, however it ended."""
        host.active -= 1
        self._queue(host)
        if not host.active and not host.has_work:
            del self._open[host.name]

    def _open_next(self) -> None:
        position = self._undone(int(self._index.heads[self._unopened]))
        self._unopened += 1
        if position:
            target = self._index.resolve(position).target
            host = self._host(getattr(target, "host", ""))
            host.next = position
            self._queue(host)

    def _undone(self, position: int) -> int:
        """Return *position*, or the next of its host that is not done yet."""
        while position and self._done(position):
            position = self._index.following(position)
        return position

    def _host(self, name: str) -> Host[RequestT]:
        if name not in self._open:
            self._open[name] = Host(name)
        return self._open[name]

    def _queue(self, host: Host[RequestT]) -> None:
        """Put *host* in the row of those that can be served, if it can."""
        if host.working != host.has_work:
            host.working = not host.working
            self._working += 1 if host.working else -1
            self._divide()
        if not host.queued and host.working and host.active < self._share:
            host.queued = True
            self._ready.append(host)

    def _divide(self) -> None:
        """Give each host that has work its share of the window."""
        share = max(1, min(self._per_host, self._total // max(1, self._working)))
        grown, self._share = share > self._share, share
        if grown:
            for host in self._open.values():
                self._queue(host)
