"""Whether an origin is worth asking: a circuit breaker (Nygard, Release It!, 2007).

Closed, requests flow. After failures in a row it opens: the origin is left alone for a while, then
asked with one request, then left alone for longer. An answer closes it; when the last of these
probes fails as well, the origin is given up. When the first one succeeds, the failures were those
of pages, not of the server, and it takes more of them to open it again.
"""

import math
import random

FAILURES = 3  # in a row, since the last success, open the circuit for the first time
MOST_FAILURES = 96  # that it ever takes
TIMEOUT = 3  # failures that one timeout counts for: it has cost DOWNLOAD_TIMEOUT already
# The same for one 502, 503 or 504: it takes a dozen in a row. Some pages alone answer so, and some
# hosts answer so the first time that a page is asked for.
UNAVAILABLE = 0.25
PROBES = 3  # that fail, and the origin is given up
# The same for a ban, which usually lasts a minute (the waits are longer too), and for what is only
# known by its pages.
MORE_PROBES = {"blocked": 4, "http-5xx": 5}
JITTER = 0.1  # of each wait: crawls that began together do not ask together


class Circuit:
    """The circuit of one origin.

    Attributes:
        cause: slug of what opened it; None while it is closed.
        reason: the same as a sentence.
        probes: how many probes have failed since it opened.
        opened_at: when it opened.
        probe_at: when it may be asked again.
        failed_at: when the last failure was noted.
        is_exhausted: whether the last probe has failed.
    """

    __slots__ = (
        "_failures", "_first_wait", "_needed", "cause", "failed_at", "is_exhausted", "opened_at",
        "probe_at", "probes", "reason",
    )  # fmt: skip

    def __init__(self, first_wait: float) -> None:
        self._first_wait = first_wait
        self._failures = 0.0
        self._needed = FAILURES
        self.probes = 0
        self.cause: str | None = None
        self.reason = ""
        self.opened_at = math.inf
        self.probe_at = self.failed_at = -math.inf
        self.is_exhausted = False

    @property
    def is_open(self) -> bool:
        """Whether it is left alone, but for one probe at a time."""
        return self.cause is not None

    def failed(
        self,
        sent_at: float,
        now: float,
        cause: str,
        reason: str,
        *,
        weight: float = 1,
        wait: float = 0.0,
    ) -> None:
        """Note a failure of a request that was sent at *sent_at*.

        Args:
            weight: how many failures it counts for.
            wait: seconds that the host has asked to be left alone.
        """
        if self.is_open:
            if sent_at < self.opened_at:
                return  # was under way when it opened
            self.probes += 1
        else:
            self._failures += weight
            if self._failures < self._needed:
                return
            self.opened_at = now
        self.cause, self.reason, self.failed_at = cause, reason, now
        most = MORE_PROBES.get(cause, PROBES)
        self.is_exhausted = self.probes >= most
        first = self._first_wait * (2.5 if cause == "blocked" else 1)
        own = first * 2 ** min(self.probes, most - 1)
        self.probe_at = now + max(own, wait) * (1 + JITTER * random.random())

    def succeeded(self) -> None:
        """Close it: there was an answer."""
        if self.is_open and not self.probes:
            self._needed = min(self._needed * 2, MOST_FAILURES)
        self._failures, self.probes = 0.0, 0
        self.cause, self.is_exhausted = None, False
        self.opened_at, self.probe_at = math.inf, -math.inf
