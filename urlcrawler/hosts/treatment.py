"""How a host is treated, and what follows from what happens to its requests."""

from dataclasses import dataclass
from random import random
from typing import Generic, NamedTuple, TypeVar

from urlcrawler.hosts.circuit import JITTER, TIMEOUT, Circuit
from urlcrawler.hosts.limit import Limit
from urlcrawler.hosts.pace import Pace
from urlcrawler.hosts.usage import Usage

RequestT = TypeVar("RequestT")  # opaque here: this package knows no Scrapy

STUBBORN = 2  # pages that answer 429 while others do not; then it is not the rate
BAN_STREAK = 3  # answers in a row that say "go away", on a host that had answered
# Pages may fail in these ways while their host is well; it is asked for one that went well before.
PROBED = frozenset(
    {
        "dns", "refused", "connect-timeout", "read-timeout", "reset", "tls", "blocked",
        "rate-limited",
    }
)  # fmt: skip
SILENCES = frozenset({"connect-timeout", "read-timeout"})
BELOW_BAN = 0.7  # of the level that led to a ban
BELOW_BAN_RATE = 0.65  # of the rate: requests do not leave in perfectly even steps
# Nobody answered these, so it may be this machine that is offline.
OFFLINE = frozenset({"dns", "connect-timeout", "read-timeout"})
OFFLINE_PATIENCE = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Manners:
    """How hosts are treated, in one place: what the settings say.

    Attributes:
        ceiling: most requests at a time (CONCURRENT_REQUESTS_PER_DOMAIN).
        start: requests at a time that a host begins with (AUTOTHROTTLE_TARGET_CONCURRENCY).
        adaptive: whether the limit follows the host (AUTOTHROTTLE_ENABLED).
        delay: least seconds between two requests (DOWNLOAD_DELAY).
        max_delay: most seconds that are waited between two requests (AUTOTHROTTLE_MAX_DELAY).
        backoff: seconds of the first wait after a failure (BACKOFF_START).
        max_pause: most seconds that a host may pause a crawl at once (RETRY_AFTER_MAX).
    """

    ceiling: int = 16
    start: float = 1.0
    adaptive: bool = True
    delay: float = 0.0
    max_delay: float = 60.0
    backoff: float = 1.0
    max_pause: float = 300.0


class Sent(NamedTuple):
    """What was known of a host when a request was given out.

    Attributes:
        at: the time.
        level: requests of the host at that moment, this one included.
        rate: requests of the host in the second before, this one included.
    """

    at: float
    level: int
    rate: int


