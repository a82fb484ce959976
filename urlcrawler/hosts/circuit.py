"""Whether a host is worth asking: a circuit breaker (Nygard, Release It!, 2007).

Closed, requests flow. After failures in a row it opens: the host is left alone for a while, then
asked with one request, then left alone for longer. An answer closes it; when the last of these
probes fails as well, the host is given up. When the first one succeeds, the failures were those of
pages, not of the host, and it takes more of them to open it again.
"""

import math
import random

FAILURES = 3  # in a row, since the last success, open the circuit for the first time
MOST_FAILURES = 96  # that it ever takes
TIMEOUT = 3  # failures that one timeout counts for: it has cost DOWNLOAD_TIMEOUT already
PROBES = 3  # that fail, and the host is given up
BAN_PROBES = 4  # the same for a ban, which usually lasts a minute; the waits are longer too
JITTER = 0.1  # of each wait: crawls that began together do not ask together


class Circuit:
    """The circuit of one host.

    Attributes:
        cause: slug of what opened it; None while it is closed.
        reason: the same as a sentence.
        probes: how many probes have failed since it opened.
        opened_at: when it opened.
        probe_at: when the host may be asked again.
        is_exhausted: whether the last probe has failed.
    """

    __slots__ = (
        "_failures", "_first_wait", "_needed", "cause", "is_exhausted", "opened_at", "probe_at",
        "probes", "reason",
    )  # fmt: skip

    def __init__(self, first_wait: float) -> None:
        self._first_wait = first_wait
        self._failures = 0.0
        self._needed = FAILURES
        self.probes = 0
        self.cause: str | None = None
        self.reason = ""
        self.opened_at = math.inf
        self.probe_at = -math.inf
        self.is_exhausted = False

    @property
    def is_open(self) -> bool:
        """Whether the host is left alone, but for one probe at a time."""
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
        self.cause, self.reason = cause, reason
        most = BAN_PROBES if cause == "blocked" else PROBES
        self.is_exhausted = self.probes >= most
        first = self._first_wait * (2.5 if cause == "blocked" else 1)
        own = first * 2 ** min(self.probes, most - 1)
        self.probe_at = now + max(own, wait) * (1 + JITTER * random.random())

    def succeeded(self) -> None:
        """Close it: the host has answered."""
        if self.is_open and not self.probes:
            self._needed = min(self._needed * 2, MOST_FAILURES)
        self._failures, self.probes = 0.0, 0
        self.cause, self.is_exhausted = None, False
        self.opened_at, self.probe_at = math.inf, -math.inf
