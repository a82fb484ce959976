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

PATIENCE = 5.0  # seconds; a request that holds the last place may be waiting for its guest
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

    def refused(self, seconds: float | None, now: float) -> None:
        """Take in a refusal, and for how many seconds the host wants to be left alone."""
        self._host.refused(self._sent, REST if seconds is None else seconds, now, is_again=False)

    def leave(self) -> None:
        """Give the place back."""
        self._host.guests_inside -= 1
        self._host.active -= 1
        self._hosts.changed(self._origin)


class Guests(Generic[RequestT]):
    """Lets them pass as the limits and pauses of their hosts say."""

    def __init__(self, hosts: HostQueue[RequestT], clock: Callable[[], float] = monotonic) -> None:
        self._hosts = hosts
        self._clock = clock

    async def enter(self, name: str, origin_name: str, seconds: float) -> Guest[RequestT]:
        """Wait for a place on host *name*.

        Raises:
            TimeoutError: there is none within so many *seconds*.
        """
        came = self._clock()
        origin = self._hosts.kept.origin(name, origin_name, came)
        host = origin.host
        host.guests += 1
        try:
            async with asyncio.timeout(seconds):
                while not self._may_enter(host, self._clock() - came):
                    await asyncio.sleep(_LOOK)
        except BaseException:
            host.guests -= 1
            self._hosts.changed(origin)
            raise
        host.guests -= 1
        host.guests_inside += 1
        return Guest(origin, host.sent(self._clock()), self._hosts)

    def _may_enter(self, host: Host[RequestT], waited: float) -> bool:
        if host.paused_until > self._clock():
            return False
        return host.active < host.limit.value or (waited > PATIENCE and not host.guests_inside)