class Treatment(Generic[RequestT]):
    """What one host is given: a limit, a pace, and whether it is asked at all.

    Attributes:
        limit: how many requests at a time.
        pace: how many seconds between two.
        circuit: whether it is worth asking.
        known_good: a request that went well.
        paused_until: until when it has asked to be left alone.
        usage: what it was given.
    """

    __slots__ = (
        "_first_suspect", "_longest", "_manners", "_pauses", "_stubborn", "_suspects",
        "_was_capped", "circuit", "known_good", "limit", "pace", "paused_until", "usage",
    )  # fmt: skip

    def __init__(self, manners: Manners) -> None:
        self._manners = manners
        start = manners.start if manners.adaptive else manners.ceiling
        self.limit = Limit(start, manners.ceiling)
        self.pace = Pace(manners.delay, manners.max_delay)
        self.circuit = Circuit(2 * manners.backoff)
        self.known_good: RequestT | None = None
        self.paused_until = 0.0
        self.usage = Usage()
        self._pauses = 0  # in a row, without a success in between
        self._stubborn = 0  # requests that are refused while others are not
        self._longest = 0.0  # seconds that a page has taken lately, its way through us included
        self._was_capped = False
        self._suspects = 0  # answers in a row that may be a ban
        self._first_suspect: Sent | None = None

    @property
    def probe(self) -> RequestT | None:
        """What to ask the host for next, instead of what waits; None when that will do."""
        return self.known_good if self.circuit.cause in PROBED else None

    def probe_timeout(self, timeout: float) -> float:
        """Return the seconds that a probe is waited for, of the *timeout* of other requests."""
        return min(timeout, max(timeout / 3, 2 * self._longest))

    def room(self, share: int) -> int:
        """Return how many requests it may have at a time, of a fair *share* of the window."""
        return 1 if self.circuit.is_open else min(share, self.limit.value)

    def open_at(self, now: float) -> float:
        """Return from when on it may be asked."""
        at = max(self.paused_until, self.circuit.probe_at)
        return max(at, self.pace.next_at) if self.pace.delay(now) else at

    def answered(self, sent: Sent, latency: float, now: float) -> None:
        """Take in how long an answer took whose status is no complaint."""
        self.usage.answered(latency)
        if self._manners.adaptive and not self.circuit.is_open:
            self.limit.answered(sent.at, latency, sent.level, now)

    def satisfied(
        self, sent: Sent, now: float, good: RequestT | None = None, *, is_its_own: bool = True
    ) -> None:
        """Take in an answer as a page usually is: the host is well.

        Args:
            good: the request, if it may be sent again.
            is_its_own: whether it was the host that was away, if it was, and not this machine
                that was offline.
        """
        self.usage.ok += 1
        self.pace.accepted()
        self._pauses = 0
        first = self._first_suspect
        if first and sent.at < first.at:
            return  # was under way when it began
        if good is not None:
            self.known_good = good
            self._longest = max(0.9 * self._longest, now - sent.at)
        if self.circuit.is_open:
            if first and is_its_own and self.circuit.probes:
                self._learn_from_ban(first, now)
            self.limit.restart(now)
        self._suspects, self._first_suspect = 0, None
        self.circuit.succeeded()

    def _learn_from_ban(self, first: Sent, now: float) -> None:
        """Never again come near what led to a ban.

        A silence may have been one, but the next is more likely to be an outage: it counts once.
        """
        is_ban = self.circuit.cause == "blocked"
        is_first_silence = self.circuit.cause in SILENCES and not self._was_capped
        if first.level > 1 and (is_ban or is_first_silence):
            self._was_capped = True
            self.limit.cap(int(BELOW_BAN * first.level), now)
            if first.rate > 1:
                self.pace.cap(BELOW_BAN_RATE * first.rate)

    def _suspect(self, sent: Sent) -> None:
        """Keep the first request, in the order of sending, that may have led to a ban."""
        if self._first_suspect is None or sent.at < self._first_suspect.at:
            self._first_suspect = sent

    def strained(self, sent: Sent, now: float) -> None:
        """Take in a sign of too much load."""
        if self._manners.adaptive:
            self.limit.overloaded(sent.at, now)

    def failing(self, sent: Sent, now: float, reason: str) -> None:
        """Take in a 5xx: pages have their own, but a host that was away is not back with it."""
        self.strained(sent, now)
        if self.circuit.cause is not None:
            self.circuit.failed(sent.at, now, self.circuit.cause, reason)

    def refused(
        self,
        sent: Sent,
        seconds: float | None,
        now: float,
        reason: str,
        *,
        is_again: bool = False,
    ) -> float:
        """Take in a 429, or a 503 with Retry-After; return until when the host is left alone.

        Args:
            seconds: what it asks for, None when it does not say.
            is_again: whether the same request was refused before.
        """
        self.usage.refused += 1
        self.strained(sent, now)
        if seconds is None:
            seconds = min(self._manners.backoff * 2**self._pauses, self._manners.max_delay)
        if sent.at >= self.paused_until:  # not one of many that were under way together
            until = self.pause(seconds, now)
            self._pauses += 1
            if is_again and self._pauses == 1:
                # Others were answered since, this one is not: it is about the page, not the rate.
                self._stubborn += 1
            if self._stubborn < STUBBORN:
                self.pace.refused(now, until)
            elif self._stubborn == STUBBORN:
                self.pace.forget()
            if self._pauses > 1:
                self.circuit.failed(
                    sent.at, now, "rate-limited", reason, weight=TIMEOUT, wait=until - now
                )
        return self.paused_until

    def pause(self, seconds: float, now: float) -> float:
        """Leave the host alone for so many seconds, a little more; return until when."""
        seconds = min(max(seconds, 0.0), self._manners.max_pause)
        until = now + seconds * (1 + JITTER * random())
        if until > self.paused_until:
            self.usage.paused += until - max(now, self.paused_until)
            self.paused_until = until
        return self.paused_until

    def unreachable(
        self, sent: Sent, now: float, cause: str, reason: str, *, weight: int = 1
    ) -> None:
        """Take in that a request got no answer; *cause* is a slug, *reason* its sentence."""
        self.strained(sent, now)
        if not self.circuit.is_open:
            self._suspect(sent)
        self.circuit.failed(sent.at, now, cause, reason, weight=weight)

    def probed(self, sent: Sent, now: float) -> None:
        """Take in that a probe has ended. What nobody has called a success was none."""
        circuit = self.circuit
        if circuit.cause is not None and circuit.probe_at <= now:
            circuit.failed(sent.at, now, circuit.cause, circuit.reason)

    def blocked(self, sent: Sent, now: float, reason: str, *, is_sure: bool) -> bool:
        """Take in an answer that says "go away"; return whether to ask again later.

        Args:
            is_sure: whether it can be nothing else; a 403 alone may be what the page answers.
        """
        self._suspects += 1
        self._suspect(sent)
        is_ban = self.known_good is not None and self._suspects >= BAN_STREAK
        if is_sure or is_ban:
            self.strained(sent, now)
        if is_ban:
            self.circuit.failed(sent.at, now, "blocked", reason, weight=TIMEOUT)
        return self.circuit.cause == "blocked"
