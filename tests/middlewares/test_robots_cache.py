"""What is kept of the robots.txt files of many hosts."""

import asyncio
import gc
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Request, Spider
from scrapy.utils.test import get_crawler

from urlcrawler.failures import RobotsUnreachable
from urlcrawler.middlewares.robots import KEPT_BYTES, Robots

SETTINGS = {"ROBOTSTXT_OBEY": True, "BACKOFF_START": 1, "RETRY_AFTER_MAX": 300}


@pytest.fixture
def robots() -> Any:
    """The middleware; a file is as long as the name of its host says; `slow` ones take a while."""
    crawler: Any = get_crawler(Spider, SETTINGS)
    crawler.engine = SimpleNamespace(scheduler=SimpleNamespace(out=lambda request: None))
    found: Any = Robots(crawler)
    found.fetched = Counter()

    async def fetch(request: Request) -> tuple[None, int]:
        host = request.url.split("/")[2]
        found.fetched[host] += 1
        if "dead" in host:
            raise RobotsUnreachable("the server answered 503")
        await asyncio.sleep(0.05 if "slow" in host else 0)
        return None, int(host.rsplit("-", 1)[1])

    found._fetch = fetch
    return found


async def ask(robots: Any, *hosts: str) -> None:
    requests = [Request(f"http://{host}/") for host in hosts]
    await asyncio.gather(*(robots.robot_parser(request) for request in requests))


def test_large_files_make_room_by_the_oldest(robots: Any) -> None:
    """Their bytes are what counts; a host that was forgotten is asked again, others are not."""

    async def crawl() -> None:
        third = KEPT_BYTES // 3
        for name in "abcd":
            await ask(robots, f"{name}-{third}")
        await ask(robots, *(f"{name}-{third}" for name in "bcd"))
        await ask(robots, f"a-{third}")

    asyncio.run(crawl())
    assert sorted(robots.fetched.values()) == [1, 1, 1, 2]


def test_what_is_still_being_fetched_is_neither_forgotten_nor_counted_twice(robots: Any) -> None:
    """Slow ones stay while large ones come and go; later each host is fetched once, as ever."""

    async def crawl() -> None:
        slow = [f"slow{n}-400000" for n in range(20)]
        waiting = asyncio.ensure_future(ask(robots, *slow))
        await asyncio.sleep(0)
        await ask(robots, *(f"large{n}-400000" for n in range(4)))
        await waiting
        for _ in range(5):
            await ask(robots, *(f"small{n}-1" for n in range(10)))

    asyncio.run(crawl())
    assert set(robots.fetched.values()) == {1}


def test_records_of_a_host_without_one_are_not_kept_in_memory(robots: Any) -> None:
    """Each gets an error of its own: one that is raised again and again keeps all it has seen."""

    async def crawl() -> int:
        for number in range(300):
            with pytest.raises(RobotsUnreachable):
                await robots.process_request(Request(f"http://dead-1/{number}"))
        gc.collect()
        return sum(isinstance(thing, Request) for thing in gc.get_objects())

    assert asyncio.run(crawl()) < 20
