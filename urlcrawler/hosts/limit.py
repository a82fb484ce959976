"""How many requests a host may have at a time, found by listening to it.

The families this comes from: slow start and additive increase (Jacobson, Congestion Avoidance and
Control, 1988), halving on loss (Chiu and Jain, AIMD, 1989), latency against the unloaded one as
the sign of a queue (Brakmo and Peterson, TCP Vegas, 1994; Netflix concurrency-limits, Gradient2),
and going down for a moment to measure the unloaded latency again (Cardwell and others, BBR's
ProbeRTT, 2016). What differs: latencies of pages are heavy-tailed, so windows of many answers are
compared by their geometric means, and one bad window alone decides nothing.
"""

import math

COMFORTABLE = 1.15  # times the unloaded latency; below it a host may get more
LOADED = 1.3  # times the unloaded latency; above it requests wait for one another at the host
OVERLOADED = 2.0  # times; one window is enough
SIGNIFICANT = 2.0  # standard errors; a smaller difference may be chance
NOISE = 0.01  # seconds; a smaller difference says more about this machine than about the host
# Seconds, at least, between two steps up: a server that counts by the second is not run over, and
# if it bans the crawler, it is known at which rate.
SHORTEST = 1.0
REST_EVERY = 60.0  # seconds between two looks at the unloaded latency
HOLD, MAX_HOLD = 2.5, 10.0  # seconds until a limit that was too high is tried again
ALONE = 4  # times that an answer counts which no other of ours can have delayed
CONFIDENT = 48  # answers; with fewer the first steps may be wrong, and are tried again
REMEMBERED = 64  # answers; the unloaded latency is a mean of about so many


