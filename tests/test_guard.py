"""Code that is not ours: it ends in time, and in an Exception at worst."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from urlcrawler.exceptions import ComponentError
from urlcrawler.guard import Guard

WORSE = [asyncio.CancelledError, SystemExit, KeyboardInterrupt, BaseException]


def raises(kind: type[BaseException]) -> Any:
    raise kind


async def awaits(kind: type[BaseException]) -> Any:
    await asyncio.sleep(0)
    raise kind


async def steps(kind: type[BaseException]) -> AsyncIterator[int]:
    yield 1
    raise kind


def items(kind: type[BaseException]) -> Iterator[int]:
    yield 1
    raise kind


async def called(guard: Guard, kind: type[BaseException]) -> None:
    with guard:
        raises(kind)


async def awaited(guard: Guard, kind: type[BaseException]) -> None:
    await guard.result(awaits(kind))


async def stepped(guard: Guard, kind: type[BaseException]) -> None:
    async for _ in guard.steps(steps(kind)):
        pass


async def iterated(guard: Guard, kind: type[BaseException]) -> None:
    list(guard.items(items(kind)))


@pytest.mark.parametrize("way", [called, awaited, stepped, iterated])
@pytest.mark.parametrize("kind", WORSE)
def test_what_is_no_exception_becomes_one(
    way: Callable[..., Any], kind: type[BaseException]
) -> None:
    """However code is called, what it raises names it, and asks for a stop when it is an exit."""
    asked: list[str] = []
    with pytest.raises(ComponentError, match=f"^Shop.look raised {kind.__name__}$") as raised:
        asyncio.run(way(Guard("Shop.look", 1, asked.append), kind))
    is_exit = kind is not asyncio.CancelledError
    assert (raised.value.is_exit, len(asked)) == (is_exit, is_exit)


@pytest.mark.parametrize("way", [called, awaited, stepped, iterated])
@pytest.mark.parametrize("kind", [ValueError, TimeoutError, GeneratorExit])
def test_an_ordinary_exception_passes(way: Callable[..., Any], kind: type[BaseException]) -> None:
    """Scrapy knows what to do; a TimeoutError of the code's own is none of ours."""
    with pytest.raises(kind):
        asyncio.run(way(Guard("Shop.look", 1), kind))


def test_a_task_that_is_cancelled_from_outside_ends() -> None:
    """Whoever cancels a task waits for its end: at shutdown, that is the event loop."""

    async def crawl() -> None:
        task = asyncio.ensure_future(Guard("Shop.look", 9).result(asyncio.Event().wait()))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(crawl())


def test_what_returns_is_returned() -> None:
    """Values, and what is yielded, pass unchanged and in order."""

    async def yields() -> AsyncIterator[int]:
        for number in range(3):
            await asyncio.sleep(0)
            yield number

    async def crawl() -> None:
        guard = Guard("Shop.look", 1)
        assert await guard.result(asyncio.sleep(0, "value")) == "value"
        assert [each async for each in guard.steps(yields())] == [0, 1, 2]
        assert list(guard.items([0, 1, 2])) == [0, 1, 2]

    asyncio.run(crawl())


def test_what_never_returns_is_cut_short() -> None:
    """The sentence names the code, the time, and the setting."""

    async def waits() -> AsyncIterator[int]:
        yield 1
        await asyncio.Event().wait()

    async def crawl() -> None:
        guard = Guard("Shop.look", 0.01)
        sentence = "^Shop.look took longer than 0.01 s, see COMPONENT_TIMEOUT$"
        with pytest.raises(ComponentError, match=sentence):
            await guard.result(asyncio.Event().wait())
        with pytest.raises(ComponentError, match=sentence):
            async for _ in guard.steps(waits()):
                pass

    asyncio.run(crawl())


@pytest.mark.parametrize(("in_all", "most"), [(True, 6), (False, 20)])
def test_the_limit_is_for_a_step_or_for_all_steps(in_all: bool, most: int) -> None:
    """What takes 0.01 s twenty times passes 0.06 s a step, but not 0.06 s in all."""

    async def slow() -> AsyncIterator[int]:
        for number in range(20):
            await asyncio.sleep(0.01)
            yield number

    async def crawl() -> int:
        count = 0
        try:
            async for _ in Guard("Shop.look", 0.06).steps(slow(), in_all=in_all):
                count += 1
        except ComponentError:
            assert in_all
        return count

    assert 0 < asyncio.run(crawl()) <= most


def test_the_time_of_the_consumer_does_not_count() -> None:
    """A slow item pipeline takes nothing away from the callback that yields to it."""

    async def crawl() -> None:
        async for _ in Guard("Shop.look", 0.05).steps(fast(), in_all=True):
            await asyncio.sleep(0.04)

    async def fast() -> AsyncIterator[int]:
        for number in range(4):
            yield number

    asyncio.run(crawl())
