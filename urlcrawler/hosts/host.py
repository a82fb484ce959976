"""The state of one host; it has this one home."""

import heapq
from collections import deque
from collections.abc import Callable

from urlcrawler.hosts.treatment import (
    OFFLINE,
    OFFLINE_PATIENCE,
    Manners,
    RequestT,
    Sent,
    Treatment,
)

MOST_WAITING = 32  # requests of a host that back off; then it gets no further record


class Host(Treatment[RequestT]):
    """What waits for a host, and how the host is treated.

    Attributes:
        name: host name, or whatever groups requests that must be polite to one another.
        active: how many of its requests are out.
        chains: positions of the next record of each list of records that it has.
        followups: requests that are no records (retries, redirects, a spider's own), by priority.
        waiting: those whose time has not come, by time.
    """

    __slots__ = ("active", "chains", "followups", "name", "queued", "timed", "waiting", "working")

    def __init__(self, name: str, manners: Manners) -> None:
        super().__init__(manners)
        self.name = name
        self.active = 0
        self.chains: deque[int] = deque()
        self.followups: list[tuple[int, int, RequestT]] = []
        self.waiting: list[tuple[float, int, int, RequestT]] = []
        self.queued = False  # in the row of those that can be served
        self.timed = 0.0  # when it is looked at again, 0 when nothing is planned
        self.working = False

    @property
    def has_work(self) -> bool:
        """Whether a request of the host waits."""
        return bool(self.chains or self.followups or self.waiting)

    def ready_at(self, now: float) -> float:
        """Return from when on there is something to ask it."""
        at = self.open_at(now)
        must_wait = not self.chains or len(self.waiting) >= MOST_WAITING
        if must_wait and not self.followups and self.waiting:
            at = max(at, self.waiting[0][0])
        return at

    def sent(self, now: float) -> Sent:
        """Note that a request is given out."""
        self.active += 1
        rate = self.pace.sent(now)
        self.usage.sent(now, self.active)
        return Sent(now, self.active, rate)

    def is_given_up(self, now: float, may_be_offline: "Callable[[Host[RequestT]], bool]") -> bool:
        """Return whether nothing more is to be asked of it."""
        circuit = self.circuit
        if not circuit.is_exhausted:
            return False
        if circuit.cause not in OFFLINE or now - circuit.opened_at > OFFLINE_PATIENCE:
            return True
        return not may_be_offline(self)

    def wake(self, now: float) -> None:
        """Let those that have waited long enough follow up."""
        while self.waiting and self.waiting[0][0] <= now:
            _, priority, age, request = heapq.heappop(self.waiting)
            heapq.heappush(self.followups, (priority, age, request))
