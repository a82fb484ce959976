"""Requests that do not wait in the queue, and the limit of their host all the same."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

import pytest

from urlcrawler.hosts.guests import REST, Guest, Guests
from urlcrawler.hosts.manners import Manners
from urlcrawler.hosts.queue import HostQueue
from urlcrawler.inputs.index import ListIndex
from urlcrawler.inputs.readers import Reader

OpenReader = Callable[..., Reader]
URL = "http://shop.example"


def in_a_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    @wraps(test)
    def run(**fixtures: Any) -> None:
        asyncio.run(test(**fixtures))  # type: ignore[arg-type]

    return run


class Clock:
    """The time, which passes when a test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(reader_of: OpenReader, clock: Clock) -> HostQueue[str]:
    """Ten records of a host that may have two requests at a time."""
    lines = "\n".join(f"{URL}/{n}" for n in range(10))
    index = ListIndex(reader_of(lines, ".txt"))
    manners = Manners(2, adaptive=False)
    return HostQueue(index, total=100, manners=manners, done=lambda _: False, clock=clock)


@pytest.fixture
def guests(queue: HostQueue[str], clock: Clock) -> Guests[str]:
    return Guests(queue, clock)


async def settled(task: "asyncio.Task[Guest[str]]") -> bool:
    """Return whether a guest has its place, after as many looks as it needs."""
    await asyncio.wait({task}, timeout=0.2)
    return task.done()


@in_a_loop
async def test_a_guest_has_a_place_of_the_limit(queue: HostQueue[str], guests: Guests[str]) -> None:
    """With one inside, one record is given out and not two."""
    await guests.enter("shop.example", URL)
    assert queue.take() is not None
    assert queue.take() is None


@in_a_loop
async def test_a_guest_that_waits_has_the_next_place(
    queue: HostQueue[str], guests: Guests[str]
) -> None:
    """Before the next record: a page in the browser has little time."""
    turns = [queue.take(), queue.take()]
    waiting = asyncio.ensure_future(guests.enter("shop.example", URL))
    assert not await settled(waiting)
    assert turns[0]
    queue.give_back(turns[0].origin)
    assert queue.take() is None
    assert await settled(waiting)
    waiting.result().leave()
    assert queue.take() is not None


@in_a_loop
async def test_a_host_that_nothing_is_left_of_is_closed_when_its_guest_has_left(
    queue: HostQueue[str], guests: Guests[str]
) -> None:
    """It is kept with what is known of it, as any other."""
    guest = await guests.enter("files.example", "http://files.example")
    assert "files.example" in queue.kept.open
    guest.leave()
    assert "files.example" not in queue.kept.open


@in_a_loop
async def test_a_guest_waits_for_the_end_of_a_pause(
    queue: HostQueue[str], guests: Guests[str], clock: Clock
) -> None:
    """One that was refused has paused the host for all."""
    guest = await guests.enter("shop.example", URL)
    guest.refused(None, clock())
    guest.leave()
    assert queue.take() is None
    waiting = asyncio.ensure_future(guests.enter("shop.example", URL))
    assert not await settled(waiting)
    clock.now += REST * 1.5
    assert await settled(waiting)


@in_a_loop
async def test_a_guest_that_is_cancelled_leaves_nothing_behind(
    queue: HostQueue[str], guests: Guests[str]
) -> None:
    """The next place is that of a record again."""
    turns = [queue.take(), queue.take()]
    waiting = asyncio.ensure_future(guests.enter("shop.example", URL))
    assert not await settled(waiting)
    waiting.cancel()
    await asyncio.wait({waiting})
    assert turns[0]
    queue.give_back(turns[0].origin)
    assert queue.take() is not None


@in_a_loop
async def test_who_holds_a_place_does_not_wait_for_its_guest(
    queue: HostQueue[str], guests: Guests[str], clock: Clock
) -> None:
    """A middleware that downloads something for its request; a pause holds all the same."""
    queue.take(), queue.take()
    guest = await asyncio.wait_for(guests.enter("shop.example", URL, is_awaited=True), 1)
    guest.refused(None, clock())
    waiting = asyncio.ensure_future(guests.enter("shop.example", URL, is_awaited=True))
    assert not await settled(waiting)
    waiting.cancel()
