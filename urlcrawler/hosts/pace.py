"""Seconds between two requests of a host: what it asks for, and what its refusals teach.

A server with a limit on requests per second cannot be heard in its latency: it answers fast, and
then 429. Between two refusals a token bucket has let through exactly its rate, so that is what is
counted; afterwards the pace stays a little below and creeps up again (additive increase,
multiplicative decrease: Chiu and Jain, 1989).
"""

from collections import deque

BELOW = 0.95  # of the rate that was refused, or was found
CREEP = 0.005  # of the rate a second: slow enough that one refusal tells what a hundred would
SEARCH = 0.15  # the same after the first refusal, from which no rate can be told
FORGET = 300.0  # seconds in which the creep alone doubles the rate: the limit may be gone
TIMER = 0.02  # seconds by which a timer may be late
WINDOW = 1.0  # seconds over which the rate of sending is measured


class Pace:
    """The pace of one host.

    Attributes:
        least: seconds between two requests that the user wants (DOWNLOAD_DELAY).
        most: seconds that refusals lead to at most.
        asked: seconds that robots.txt of the host asks for.
        next_at: when the next request may be sent.
    """

    __slots__ = (
        "_accepted", "_cap", "_creep", "_rate", "_rate_at", "_recent", "_since", "asked", "least",
        "most", "next_at",
    )  # fmt: skip

    def __init__(self, least: float = 0.0, most: float = 60.0) -> None:
        self.least = least
        self.most = most
        self.asked = 0.0
        self.next_at = 0.0
        self._rate = 0.0  # requests a second that the host was found to take; 0 before a refusal
        self._rate_at = 0.0  # since when it creeps
        self._cap = 0.0  # requests a second that are never exceeded; 0 is no cap
        self._creep = 0.0  # of the rate a second
        self._accepted = 0  # answers since `_since` that were no refusal
        self._since: float | None = None
        self._recent: deque[float] = deque()

    def delay(self, now: float) -> float:
        """Return the seconds that must lie between two requests at *now*."""
        delay = max(self.least, self.asked)
        if self._rate:
            delay = max(delay, min(1 / self.rate(now), self.most))
        return max(delay, 1 / self._cap) if self._cap else delay

    def ask(self, delay: float, now: float) -> None:
        """Keep the seconds that robots.txt asks for, from the request on that waits for it."""
        if delay > self.asked:
            self.asked = delay
            self.next_at = max(self.next_at, now + delay)

    def rate(self, now: float) -> float:
        """Return how many requests a second the refusals allow; 0 while there was none."""
        age = max(0.0, now - self._rate_at)
        return self._rate * (1 + self._creep * age + (age / FORGET) ** 2)

    def sent(self, now: float) -> int:
        """Note a request; return how many there were in the last second, this one included."""
        if self._since is None:
            self._since = now
        delay = self.delay(now)
        # A timer that fires a little late does not slow the pace; a longer gap is not made up for.
        is_on_time = now - self.next_at <= min(delay / 2, TIMER)
        self.next_at = (self.next_at if is_on_time else now) + delay
        self._recent.append(now)
        while self._recent[0] <= now - WINDOW:
            self._recent.popleft()
        return len(self._recent)

    def accepted(self) -> None:
        """Note an answer that is no refusal."""
        self._accepted += 1

    def refused(self, now: float, resume_at: float) -> None:
        """Learn from a refusal at *now*, after which nothing is sent before *resume_at*."""
        since = now if self._since is None else self._since
        found = max(1, self._accepted) / max(resume_at - since, 0.1)
        if not self._rate:
            self._rate, self._creep = BELOW * found, SEARCH
        else:
            before = self.rate(now)
            self._rate, self._creep = max(before / 2, min(BELOW * before, found)), CREEP
        self._rate_at = self._since = resume_at
        self._accepted = 0

    def forget(self) -> None:
        """Take nothing of what was learned for the rate that the host takes."""
        self._rate = 0.0

    def cap(self, rate: float) -> None:
        """Never send more than *rate* requests a second from now on."""
        self._cap = min(self._cap, rate) if self._cap else rate
