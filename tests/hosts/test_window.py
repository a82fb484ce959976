"""How many requests are in flight: a crawl in virtual time, on one processor."""

import heapq
import math
import random

import pytest

from urlcrawler.hosts.window import BEAT, LEAST, START, Window

CEILING = 1000


class Crawl:
    """Requests that are at their host for a time, and then wait for the processor, one by one."""

    def __init__(self, latency: float, work: float, ceiling: int = CEILING) -> None:
        self.window = Window(ceiling)
        self.latency, self.work = latency, work
        self.finished: list[float] = []
        self.waits: list[tuple[float, float]] = []
        self._in_flight = 0
        self._free_at = 0.0  # when the processor has done what is there
        self._events = [(BEAT, 0, 0.0)]  # when, what, and since when
        self._now = 0.0
        self._chance = random.Random(7)

    def hang(self, requests: int) -> None:
        """Let so many requests never come back."""
        self._in_flight += requests

    def keep_busy(self, seconds: float) -> None:
        """Let the processor do something else."""
        self._free_at = max(self._free_at, self._now) + seconds

    def run(self, seconds: float) -> None:
        """Go on for a while."""
        end = self._now + seconds
        while self._events[0][0] < end:
            self._now, event, since = heapq.heappop(self._events)
            (self._beat, self._answer, self._finish)[event](since)
            while self._in_flight < self.window.limit:
                self._in_flight += 1
                latency = self.latency * math.exp(self._chance.gauss(0, 0.2))
                heapq.heappush(self._events, (self._now + latency, 1, 0.0))

    def _beat(self, _: float) -> None:
        wait = max(0.0, self._free_at - self._now)
        self.waits.append((self._now, wait))
        self.window.heard(wait, self._now + wait, self._in_flight)
        heapq.heappush(self._events, (self._now + wait + BEAT, 0, 0.0))

    def _answer(self, _: float) -> None:
        self._free_at = max(self._free_at, self._now) + self.work
        heapq.heappush(self._events, (self._free_at, 2, self._now))

    def _finish(self, since: float) -> None:
        self._in_flight -= 1
        self.finished.append(self._now)
        self.window.answered(self._now - since, self.latency)

    def rate(self, start: float, end: float) -> float:
        """Return how many requests were finished a second between two times."""
        return sum(start <= at < end for at in self.finished) / (end - start)

    def wait(self, start: float, end: float) -> float:
        """Return what answers have waited for the processor between two times, seconds."""
        part = [wait for at, wait in self.waits if start <= at < end]
        return sum(part) / len(part)


@pytest.mark.parametrize("latency", [0.01, 0.1, 0.5, 1.0])
def test_answers_do_not_wait_for_one_another(latency: float) -> None:
    """The processor does 500 a second, which it goes on doing; a thousand at a time wait 2 s."""
    crawl = Crawl(latency, work=0.002)
    crawl.run(40)
    assert crawl.rate(20, 40) > 0.9 * 500
    assert crawl.wait(20, 40) < 0.15
    assert crawl.window.limit < 500 * latency + 150


def test_as_many_as_may_be_are_in_flight_while_the_processor_waits_for_hosts() -> None:
    """Five seconds each, of which the processor has 1 ms: it goes up to the ceiling, soon."""
    crawl = Crawl(5.0, work=0.001)
    crawl.run(5)
    assert crawl.window.limit == CEILING


def test_requests_that_hang_take_no_place_from_others() -> None:
    """Of 300 that never come back the limit makes up for all; 450 a second go on besides."""
    crawl = Crawl(0.1, work=0.002)
    crawl.run(10)
    crawl.hang(300)
    crawl.run(20)
    assert crawl.rate(15, 30) > 0.9 * 500


def test_a_single_pause_changes_nothing() -> None:
    """A page that takes a second to be parsed is no sign of too many requests."""
    crawl = Crawl(1.0, work=0.001)
    crawl.run(10)
    before = crawl.window.limit
    crawl.keep_busy(1.0)
    crawl.run(5)
    assert crawl.window.limit >= 0.9 * before


@pytest.mark.parametrize("ceiling", [1, 8, LEAST, START])
def test_a_ceiling_is_never_exceeded(ceiling: int) -> None:
    """CONCURRENT_REQUESTS is the user's word; the limit never goes below a small one either."""
    crawl = Crawl(0.01, work=0.01, ceiling=ceiling)
    crawl.run(5)
    assert crawl.window.limit == min(ceiling, LEAST) or ceiling > LEAST
    assert min(ceiling, LEAST) <= crawl.window.limit <= ceiling
