"""Which record is next: hosts, not lines.

Lists are usually sorted by host. Read in order with a bounded window, the window fills with one
slow host and the crawl stalls; so the crawl asks here for the next record of a host that has room
and may be asked now. What must wait, waits here: for a pause that its host wants, for a back-off,
for a probe.
"""

import heapq
from collections import deque
from collections.abc import Callable, Mapping
from itertools import count
from time import monotonic
from types import MappingProxyType
from typing import Generic, NamedTuple

import numpy as np
from numpy.typing import NDArray

from urlcrawler.hosts.host import MOST_ORIGINS, Host
from urlcrawler.hosts.kept import MOST_KNOWN, KeptHosts
from urlcrawler.hosts.manners import Manners, RequestT, Sent
from urlcrawler.hosts.origin import Origin
from urlcrawler.hosts.remaining import Remaining
from urlcrawler.hosts.rota import Rota
from urlcrawler.hosts.shares import Shares
from urlcrawler.inputs.index import ListIndex, Resolved

MOST_PUSHED = 4096  # requests that wait; with more of them no record is given out
MOST_OPENED = 256  # origins at once, before the event loop has its turn again


class Turn(NamedTuple, Generic[RequestT]):
    """Whose turn it is: a record of the list, or a request that was pushed.

    Attributes:
        sent: what was known of the host at this moment.
        probe: a request that went well before: whether the origin is well, and nothing else, is
            asked.
        attempts: how often the record was requested before this last round; 0 before that.
    """

    origin: Origin[RequestT]
    sent: Sent
    record: Resolved | None
    request: RequestT | None
    attempts: int = 0
    probe: RequestT | None = None