class Limit:
    """The limit of one host.

    Fed with what happens to requests; times are of any clock that only goes forward, in seconds.
    The limit is never above *ceiling* and never below 1.

    Attributes:
        ceiling: what the limit never exceeds.
        unloaded: the latency of the host when nothing waits there, seconds; None before it is
            known.
        highest: the highest limit so far.
    """

    __slots__ = (
        "_alarm", "_count", "_doubling", "_hold", "_limit", "_mark", "_mark_until", "_rest_at",
        "_resting", "_saturated", "_since", "_spread", "_squares", "_start", "_total", "_weight",
        "ceiling", "highest", "unloaded",
    )  # fmt: skip

    def __init__(self, start: float, ceiling: int) -> None:
        self.ceiling = max(1, ceiling)
        self.unloaded: float | None = None
        self._start = min(max(1.0, start), self.ceiling)
        self._limit = self._start
        self.highest = int(self._start)
        self._weight = 0.0  # answers that `unloaded` stands for
        self._doubling = True
        self._mark = math.inf  # a limit that was too high lately
        self._mark_until = -math.inf
        self._hold = HOLD
        self._rest_at = math.inf
        self._resting = 0.0  # the limit to return to, while the host has a rest
        self._alarm = 0.0  # the latency that made the host rest, 0 when it was due
        self._spread = 0.0  # variance of the logarithms of latencies
        self._since = -math.inf  # of the window: when it was opened
        self._count = 0  # answers in it
        self._total = self._squares = 0.0  # of the logarithms of their latencies
        self._saturated = False  # whether the limit was used to the full

    @property
    def value(self) -> int:
        """How many requests the host may have at a time."""
        return int(self._limit)

    def answered(self, sent_at: float, latency: float, level: int, now: float) -> None:
        """Take in the answer to a request.

        Args:
            sent_at: when it was sent.
            latency: seconds until the head of the answer.
            level: how many requests the host had when it was sent, this one included.
            now: the time.
        """
        if sent_at < self._since:
            return  # sent under another limit, it says nothing about this one
        if self._since == -math.inf:
            self._since = sent_at
        self._count += 1
        logarithm = math.log(max(latency, 1e-6))
        self._total += logarithm
        self._squares += logarithm * logarithm
        self._saturated = self._saturated or level >= self.value
        is_long = self._resting or now - self._since >= SHORTEST
        if is_long and self._count >= self._needed():
            self._close_window(now)

    def overloaded(self, sent_at: float, now: float) -> None:
        """Halve the limit: an answer says that the host has too much, or there was none.

        Answers to requests that were sent before the last change count once, not each.
        """
        if sent_at < self._since:
            return
        self._lower(self._limit / 2, now)

    def restart(self, now: float) -> None:
        """Begin gently again: the host was away."""
        self._resting = 0.0
        self._limit = min(self._start, self._limit)
        self._doubling = True
        self._open_window(now)

    def cap(self, ceiling: int, now: float) -> None:
        """Never exceed *ceiling* from now on."""
        self.ceiling = max(1, min(self.ceiling, ceiling))
        self._resting = min(self._resting, self.ceiling)
        if self._limit > self.ceiling:
            self._limit = self.ceiling
            self._open_window(now)

    def _needed(self) -> int:
        """Return how many answers make a window: more when more is decided."""
        if self._resting:
            return max(8, 3 * self.value)
        return max(3, self.value if self._doubling else 2 * self.value)

    def _open_window(self, now: float) -> None:
        self._since = now
        self._count = 0
        self._total = self._squares = 0.0
        self._saturated = False

    def _close_window(self, now: float) -> None:
        latency, count = math.exp(self._total / self._count), self._count
        if self._resting:
            self._end_rest(latency, count, now)
            return
        if self.unloaded is None:
            self._learn(latency, count)
        elif self.value == 1:
            # One request at a time waits for no other of ours: a host that became slower for good
            # is measured anew here.
            self._learn(latency, ALONE * count)
        unloaded = self.unloaded or latency
        errors = math.log(latency / unloaded) / self._standard_error(count)
        if latency <= unloaded * COMFORTABLE + NOISE or (
            errors < 1 and latency <= unloaded * LOADED + NOISE
        ):
            if self._doubling:
                self._learn(latency, count)
            if self._saturated:
                self._raise(now)
        elif latency <= unloaded * LOADED + NOISE:
            if errors >= SIGNIFICANT:
                self._end_doubling(now)
        elif errors < SIGNIFICANT and count < 4 * self._needed():
            return  # undecided: the window stays open
        elif self.value > 1 and errors >= SIGNIFICANT:
            if latency > unloaded * OVERLOADED + NOISE:
                self._lower(self._limit * max(0.5, unloaded / latency), now)
            else:
                self._rest(latency)
        if now > self._rest_at and not self._resting and self.value > 1:
            self._rest(0.0)
        self._open_window(now)

    def _rest(self, latency: float) -> None:
        """Let the host have half for a while, to see whether *latency* comes from its load."""
        self._resting, self._limit = self._limit, max(1.0, self._limit // 2)
        self._alarm = latency

    def _end_rest(self, latency: float, count: int, now: float) -> None:
        self._learn(latency, max(count, REMEMBERED / 2))
        self._limit, self._resting = self._resting, 0.0
        self._rest_at = now + REST_EVERY
        if self._alarm > (self.unloaded or latency) * LOADED + NOISE:
            self._lower(self._limit * max(0.5, (self.unloaded or latency) / self._alarm), now)
        self._open_window(now)

    def _standard_error(self, count: int) -> float:
        """Return how far the logarithm of a latency over the unloaded one is off by chance."""
        mean = self._total / count
        spread = max(1e-6, self._squares / count - mean * mean)
        self._spread += (spread - self._spread) * min(1.0, count / REMEMBERED)
        return math.sqrt(max(spread, self._spread) * (1 / count + 1 / self._weight))

    def _learn(self, latency: float, count: float) -> None:
        """Let *latency*, a mean of so many answers, count for the unloaded one."""
        if self.unloaded is None:
            self.unloaded, self._weight = latency, count
            return
        self._weight = min(self._weight, REMEMBERED - count) if count < REMEMBERED else 0.0
        share = count / (self._weight + count)
        self.unloaded *= (latency / self.unloaded) ** share
        self._weight += count

    def _raise(self, now: float) -> None:
        if self._limit + 1 >= self._mark:
            if now < self._mark_until:
                return
            self._mark = math.inf
        self._limit = min(self._limit * 2 if self._doubling else self._limit + 1, self.ceiling)
        self.highest = max(self.highest, self.value)
        if self._limit == self.ceiling:
            self._end_doubling(now)

    def _end_doubling(self, now: float) -> None:
        if self._doubling:
            self._doubling = False
            self._rest_at = now + REST_EVERY

    def _lower(self, limit: float, now: float) -> None:
        """Go down to *limit*, and come back to the old one only after a while."""
        before = max(self._limit, self._resting)
        if self._weight >= CONFIDENT:
            self._end_doubling(now)
        self._resting = 0.0
        self._hold = min(self._hold * 2, MAX_HOLD) if now < self._mark_until + 60 else HOLD
        self._mark, self._mark_until = math.floor(before), now + self._hold
        self._limit = max(1.0, math.floor(limit))
        self._open_window(now)
