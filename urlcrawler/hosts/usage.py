"""What a host was given, for the summary and the report."""

import random
from array import array
from statistics import median

SAMPLE = 64  # latencies that are kept; the median of so many is off by a tenth or so


class Usage:
    """Counts of one host.

    Attributes:
        requests: requests that were given out.
        ok: answers as pages usually are.
        refused: answers 429, or 503 with Retry-After.
        highest: most requests at a time.
        paused: seconds for which the host had asked.
        given_up: slug of why nothing more was asked, None when it was not given up.
        first, last: when the first and the last request were given out.
    """

    __slots__ = (
        "_latencies", "_seen", "first", "given_up", "highest", "last", "ok", "paused", "refused",
        "requests",
    )  # fmt: skip

    def __init__(self) -> None:
        self.requests = self.ok = self.refused = self.highest = 0
        self.given_up: str | None = None
        self.paused = 0.0
        self.first = self.last = 0.0
        self._latencies = array("f")
        self._seen = 0

    def sent(self, now: float, level: int) -> None:
        """Note a request, the *level*-th at a time."""
        if not self.requests:
            self.first = now
        self.last = now
        self.requests += 1
        self.highest = max(self.highest, level)

    def answered(self, latency: float) -> None:
        """Note seconds until an answer: a random sample of all is kept (Vitter, 1985)."""
        self._seen += 1
        if len(self._latencies) < SAMPLE:
            self._latencies.append(latency)
        elif (place := random.randrange(self._seen)) < SAMPLE:
            self._latencies[place] = latency

    @property
    def latency(self) -> float | None:
        """The median of the latencies, seconds; None when nothing was answered."""
        return median(self._latencies) if self._latencies else None
