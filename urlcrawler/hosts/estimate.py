"""How long a crawl takes at the least, told before it: three bounds, of which the largest counts.

- **A host**: as slow as the delay that it is asked with, or as the requests that it may have at a
  time. These grow as in `hosts.limit` with a host that is always comfortable: one at first, and
  twice as many after each window of answers, up to the ceiling.
- **The window**: all pages together, in as many requests as there may be at a time.
- **The processor**: what a page costs it, in each process; a host is never divided among them.

Nothing here knows of refusals, retries and pages that take longer than others: these come on top.
"""

from collections.abc import Iterable
from typing import NamedTuple

from urlcrawler.hosts.limit import SHORTEST
from urlcrawler.hosts.manners import Manners

PROCESSOR = 0.002  # seconds of one core that a page of 20 KB takes: README, "How fast"
FASTEST = 0.001  # seconds; nobody answers sooner
LEAST_ANSWERS = 3  # that the limit of a host waits for before it doubles, see `Limit._needed`

HOST, WINDOW, CORES, NOTHING = "host", "window", "processor", "nothing"


class Load(NamedTuple):
    """What a host has to answer.

    Attributes:
        host: its number, for whoever asks.
        records: how many are to be requested.
        manners: how it is treated.
        latency: seconds that a page takes.
        asked: seconds between two requests that its robots.txt asks for.
    """

    host: int
    records: int
    manners: Manners
    latency: float
    asked: float = 0.0

    @property
    def delay(self) -> float:
        """Seconds between two requests."""
        return max(self.manners.delay, min(self.asked, self.manners.max_delay))

    @property
    def is_paced(self) -> bool:
        """Whether it is the delay that takes longest, and not the requests at a time."""
        return self.records * self.delay >= seconds_within_limit(self)

    @property
    def seconds(self) -> float:
        """How long it takes at the least."""
        return max(self.records * self.delay, seconds_within_limit(self))


class Estimate(NamedTuple):
    """How long it takes at the least, and why.

    Attributes:
        seconds: so long.
        decided_by: HOST, WINDOW, CORES, or NOTHING when there is nothing to do.
        slowest: the host that takes longest; None when there is nothing to do.
        window: seconds that all pages take in the requests that there may be at a time.
        processor: seconds that the processes compute.
    """

    seconds: float
    decided_by: str
    slowest: Load | None
    window: float
    processor: float


def seconds_within_limit(load: Load) -> float:
    """Return how long a host takes for its records, without any delay between two requests."""
    if not load.records:
        return 0.0
    manners, latency = load.manners, max(load.latency, FASTEST)
    ceiling = max(1, manners.ceiling)
    limit = min(max(1.0, manners.start), ceiling) if manners.adaptive else ceiling
    seconds, left = 0.0, float(load.records)
    while limit < ceiling:
        at_once = int(limit)
        window = max(SHORTEST, latency * max(LEAST_ANSWERS, at_once) / at_once)
        answers = window * at_once / latency
        if answers >= left:
            break
        seconds, left = seconds + window, left - answers
        limit = min(2 * limit, ceiling)
    return max(latency, seconds + left * latency / int(limit))


def estimate(loads: Iterable[Load], *, window: int, processes: int = 1) -> Estimate:
    """Return how long a crawl of these hosts takes at the least.

    Args:
        window: requests that there may be at a time, 0 for any number.
        processes: that compute side by side.
    """
    slowest: Load | None = None
    longest = work = 0.0
    records = largest = 0
    for load in loads:
        if not load.records:
            continue
        seconds = load.seconds
        if slowest is None or seconds > longest:
            slowest, longest = load, seconds
        work += load.records * max(load.latency, FASTEST)
        records += load.records
        largest = max(largest, load.records)
    in_window = work / window if window else 0.0
    computing = PROCESSOR * max(records / max(1, processes), largest)
    bounds = {HOST: longest, WINDOW: in_window, CORES: computing}
    decided_by = max(bounds, key=bounds.__getitem__) if slowest else NOTHING
    return Estimate(max(bounds.values()), decided_by, slowest, in_window, computing)
