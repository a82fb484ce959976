"""Which record is next: hosts, not lines.

Lists are usually sorted by host. Read in order with a bounded window, the window fills with one
slow host and the crawl stalls; so the crawl asks here for the next record of a host that has room
and may be asked now. What must wait, waits here: for a pause that its host wants, for a back-off,
for a probe.
"""

import heapq
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from itertools import count
from time import monotonic
from types import MappingProxyType
from typing import Generic, NamedTuple

from urlcrawler.hosts.host import Host
from urlcrawler.hosts.lastround import LastRound
from urlcrawler.hosts.treatment import OFFLINE, Manners, RequestT, Sent
from urlcrawler.inputs.index import ListIndex, Resolved

MOST_PUSHED = 4096  # requests that wait; with more of them no record is given out


class Turn(NamedTuple, Generic[RequestT]):
    """Whose turn it is: a record of the list, or a request that was pushed.

    Attributes:
        sent: what was known of the host at this moment.
        probe: a request that went well before: whether the host is well, and nothing else, is
            asked.
        attempts: how often the record was requested before this last round; 0 before that.
    """

    host: Host[RequestT]
    sent: Sent
    record: Resolved | None
    request: RequestT | None
    attempts: int = 0
    probe: RequestT | None = None


class HostQueue(Generic[RequestT]):
    """Gives out records and requests, host by host in turn.

    At most *total* hosts are open at a time, largest first: that bounds what is kept per host. Each
    gets its fair share of *total*, so that slow hosts can never take the whole window, and never
    more than its limit allows.

    Attributes:
        last_round: records that wait until all others are done.
        last_answer: when any host has answered last.
        forget: called with a host whose state is not kept any longer.
        given_up: hosts on which nothing more is to be asked; the caller takes them out.
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
        known: int = 1024,
    ) -> None:
        """Open the queue of a list.

        Args:
            own_manners: those of hosts that the user treats otherwise, by name.
            done: whether a record has its row already.
            group: called with the name of a host and with what to call, now or later, with the
                name of the group in which it is polite; without it each host stands for itself.
            known: of how many hosts without work the state is kept: redirects come back to them.
        """
        self._index = index
        self._heads = index.heads
        self._total = total or 1 << 30  # Scrapy: 0 means no limit
        self._manners = manners
        self._own_manners = own_manners
        self._done = done
        self._clock = clock
        self._group = group or (lambda name, ready: ready(name))
        self.forget: Callable[[Host[RequestT]], None] = lambda host: None
        self._most_known = known
        self._open: dict[str, Host[RequestT]] = {}
        self._known: OrderedDict[str, Host[RequestT]] = OrderedDict()
        self._unopened = 0  # place in the heads of the next host to open
        self._opening = 0  # hosts whose group is not known yet
        self._ready: deque[Host[RequestT]] = deque()
        self._timed: list[tuple[float, int, Host[RequestT]]] = []
        self._pushed = 0  # requests that wait, of all hosts
        self._working = 0  # how many of the open hosts have work
        self._share = manners.ceiling
        self._age = count()
        self.last_round = LastRound(index)
        self.last_answer = -1.0
        self.given_up: deque[Host[RequestT]] = deque()

    def __bool__(self) -> bool:
        """Whether anything waits to be given out."""
        return (
            self._working > 0
            or self._opening > 0
            or self._unopened < len(self._heads)
            or bool(self.last_round)
        )

    @property
    def wake_at(self) -> float | None:
        """When to ask again although nothing has happened; None when there is no such time."""
        return self._timed[0][0] if self._timed else None

    def may_be_offline(self, host: Host[RequestT]) -> bool:
        """Return whether *host* is silent because this machine is offline.

        That is: since it fell silent no host has answered, and others are silent as well.
        """
        return self.last_answer <= host.circuit.opened_at and any(
            other.circuit.cause in OFFLINE for other in self._open.values() if other is not host
        )

    def host(self, name: str) -> Host[RequestT] | None:
        """Return the state of a host or group, if it has one."""
        return self._open.get(name) or self._known.get(name)

    def hosts(self) -> list[Host[RequestT]]:
        """Return all hosts whose state is kept."""
        return [*self._open.values(), *self._known.values()]

    def push(
        self, name: str, request: RequestT, priority: int = 0, not_before: float = 0.0
    ) -> None:
        """Let *request* wait for its turn on host *name*, and for the time *not_before*."""
        host = self._host(name)
        self._pushed += 1
        heapq.heappush(host.waiting, (not_before, -priority, next(self._age), request))
        host.wake(self._clock())
        self._queue(host)

    def push_to_group(self, name: str, request: RequestT, priority: int = 0) -> None:
        """Let *request* wait for the group of the host *name*, when it is known."""
        self._opening += 1

        def push(group: str) -> None:
            self._opening -= 1
            self.push(group, request, priority)

        self._group(name, push)

    def take(self) -> Turn[RequestT] | None:
        """Return what is next, or None while no host that has work has room."""
        now = self._clock()
        self._open_more()
        while self._timed and self._timed[0][0] <= now:
            host = heapq.heappop(self._timed)[2]
            host.timed = 0.0
            self._queue(host)
        behind: list[Host[RequestT]] = []
        turn = self._take_ready(now, behind)
        for host in behind:
            self._queue(host)
        return turn

    def _take_ready(self, now: float, behind: list[Host[RequestT]]) -> Turn[RequestT] | None:
        """Return what is next of the hosts that are ready; put aside those that are *behind*."""
        while self._ready:
            host = self._ready.popleft()
            host.queued = False
            if host.active >= host.room(self._share) or host.ready_at(now) > now:
                self._queue(host)  # less room than when it was queued, or a pause
                continue
            host.wake(now)
            if not host.followups and not host.chains:
                self._queue(host)
                continue
            if not host.followups and host.probe is None and self._pushed >= MOST_PUSHED:
                behind.append(host)  # first what records redirect to, or wait to be tried again
                continue
            sent = host.sent(now)
            if host.probe is not None:
                return Turn(host, sent, None, None, probe=host.probe)
            # Probes ask by turns for what has not failed yet, as the page may be at fault and not
            # the host, and for what has, as the host may answer that the second time.
            is_turn_of_new = host.circuit.is_open and host.circuit.probes % 2 == 0
            if host.chains and (not host.followups or is_turn_of_new):
                record, attempts = self._next_record(host)
                turn = Turn(host, sent, record, None, attempts)
            else:
                turn = Turn(host, sent, None, self._pop(host))
            self._queue(host)
            return turn
        return None

    def give_back(self, host: Host[RequestT]) -> None:
        """Note that a request of *host* is finished, however it ended."""
        host.active -= 1
        self.changed(host)

    def changed(self, host: Host[RequestT]) -> None:
        """Look again at what *host* may have."""
        self._queue(host)
        if not host.active and not host.has_work and host.name in self._open:
            del self._open[host.name]
            self._known[host.name] = host
            if len(self._known) > self._most_known:
                self.forget(self._known.popitem(last=False)[1])

    def write_off(self, host: Host[RequestT]) -> Turn[RequestT] | None:
        """Take a request or record out of what waits for a host that is given up."""
        record = request = None
        attempts = 0
        host.wake(float("inf"))
        if host.followups:
            request = self._pop(host)
        elif host.chains:
            record, attempts = self._next_record(host)
        else:
            self.changed(host)
            return None
        return Turn(host, Sent(0.0, 0, 0), record, request, attempts)

    def _open_more(self) -> None:
        while len(self._open) + self._opening < self._total:
            if self._unopened >= len(self._heads):
                if not self.last_round or self._open or self._opening:
                    return
                self._heads, self._unopened = self.last_round.begin(), 0  # all others are done
            position = self._undone(int(self._heads[self._unopened]))
            self._unopened += 1
            if position:
                target = self._index.resolve(position).target
                self._opening += 1
                self._group(getattr(target, "host", ""), self._opener(position))

    def _next_record(self, host: Host[RequestT]) -> tuple[Resolved, int]:
        """Take the next record of *host* out; return it with the attempts that it has had."""
        position = host.chains.popleft()
        if following := self._undone(self._index.following(position)):
            host.chains.append(following)
        return self._index.resolve(position), self.last_round.attempts(position)

    def _pop(self, host: Host[RequestT]) -> RequestT:
        self._pushed -= 1
        return heapq.heappop(host.followups)[2]

    def _opener(self, position: int) -> Callable[[str], None]:
        def open_in(group: str) -> None:
            self._opening -= 1
            host = self._host(group)
            host.chains.append(position)
            self._queue(host)

        return open_in

    def _undone(self, position: int) -> int:
        """Return *position*, or the next of its host that is not done yet."""
        while position and self._done(position):
            position = self._index.following(position)
        return position

    def _host(self, name: str) -> Host[RequestT]:
        if name not in self._open:
            known = self._known.pop(name) if name in self._known else None
            self._open[name] = known or Host(name, self._own_manners.get(name, self._manners))
        return self._open[name]

    def _queue(self, host: Host[RequestT]) -> None:
        """Put *host* in the row of those that can be served, now or at its time, if it can."""
        if host.working != host.has_work:
            host.working = not host.working
            self._working += 1 if host.working else -1
            self._divide()
        if host.queued or not host.working or host.active >= host.room(self._share):
            return
        now = self._clock()
        if not host.active and host.is_given_up(now, self.may_be_offline):
            if host not in self.given_up:
                self.given_up.append(host)
            return
        at = host.ready_at(now)
        if at <= now:
            host.queued = True
            self._ready.append(host)
        elif not host.timed or at < host.timed:
            host.timed = at
            heapq.heappush(self._timed, (at, next(self._age), host))

    def _divide(self) -> None:
        """Give each host that has work its share of the window."""
        share = max(1, min(self._manners.ceiling, self._total // max(1, self._working)))
        grown, self._share = share > self._share, share
        if grown:
            for host in self._open.values():
                self._queue(host)
