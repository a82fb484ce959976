"""What waits for one origin: scheme, host and port."""

import heapq
from collections import deque
from typing import TYPE_CHECKING

from urlcrawler.hosts.manners import RequestT
from urlcrawler.hosts.treatment import Treatment

if TYPE_CHECKING:
    from urlcrawler.hosts.host import Host

MOST_WAITING = 32  # requests of an origin that back off; then it gets no further record
_NEVER = float("inf")


class Origin(Treatment[RequestT]):
    """What waits for an origin, and what follows from what happens to its requests.

    Attributes:
        name: `https://example.com`, with the port where it is not the usual one.
        active: how many of its requests are out.
        chains: positions of the next record of each chain of records that it has.
        followups: requests that are no records (retries, redirects, a spider's own), by priority.
        waiting: those whose time has not come, by time.
        is_given_up: whether what waits is being written off.
        was_given_up: whether that has happened.
    """

    __slots__ = (
        "active", "chains", "followups", "is_given_up", "name", "waiting", "was_given_up",
    )  # fmt: skip

    def __init__(self, name: str, host: "Host[RequestT]") -> None:
        super().__init__(host)
        self.name = name
        self.active = 0
        self.chains: deque[int] = deque()
        self.followups: list[tuple[int, int, RequestT]] = []
        self.waiting: list[tuple[float, int, int, RequestT]] = []
        self.is_given_up = self.was_given_up = False

    @property
    def has_work(self) -> bool:
        """Whether a record or a request of it waits."""
        return bool(self.chains or self.followups or self.waiting)

    def ready_at(self) -> float:
        """Return from when on there is something to ask; inf while that depends on answers."""
        if self.is_given_up or (self.circuit.is_open and self.active):
            return _NEVER
        if self.followups or (self.chains and len(self.waiting) < MOST_WAITING):
            return self.circuit.probe_at
        return max(self.circuit.probe_at, self.waiting[0][0]) if self.waiting else _NEVER

    def goes_on(self, now: float) -> bool:
        """Return whether what it asks next is no new record."""
        return bool(
            self.followups or self.probe is not None or (self.waiting and self.waiting[0][0] <= now)
        )

    def wake(self, now: float) -> None:
        """Let those that have waited long enough follow up."""
        while self.waiting and self.waiting[0][0] <= now:
            _, priority, age, request = heapq.heappop(self.waiting)
            heapq.heappush(self.followups, (priority, age, request))

    def is_turn_of_new(self) -> bool:
        """Return whether a record is next, and not what follows up.

        Probes ask by turns for what has not failed yet, as the page may be at fault and not the
        host, and for what has, as the host may answer that the second time.
        """
        if not self.chains:
            return False
        return not self.followups or (self.circuit.is_open and self.circuit.probes % 2 == 0)
