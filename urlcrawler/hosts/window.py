"""How many requests may be in flight in all, found by listening to the event loop of this process.

A beat that comes late has waited as long as an answer does that comes at that moment; one that
comes in time says that the loop had nothing to do. So the mean lateness is what answers wait, and
the share of the time with late beats that for which the processor was busy.

When it is busy all the time, more requests in flight finish no more of them. By Little's law as
many are in this process as are finished a second, times the seconds that each spends here and not
at its host; what of them is not needed to keep the processor busy is by how much the limit is too
high (as BBR has in flight what the path holds: Cardwell and others, 2016).
"""

BEAT = 0.02  # seconds between two looks
# Seconds, at least and at most, after which the limit is changed: what a change does is known when
# requests have come back that were sent after it.
SHORTEST, LONGEST = 0.5, 4.0
LATE = 0.002  # seconds by which a beat may be late in a loop that has nothing to do
RECENT = 0.1  # weight of a beat in the mean of those before it
BUSY = 0.97  # share of the time from which on the processor is what the crawl waits for
WAITING = 0.93  # share below which it waits for hosts
START = 128  # requests; it goes up by half in each period while the processor has nothing to do
LEAST = 32
# Requests in this process that keep the processor busy, and the share of all that is needed besides
# because answers do not come evenly.
QUEUE, SPARE = 12, 0.05


class Window:
    """The limit of a crawl, never above *ceiling*.

    Attributes:
        limit: how many requests may be in flight.
        wait: seconds that answers wait lately until they are looked at.
    """

    def __init__(self, ceiling: int) -> None:
        self._ceiling = ceiling
        self.limit = min(START, ceiling)
        self.wait = 0.0
        self._period = SHORTEST
        self._since = 0.0  # of the period
        self._beats = self._in_flight = self._most = self._answers = 0
        self._busy = self._here = self._latencies = 0.0

    def answered(self, here: float, latency: float) -> None:
        """Take in how long an answered request has spent in this process, and at its host."""
        self._here += here
        self._latencies += latency
        self._answers += 1

    def heard(self, lateness: float, now: float, in_flight: int) -> None:
        """Take in that a beat was so many seconds late, while so many requests were in flight."""
        if not self._since:
            self._begin(now)
            return
        self.wait += (lateness - self.wait) * RECENT
        self._beats += 1
        self._in_flight += in_flight
        self._most = max(self._most, in_flight)
        if lateness > LATE:
            self._busy += lateness + BEAT
        if now - self._since >= self._period:
            self._decide(now - self._since)
            self._begin(now)

    def _begin(self, now: float) -> None:
        self._since = now
        self._beats = self._in_flight = self._most = self._answers = 0
        self._busy = self._here = self._latencies = 0.0

    def _decide(self, elapsed: float) -> None:
        busy, here = self._busy / elapsed, self._here / elapsed
        in_flight = self._in_flight / self._beats
        queue = QUEUE + SPARE * in_flight
        if busy > BUSY and here > queue:
            self.limit -= max(0, int(self.limit - (in_flight - here + queue)) // 2)
        elif busy < WAITING and self._most >= self.limit:
            self.limit += 1 + int(self.limit * min(0.5, WAITING / max(busy, 0.1) - 1))
        self.limit = min(max(self.limit, LEAST), self._ceiling)
        if self._answers:
            self._period = min(max(self._latencies / self._answers, SHORTEST), LONGEST)