class HostQueue(Generic[RequestT]):
    """Gives out records and requests, host by host in turn.

    At most *total* hosts are open at a time, largest first: that bounds what is kept per host. None
    gets more than its limit allows, and while the window is more than half full none gets more than
    its fair share of *total*, so that slow hosts can never take all of it.

    Attributes:
        kept: the state of the hosts.
        remaining: what of the list was not begun, and its last round.
        given_up: origins of which nothing more is to be asked; the caller takes them out.
    """

    def __init__(
        self,
        index: ListIndex,
        *,
        total: int,
        manners: Manners,
        own_manners: Mapping[str, Manners] = MappingProxyType({}),
        done: Callable[[int], bool],
        clock: Callable[[], float] = monotonic,
        group: Callable[[str, Callable[[str], None]], None] | None = None,
        most_known: int = MOST_KNOWN,
        sizes: NDArray[np.uint32] | None = None,
    ) -> None:
        """Open the queue of a list.

        Args:
            own_manners: those of hosts that the user treats otherwise, by name.
            done: whether a record has its row already.
            group: called with the name of a host and with what to call, now or later, with the
                name of the group in which it is polite; without it each host stands for itself.
            most_known: of how many hosts without work the state is kept.
            sizes: of each origin, how many records are not done; None when none is.
        """
        self.remaining = Remaining(index, done, index.sizes() if sizes is None else sizes)
        self._total = total or 1 << 30  # Scrapy: 0 means no limit
        self.kept = KeptHosts[RequestT](manners, own_manners, most_known)
        self._clock = clock
        self._group = group or (lambda name, ready: ready(name))
        self._opening = 0  # hosts whose group is not known yet
        self._rota = Rota[RequestT]()
        self._pushed = 0  # requests that wait, of all hosts
        self._shares = Shares(self._total, manners.ceiling)
        self._age = count()
        self.given_up: deque[Origin[RequestT]] = deque()

    def __bool__(self) -> bool:
        """Whether anything waits to be given out."""
        return self._shares.working > 0 or self._opening > 0 or bool(self.remaining)

    @property
    def wake_at(self) -> float | None:
        """When to ask again although nothing has happened; None when there is no such time."""
        return self._rota.wake_at

    def push(
        self, name: str, origin: str, request: RequestT, priority: int = 0, not_before: float = 0.0
    ) -> None:
        """Let *request* wait for its turn on host *name*, and for the time *not_before*."""
        waits = self.kept.origin(name, origin, self._clock())
        self._pushed += 1
        heapq.heappush(waits.waiting, (not_before, -priority, next(self._age), request))
        waits.wake(self._clock())
        self._queue(waits.host, waits)

    def push_to_group(self, name: str, origin: str, request: RequestT, priority: int = 0) -> None:
        """Let *request* wait for the group of the host *name*, when it is known."""
        self._opening += 1

        def push(group: str) -> None:
            self._opening -= 1
            self.push(group, origin, request, priority)

        self._group(name, push)

    def take(self) -> Turn[RequestT] | None:
        """Return what is next, or None while no host that has work has room."""
        now = self._clock()
        self._open_more()
        behind: list[Host[RequestT]] = []
        turn = self._take_ready(now, behind)
        if turn:
            self._shares.take()
        for host in behind:
            self._queue(host)
        return turn

    def give_back(self, origin: Origin[RequestT]) -> None:
        """Note that a request of *origin* is finished, however it ended."""
        origin.active -= 1
        origin.host.active -= 1
        if self._shares.give_back():
            self._look_at_all()
        self.changed(origin)

    def changed(self, origin: Origin[RequestT]) -> None:
        """Look again at what *origin* may have."""
        host = origin.host
        self._queue(host, origin)
        if not (host.active or host.guests or host.has_work):
            self.kept.close(host)

    def write_off(self, origin: Origin[RequestT]) -> Turn[RequestT] | None:
        """Take a request or record out of what waits for an origin that is given up."""
        origin.wake(float("inf"))
        if not origin.has_work:
            self.changed(origin)
            return None
        return self._next_of(origin, Sent(0.0, 0, 0))

    def _take_ready(self, now: float, behind: list[Host[RequestT]]) -> Turn[RequestT] | None:
        """Return what is next of the hosts that are ready; put aside those that are *behind*."""
        while host := self._rota.pop(now):
            self._find_given_up(host, now)
            if host.active >= host.room(self._shares.each) or host.ready_at(now) > now:
                self._queue(host)  # less room than when it was queued, or a pause
                continue
            origin = host.next_origin(now, may_begin=self._pushed < MOST_PUSHED)
            if origin is None:
                behind.append(host)  # first what records redirect to, or wait to be tried again
                continue
            sent = host.sent(now)
            origin.active += 1
            if origin.probe is not None:
                self._queue(host)  # for its other origins
                return Turn(origin, sent, None, None, probe=origin.probe)
            origin.wake(now)
            turn = self._next_of(origin, sent)
            self._queue(host, origin)
            return turn
        return None

    def _next_of(self, origin: Origin[RequestT], sent: Sent) -> Turn[RequestT]:
        if origin.is_turn_of_new():
            record, attempts = self.remaining.take(origin.chains)
            origin.host.left -= 1
            return Turn(origin, sent, record, None, attempts)
        self._pushed -= 1
        return Turn(origin, sent, None, heapq.heappop(origin.followups)[2])

    def _open_more(self) -> None:
        """Open hosts while there is room for more."""
        for _ in range(MOST_OPENED):
            if len(self.kept.open) + self._opening >= self._total:
                return
            is_idle = not self.kept.open and not self._opening
            position = self.remaining.next_head(may_begin_last_round=is_idle)
            if not position:
                return
            self._opening += 1
            name, origin = self.remaining.names(position)
            self._group(name, self._opener(position, origin))

    def _opener(self, position: int, name: str) -> Callable[[str], None]:
        def open_in(group: str) -> None:
            self._opening -= 1
            host = self.kept.get(group)
            if host and len(host.working) >= MOST_ORIGINS:
                host.heads.append(position)
                return
            origin = self.kept.origin(group, name, self._clock())
            self._begin_chain(origin, position)
            self._queue(origin.host, origin)

        return open_in

    def _begin_chain(self, origin: Origin[RequestT], position: int) -> None:
        origin.chains.append(position)
        origin.host.left += self.remaining.size(position)

    def _queue(self, host: Host[RequestT], changed: Origin[RequestT] | None = None) -> None:
        """Put *host* in the row of those that can be served, now or at its time, if it can.

        Args:
            changed: an origin that has got work, or has none any more, or none that may be asked.
        """
        if changed:
            host.note_work(changed)
            while host.heads and len(host.working) < MOST_ORIGINS:
                position = host.heads.popleft()
                name = self.remaining.names(position)[1]
                origin = self.kept.origin(host.name, name, self._clock())
                self._begin_chain(origin, position)
                host.note_work(origin)
        if host.is_counted != host.has_work:
            host.is_counted = host.has_work
            if self._shares.note_work(has_work=host.has_work):
                self._look_at_all()
        if host.queued or not host.has_work or host.active >= host.room(self._shares.each):
            return
        now = self._clock()
        self._find_given_up(host, now)
        self._rota.put(host, host.ready_at(now), now)

    def _find_given_up(self, host: Host[RequestT], now: float) -> None:
        for origin in host.working:
            if (
                origin.circuit.is_exhausted
                and not (origin.active or origin.is_given_up)
                and origin.is_exhausted(now, may_be_offline=self.kept.may_be_offline(origin))
            ):
                origin.is_given_up = True
                self.given_up.append(origin)

    def _look_at_all(self) -> None:
        for host in self.kept.open.values():
            self._queue(host)
