"""Requests that do not wait in the queue: what rendered pages ask for, the files of a pipeline.

They come when they come, and are as much for their host as its records: they have places of its
limit, which they get before its next record does, and wait for the end of its pauses. What their
answers tell is taken in. Only its pace is not theirs: one page needs thirty files, and with the
ten seconds that a robots.txt may want between two pages it would never be seen.
"""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Generic

from urlcrawler.hosts.host import Host
from urlcrawler.hosts.manners import RequestT, Sent
from urlcrawler.hosts.origin import Origin
from urlcrawler.hosts.queue import HostQueue

REST = 5.0  # seconds of rest for a host that refuses and does not say for how long
_LOOK = 0.05  # seconds between two looks


class Guest(Generic[RequestT]):
    """A request that has its place."""

    def __init__(self, origin: Origin[RequestT], sent: Sent, hosts: HostQueue[RequestT]) -> None:
        self._origin = origin
        self._host = origin.host
        self._sent = sent
        self._hosts = hosts

    def answered(self, latency: float, now: float) -> None:
        """Take in an answer after so many seconds."""
        self._host.answered(self._sent, latency, now)
        self._host.satisfied()

    def refused(self, seconds: float | None, now: float, why: str = "") -> None:
        """Take in a refusal, and for how many seconds the host wants to be left alone."""
        seconds = REST if seconds is None else seconds
        self._host.refused(self._sent, seconds, now, is_again=False, why=why)

    def leave(self) -> None:
        """Give the place back."""
        self._host.active -= 1
        self._hosts.changed(self._origin)


class Guests(Generic[RequestT]):
    """Lets them pass as the limits and pauses of their hosts say."""

    def __init__(self, hosts: HostQueue[RequestT], clock: Callable[[], float] = monotonic) -> None:
        self._hosts = hosts
        self._clock = clock

    async def enter(
        self, name: str, origin_name: str, *, is_awaited: bool = False
    ) -> Guest[RequestT]:
        """Wait for a place on host *name*, for as long as it takes.

        Args:
            is_awaited: whether a request that has a place there waits for this one: then it need
                not wait for another place.
        """
        origin = self._hosts.kept.origin(name, origin_name, self._clock())
        host = origin.host
        host.guests += 1
        try:
            while not self._may_enter(host, is_awaited=is_awaited):
                await asyncio.sleep(_LOOK)
        except BaseException:
            host.guests -= 1
            self._hosts.changed(origin)
            raise
        host.guests -= 1
        return Guest(origin, host.sent(self._clock()), self._hosts)

    def _may_enter(self, host: Host[RequestT], *, is_awaited: bool) -> bool:
        has_room = is_awaited or host.active < host.limit.value
        return has_room and host.paused_until <= self._clock()
