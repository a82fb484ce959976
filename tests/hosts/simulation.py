"""A crawl of one host in virtual time: what a minute of it does takes milliseconds, and is exact.

Hosts are functions from the time and a random generator to what they answer.
"""

import heapq
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from urlcrawler.hosts.host import Host
from urlcrawler.hosts.manners import Manners, Sent

CEILING = 16


class Answer(NamedTuple):
    """What a host does with a request: after so many seconds a status."""

    after: float
    status: int = 200
    retry_after: float | None = None


@dataclass
class Workers:
    """So many workers with a queue before them, some of whom may leave for a while."""

    workers: int
    latency: float
    spread: float = 0.1
    away: tuple[float, float] = (math.inf, math.inf)  # half of them, from when to when
    free: list[float] = field(default_factory=list)

    def __call__(self, now: float, rng: random.Random) -> Answer:
        number = self.workers // 2 if self.away[0] <= now < self.away[1] else self.workers
        self.free = sorted(self.free)[-number:] + [now] * (number - len(self.free))
        begin = max(min(self.free), now)
        end = begin + self.latency * math.exp(rng.gauss(0, self.spread))
        self.free[self.free.index(min(self.free))] = end
        return Answer(end - now)


@dataclass
class Bucket:
    """A token bucket; whoever finds it empty is refused."""

    rate: float
    burst: float
    latency: float = 0.1
    tokens: float = math.nan
    at: float = 0.0

    def __call__(self, now: float, rng: random.Random) -> Answer:
        if math.isnan(self.tokens):
            self.tokens = self.burst
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            return Answer(0.002, 429, math.ceil((1 - self.tokens) / self.rate))
        self.tokens -= 1
        return Answer(self.latency * math.exp(rng.gauss(0, 0.1)))


@dataclass
class Run:
    """What came of it: times of good answers with their latencies, refusals, limits over time."""

    host: Host[str]
    good: list[tuple[float, float]] = field(default_factory=list)
    refused: int = 0
    sent: list[tuple[float, int]] = field(default_factory=list)  # when, and how many at a time

    def rate(self, start: float, end: float) -> float:
        """Return good answers a second between two times."""
        return sum(start <= at < end for at, _ in self.good) / (end - start)

    def latency(self, start: float = 0, end: float = math.inf) -> float:
        """Return the median latency of answers between two times."""
        return median(latency for at, latency in self.good if start <= at < end)

    def level(self) -> float:
        """Return the mean of the requests at a time, over time."""
        steps = zip(self.sent, self.sent[1:], strict=False)
        spent = sum((after - at) * level for (at, level), (after, _) in steps)
        return spent / self.sent[-1][0]


def crawl(
    serve: Callable[[float, random.Random], Answer], *, seed: int, seconds: float = 60.0
) -> Run:
    """Crawl a host with as many pages as it takes."""
    rng = random.Random(seed)
    random.seed(seed)  # the jitter of pauses
    host = Host[str]("example.com", Manners(ceiling=CEILING))
    origin = host.origin("http://example.com")
    origin.chains.append(1)  # there is always a next record
    host.note_work(origin)
    run, now, number = Run(host), 0.0, 0
    coming: list[tuple[float, int, Sent, Answer]] = []
    while now < seconds:
        while host.active < host.room(CEILING) and host.ready_at(now) <= now:
            sent = host.sent(now)
            origin.active += 1
            assert host.active <= host.limit.value <= CEILING
            number += 1
            answer = serve(now, rng)
            heapq.heappush(coming, (now + answer.after, number, sent, answer))
            run.sent.append((now, host.active))
        next_at = host.ready_at(now) if host.active < host.room(CEILING) else math.inf
        if not coming or next_at < coming[0][0]:
            now = max(now, next_at) + 1e-9
            continue
        now, _, sent, answer = heapq.heappop(coming)
        host.active -= 1
        origin.active -= 1
        if answer.status == 200:
            run.good.append((now, now - sent.at))
            origin.answered(sent, now - sent.at, now)
            origin.satisfied(sent, now, "http://example.com/")
        else:
            run.refused += 1
            origin.refused(sent, answer.retry_after, now, "429")
    return run
