"""What follows from what happens to the requests of an origin."""

from typing import TYPE_CHECKING, Generic

from urlcrawler.hosts.circuit import TIMEOUT, UNAVAILABLE, Circuit
from urlcrawler.hosts.manners import RequestT, Sent

if TYPE_CHECKING:
    from urlcrawler.hosts.host import Host

BAN_STREAK = 3  # answers in a row that say "go away", on a host that had answered
# Pages may fail in these ways while their host is well; it is asked for one that went well before.
PROBED = frozenset(
    {
        "dns", "refused", "connect-timeout", "read-timeout", "reset", "tls", "blocked",
        "rate-limited", "http-5xx",
    }
)  # fmt: skip
SILENCES = frozenset({"connect-timeout", "read-timeout"})
BELOW_BAN = 0.7  # of the level that led to a ban
BELOW_BAN_RATE = 0.65  # of the rate: requests do not leave in perfectly even steps
# Nobody answered these, so it may be this machine that is offline.
OFFLINE = SILENCES | {"dns"}
OFFLINE_PATIENCE = 60.0  # seconds


class Treatment(Generic[RequestT]):
    """Whether an origin is worth asking, and what its host learns from it.

    Attributes:
        host: what it shares a limit, a pace and pauses with.
        circuit: whether it is worth asking.
        known_good: a request that went well.
        answered_at: when one went well last.
    """

    __slots__ = (
        "_first_suspect", "_longest", "_pauses", "_suspects", "_was_capped", "answered_at",
        "circuit", "host", "known_good",
    )  # fmt: skip

    def __init__(self, host: "Host[RequestT]") -> None:
        self.host = host
        self.circuit = Circuit(2 * host.manners.backoff)
        self.known_good: RequestT | None = None
        self.answered_at = -1.0
        self._pauses = 0  # in a row, without a success in between
        self._longest = 0.0  # seconds that a page has taken lately, its way through us included
        self._was_capped = False
        self._suspects = 0  # answers in a row that may be a ban
        self._first_suspect: Sent | None = None

    @property
    def probe(self) -> RequestT | None:
        """What to ask it for next, instead of what waits; None when that will do."""
        return self.known_good if self.circuit.cause in PROBED else None

    def probe_timeout(self, timeout: float) -> float:
        """Return the seconds that a probe is waited for, of the *timeout* of other requests."""
        return min(timeout, max(timeout / 3, 2 * self._longest))

    def answered(self, sent: Sent, latency: float, now: float) -> None:
        """Take in how long an answer took whose status is no complaint."""
        self.host.usage.answered(latency)
        if not self.circuit.is_open:
            self.host.answered(sent, latency, now)

    def satisfied(
        self, sent: Sent, now: float, good: RequestT | None = None, *, is_its_own: bool = True
    ) -> None:
        """Take in an answer as a page usually is: the origin is well.

        Args:
            good: the request, if it may be sent again.
            is_its_own: whether it was the origin that was away, if it was, and not this machine
                that was offline.
        """
        self.host.satisfied()
        self._pauses = 0
        first = self._first_suspect
        if first and sent.at < first.at:
            return  # was under way when it began
        self.answered_at = now
        if good is not None:
            self.known_good = good
            self._longest = max(0.9 * self._longest, now - sent.at)
        if self.circuit.is_open:
            if first and is_its_own and self.circuit.probes:
                self._learn_from_ban(first, now)
            others = (other for other in self.host.origins.values() if other is not self)
            if not any(other.answered_at > self.circuit.opened_at for other in others):
                self.host.limit.restart(now)
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
            self.host.limit.cap(int(BELOW_BAN * first.level), now)
            if first.rate > 1:
                self.host.pace.cap(BELOW_BAN_RATE * first.rate)

    def _suspect(self, sent: Sent) -> None:
        """Keep the first request, in the order of sending, that may have led to a ban."""
        if self._first_suspect is None or sent.at < self._first_suspect.at:
            self._first_suspect = sent

    def failing(self, sent: Sent, now: float, reason: str, *, is_unavailable: bool) -> None:
        """Take in a 5xx: pages have their own, but an origin that was away is not back with it.

        Args:
            is_unavailable: whether the status speaks of the server and not of the page.
        """
        self.host.strained(sent, now)
        if self.circuit.cause is not None:
            self.circuit.failed(sent.at, now, self.circuit.cause, reason)
        elif is_unavailable:
            self.circuit.failed(sent.at, now, "http-5xx", reason, weight=UNAVAILABLE)

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
        if seconds is None:
            manners = self.host.manners
            seconds = min(manners.backoff * 2**self._pauses, manners.max_delay)
        until = self.host.refused(sent, seconds, now, is_again=is_again, why=reason)
        if until is not None:
            self._pauses += 1
            if self._pauses > 1:
                self.circuit.failed(
                    sent.at, now, "rate-limited", reason, weight=TIMEOUT, wait=until - now
                )
        return self.host.paused_until

    def unreachable(
        self, sent: Sent, now: float, cause: str, reason: str, *, weight: int = 1
    ) -> None:
        """Take in that a request got no answer; *cause* is a slug, *reason* its sentence."""
        self.host.strained(sent, now)
        if not self.circuit.is_open:
            self._suspect(sent)
        self.circuit.failed(sent.at, now, cause, reason, weight=weight)

    def probed(self, sent: Sent, now: float) -> None:
        """Take in that a probe has ended. What nobody has called a success was none."""
        circuit = self.circuit
        if circuit.cause is not None and circuit.failed_at < sent.at:
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
            self.host.strained(sent, now)
        if is_ban:
            self.circuit.failed(sent.at, now, "blocked", reason, weight=TIMEOUT)
        return self.circuit.cause == "blocked"

    def is_exhausted(self, now: float, *, may_be_offline: bool) -> bool:
        """Return whether nothing more is to be asked of it.

        Args:
            may_be_offline: whether it may be this machine that is offline.
        """
        circuit = self.circuit
        if not circuit.is_exhausted:
            return False
        is_silent = circuit.cause in OFFLINE and now - circuit.opened_at <= OFFLINE_PATIENCE
        return not (is_silent and may_be_offline)
