"""How many bytes of bodies may be in memory at the same time."""

import asyncio
import gc
import weakref
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Spider
from scrapy.utils.test import get_crawler

from urlcrawler import room as room_module
from urlcrawler.room import Room, room_of


class Body:
    def __init__(self) -> None:
        self.is_paused = False

    def pause(self) -> None:
        self.is_paused = True

    def go_on(self) -> None:
        self.is_paused = False


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """What would be called a moment later."""
    later: list[Callable[[], None]] = []
    monkeypatch.setattr(room_module, "call_later", lambda _, call: later.append(call))
    return later


def test_the_oldest_go_on_and_the_others_wait_for_room(looks: list[Callable[[], None]]) -> None:
    """100 bytes in all and 40 for each: two of the oldest are never paused."""
    room = Room(100, 40, lambda: 0)
    bodies = [Body() for _ in range(5)]
    for body in bodies:
        room.take(body, 30)
    assert [body.is_paused for body in bodies] == [False, False, False, True, True]
    room.give_back(bodies[0])
    room.give_back(bodies[1])
    looks.pop()()
    assert [body.is_paused for body in bodies] == [False] * 5
    assert not looks


def test_pages_that_wait_for_being_parsed_take_room_too(looks: list[Callable[[], None]]) -> None:
    """They are somewhere else, and in memory all the same."""
    waiting = [80]
    room = Room(100, 40, lambda: waiting[0])
    old = [Body() for _ in range(2)]
    for body in old:
        room.take(body, 20)
    young = Body()
    room.take(young, 20)
    assert (young.is_paused, room.is_crowded) == (True, True)
    waiting[0] = 0
    looks.pop()()
    assert not young.is_paused


def test_a_body_that_ends_while_it_waits_leaves_its_connection_ready() -> None:
    """The next answer on it must be read."""

    async def crowd() -> Body:
        room = Room(10, 5, lambda: 0)
        bodies = [Body() for _ in range(4)]
        for body in bodies:
            room.take(body, 5)
        assert bodies[3].is_paused
        room.give_back(bodies[3])
        return bodies[3]

    assert not asyncio.run(crowd()).is_paused


def test_a_room_does_not_keep_its_crawl_alive() -> None:
    """A process may crawl one list after the other."""
    crawler = get_crawler(Spider)
    room = room_of(crawler)
    assert room_of(crawler) is room
    gone = weakref.ref(crawler)
    del crawler
    gc.collect()
    assert gone() is None
    assert not room.is_crowded


def test_without_a_limit_nobody_waits() -> None:
    """0 switches it off."""
    room = Room(0, 0, lambda: 0)
    body = Body()
    room.take(body, 1 << 40)
    assert (body.is_paused, room.is_crowded) == (False, False)


@given(
    steps=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 50) | st.none()), max_size=60),
)
def test_whatever_happens_somebody_goes_on(steps: list[tuple[int, int | None]]) -> None:
    """As long as bodies are under way one of them is read; when all have ended none is held."""

    async def crowd() -> None:
        room = Room(100, 50, lambda: 0)
        bodies = [Body() for _ in range(6)]
        under_way: set[Body] = set()
        for number, count in steps:
            body = bodies[number]
            if count is None:
                room.give_back(body)
                under_way.discard(body)
            elif not body.is_paused:
                room.take(body, count)
                under_way.add(body)
            room._look()
            assert not under_way or not all(body.is_paused for body in under_way)
        for body in bodies:
            room.give_back(body)
        assert not room.is_crowded
        assert not any(body.is_paused for body in bodies)

    asyncio.run(crowd())
