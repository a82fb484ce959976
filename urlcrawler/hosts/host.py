"""One host: how much it is given, and which of its origins is next."""

from collections import deque
from random import random
from typing import Generic

from urlcrawler.hosts.circuit import JITTER
from urlcrawler.hosts.limit import Limit
from urlcrawler.hosts.manners import Manners, RequestT, Sent
from urlcrawler.hosts.origin import Origin
from urlcrawler.hosts.pace import Pace
from urlcrawler.hosts.usage import Usage

MOST_ORIGINS = 64  # of one host, that are crawled side by side
KEPT_ORIGINS = 256  # of one host, whose state is kept
UNKNOWN = 1.0  # seconds, the latency of a host of which too little is known
STUBBORN = 2  # pages that answer 429 while others do not; then it is not the rate


class Host(Generic[RequestT]):
    """A host, or whatever groups requests that must be polite to one another (`hosts.groups`).

    It has a limit, a pace and pauses. Whether it is worth asking is a matter of each origin: of
    two ports, or two hosts of a group, one may be down while the other is well.

    Attributes:
        name: host name, or the name of the group.
        manners: how it is treated.
        limit: how many requests at a time.
        pace: how many seconds between two.
        paused_until: until when it has asked to be left alone.
        why_paused: in what words.
        usage: what it was given.
        active: how many of its requests are out.
        guests: how many wait for a place that do not wait in the queue (`hosts.guests`).
        origins: their state, by name.
        working: the origins with work, the next one first.
        left: how many of its records were not begun, as far as its origins are open.
        heads: positions of the first records of origins that wait to be opened.
    """

    __slots__ = (
        "_pauses", "_stubborn", "active", "guests", "heads", "is_counted", "left",
        "limit", "manners", "name", "origins", "pace", "paused_until", "queued", "timed", "usage",
        "why_paused", "working",
    )  # fmt: skip

    def __init__(self, name: str, manners: Manners) -> None:
        self.name = name
        self.manners = manners
        start = manners.start if manners.adaptive else manners.ceiling
        self.limit = Limit(start, manners.ceiling)
        self.pace = Pace(manners.delay, manners.max_delay)
        self.paused_until = 0.0
        self.why_paused = ""
        self.usage = Usage()
        self.active = self.guests = 0
        self.origins: dict[str, Origin[RequestT]] = {}
        self.working: deque[Origin[RequestT]] = deque()
        self.left = 0
        self.heads: deque[int] = deque()
        self._pauses = 0  # in a row, without a success in between
        self._stubborn = 0  # requests that are refused while others are not
        # What the queue notes of it.
        self.queued = False  # in the row of those that can be served
        self.timed = 0.0  # when it is looked at again, 0 when nothing is planned
        self.is_counted = False  # among those that have work

    @property
    def has_work(self) -> bool:
        """Whether a record or a request of it waits."""
        return bool(self.working)

    def origin(self, name: str) -> Origin[RequestT]:
        """Return the state of an origin."""
        if name not in self.origins:
            self.origins[name] = Origin(name, self)
            if len(self.origins) > KEPT_ORIGINS:
                idle = (o for o in self.origins.values() if not (o.has_work or o.active))
                if oldest := next((o for o in idle if o.name != name), None):
                    del self.origins[oldest.name]
        return self.origins[name]

    def note_work(self, origin: Origin[RequestT]) -> None:
        """Let *origin* take turns with the others while it has work."""
        if origin.has_work and origin not in self.working:
            self.working.append(origin)
        elif not origin.has_work and origin in self.working:
            self.working.remove(origin)

    def room(self, share: int) -> int:
        """Return how many requests it may have at a time, of a fair *share* of the window.

        Guests that wait for a place have the next ones.
        """
        return min(share, self.limit.value - self.guests)

    def seconds_left(self, now: float) -> float:
        """Return how long it will take, at the least, as it is treated now.

        A host that was never asked may be slow, or dead, which takes longest of all: inf.
        """
        if not self.usage.requests:
            return float("inf")
        latency = UNKNOWN if self.limit.unloaded is None else self.limit.unloaded
        return self.left * max(self.pace.delay(now), latency / self.limit.value)

    def ready_at(self, now: float) -> float:
        """Return from when on there is something to ask; inf while that depends on answers."""
        at = min((origin.ready_at() for origin in self.working), default=float("inf"))
        at = max(at, self.paused_until)
        return max(at, self.pace.next_at) if self.pace.delay(now) else at

    def next_origin(self, now: float, *, may_begin: bool = True) -> Origin[RequestT] | None:
        """Return whose turn it is; None when nobody has something to ask.

        Args:
            may_begin: whether records may be begun, besides what goes on already.
        """
        for _ in range(len(self.working)):
            origin = self.working[0]
            self.working.rotate(-1)
            if origin.ready_at() <= now and (may_begin or origin.goes_on(now)):
                return origin
        return None

    def sent(self, now: float) -> Sent:
        """Note that a request is given out."""
        self.active += 1
        rate = self.pace.sent(now)
        self.usage.sent(now, self.active)
        return Sent(now, self.active, rate)

    def answered(self, sent: Sent, latency: float, now: float) -> None:
        """Take in how long an answer took."""
        if self.manners.adaptive:
            self.limit.answered(sent.at, latency, sent.level, now)

    def satisfied(self) -> None:
        """Take in an answer as a page usually is."""
        self.usage.ok += 1
        self.pace.accepted()
        self._pauses = 0

    def strained(self, sent: Sent, now: float) -> None:
        """Take in a sign of too much load."""
        if self.manners.adaptive:
            self.limit.overloaded(sent.at, now)

    def refused(
        self, sent: Sent, seconds: float, now: float, *, is_again: bool, why: str = ""
    ) -> float | None:
        """Take in a refusal; return until when the host is left alone, None if it is already.

        Args:
            seconds: for which it wants that.
            why: what it has said.
            is_again: whether the same request was refused before.
        """
        self.usage.refused += 1
        self.strained(sent, now)
        if sent.at < self.paused_until:
            return None  # one of many that were under way together
        until = self.pause(seconds, now, why)
        self._pauses += 1
        if is_again and self._pauses == 1:
            # Others were answered since, this one is not: it is about the page, not the rate.
            self._stubborn += 1
        if self._stubborn < STUBBORN:
            self.pace.refused(now, until)
        elif self._stubborn == STUBBORN:
            self.pace.forget()
        return until

    def pause(self, seconds: float, now: float, why: str = "") -> float:
        """Leave the host alone for so many seconds, a little more; return until when."""
        seconds = min(max(seconds, 0.0), self.manners.max_pause)
        until = now + seconds * (1 + JITTER * random())
        if until > self.paused_until:
            self.usage.paused += until - max(now, self.paused_until)
            self.paused_until, self.why_paused = until, why
        return self.paused_until
