"""Hosts on loopback with limits that a crawler cannot see.

Each is a class with `async answer(request) -> Response | None`; what it could have done at best is
known here and nowhere else. Times are seconds.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from urlcrawler.demo.messages import Request, Response
from urlcrawler.demo.pages import product

PAGE = 2_000  # bytes
BAN = 60.0


@dataclass
class Log:
    """What a host saw: one entry a request, in the order of the answers."""

    arrived: list[float] = field(default_factory=list)
    answered: list[tuple[float, int, float]] = field(default_factory=list)  # when, status, took
    levels: list[tuple[float, int, int]] = field(default_factory=list)  # when, in flight, in 1 s
    bans: list[tuple[float, int, int]] = field(default_factory=list)  # the same, that began a ban


class Host:
    """A host without any limit; the others are subclasses.

    Attributes:
        latency: seconds that a page takes when nobody else asks.
        best: pages a second that it can give at most, to somebody who knew.
    """

    def __init__(self, rng: random.Random, latency: float) -> None:
        self.rng = rng
        self.latency = latency
        self.best = math.inf
        self.log = Log()
        self._in_flight = 0
        self._recent: deque[float] = deque()

    async def __call__(self, request: Request) -> Response | None:
        """Answer, and keep the log."""
        if request.path == "/robots.txt":
            return Response(b"", 404)
        now = monotonic()
        self._in_flight += 1
        self._recent.append(now)
        while self._recent[0] <= now - 1:
            self._recent.popleft()
        self.log.arrived.append(now)
        self.log.levels.append((now, self._in_flight, len(self._recent)))
        try:
            response = await self.answer(request)
        finally:
            self._in_flight -= 1
        if response is not None:
            end = monotonic()
            self.log.answered.append((end, response.status, end - now))
        return response

    async def answer(self, request: Request) -> Response | None:
        """Answer a page after its latency."""
        await asyncio.sleep(self.service())
        return self.page(request)

    def service(self) -> float:
        """Return the seconds that this page takes: a tenth more or less."""
        return self.latency * math.exp(self.rng.gauss(0, 0.1))

    def page(self, request: Request) -> Response:
        """Return the page."""
        return Response(product(request.path, PAGE))


class Workers(Host):
    """S1: so many workers with a queue before them. S4: their number changes."""

    def __init__(
        self,
        rng: random.Random,
        latency: float,
        workers: int,
        changes: tuple[tuple[float, int], ...] = (),
    ) -> None:
        super().__init__(rng, latency)
        self.best = workers / latency
        self.workers = workers
        self.changes = changes
        self._busy = 0
        self._queue: deque[asyncio.Future[None]] = deque()

    async def answer(self, request: Request) -> Response | None:
        """Wait for a worker, then for the page."""
        if self._busy >= self._now():
            turn = asyncio.get_running_loop().create_future()
            self._queue.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._busy -= 1
                    self._call()
                raise
        else:
            self._busy += 1
        try:
            await asyncio.sleep(self.service())
        finally:
            self._busy -= 1
            self._call()
        return self.page(request)

    def _now(self) -> int:
        """Return how many workers there are: a change counts from the first request on."""
        since = monotonic() - self.log.arrived[0]
        return next((n for at, n in reversed(self.changes) if since >= at), self.workers)

    def _call(self) -> None:
        while self._queue and self._busy < self._now():
            turn = self._queue.popleft()
            if not turn.done():
                self._busy += 1
                turn.set_result(None)


class Bucket(Host):
    """S2: a token bucket, and 429 with Retry-After for whoever finds it empty."""

    def __init__(self, rng: random.Random, latency: float, rate: float, burst: float) -> None:
        super().__init__(rng, latency)
        self.best = rate
        self.rate, self.burst = rate, burst
        self._tokens, self._at = burst, monotonic()

    async def answer(self, request: Request) -> Response | None:
        """Take a token, or refuse."""
        now = monotonic()
        self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
        self._at = now
        if self._tokens < 1:
            after = math.ceil((1 - self._tokens) / self.rate)
            return Response(b"slow down", 429, [("Retry-After", str(after))])
        self._tokens -= 1
        await asyncio.sleep(self.service())
        return self.page(request)


class Banning(Host):
    """S3: a ban without a warning, above so many in flight or so many a second."""

    def __init__(
        self, rng: random.Random, latency: float, *, flight: int, rate: int, is_silent: bool
    ) -> None:
        super().__init__(rng, latency)
        self.best = min(flight / latency, rate)
        self.flight, self.rate, self.is_silent = flight, rate, is_silent
        self._banned_until = 0.0

    async def answer(self, request: Request) -> Response | None:
        """Answer, unless the crawler is banned."""
        now, flight, rate = self.log.levels[-1]
        if now >= self._banned_until and (flight > self.flight or rate > self.rate):
            self._banned_until = now + BAN
            self.log.bans.append((now, flight, rate))
        if now < self._banned_until:
            if self.is_silent:
                await asyncio.sleep(120)
                return None
            return Response(b"go away", 403)
        await asyncio.sleep(self.service())
        return self.page(request)


class Mortal(Host):
    """S5: silent from a moment on. (To refuse, its socket is closed.)"""

    def __init__(self, rng: random.Random, latency: float, dies_at: float) -> None:
        super().__init__(rng, latency)
        self.dies_at = dies_at

    async def answer(self, request: Request) -> Response | None:
        """Answer while alive."""
        if monotonic() - self.log.arrived[0] > self.dies_at:
            await asyncio.sleep(300)
            return None
        return await super().answer(request)


class HeavyTailed(Host):
    """S7: latencies that differ a lot, whatever the load."""

    def service(self) -> float:
        """Return seconds: Pareto, so that a page in a hundred takes twenty times as long."""
        return min(10.0, self.latency * self.rng.paretovariate(1.5))


Make = Callable[[random.Random], Host]
