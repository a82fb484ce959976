"""What is crawled: lists that are hard in one way each."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from server import Server

Urls = list[str]
ALL = (
    "a loop", "15 threads", "asyncio, 100 in chunks of 500", "asyncio, 1000 at a time",
    "Scrapy as generated", "urlcrawler", "urlcrawler, PROCESSES=2",
)  # fmt: skip
# Of a contender that would take hours, how many URLs are crawled; the rest is extrapolated.
SLOW = {"a loop": 20, "15 threads": 600, "asyncio, 100 in chunks of 500": 5_000}


@dataclass(frozen=True)
class Case:
    """A list, and what to look at.

    Attributes:
        text: what it is about, one line.
        urls: how many, unless the command line says otherwise.
        latencies: seconds after which pages of it answer, as they stand in URLs.
        build: makes the list, in the order in which it is crawled.
        most: URLs that a slow contender crawls, by its name; the rest is extrapolated.
        slowest: of which host it must be known how long that one alone takes; None for none.
        timeout: seconds after which nobody waits any longer.
        only: contenders, when not all of them are of interest.
    """

    text: str
    urls: int
    latencies: frozenset[str]
    build: Callable[[Server, int], Urls]
    most: Mapping[str, int] = field(default_factory=dict)
    slowest: int | None = None
    timeout: int = 30
    only: tuple[str, ...] = ALL


def _many_hosts(server: Server, count: int) -> Urls:
    return [server.url(n % 250, "1", n) for n in range(count)]


def _overhead(server: Server, count: int) -> Urls:
    return [server.url(n % 250, "0", n) for n in range(count)]


_TAIL = ("0.05", "0.1", "0.2", "0.4", "0.8", "1.6", "3.2")


def _long_tail(server: Server, count: int) -> Urls:
    """Each latency half as often as the one before; of 200 hosts two answer nothing."""
    chance = random.Random(7)
    weights = [2.0**-n for n in range(len(_TAIL))]
    urls = []
    for n in range(count):
        (seconds,) = chance.choices(_TAIL, weights)
        host = n % 200
        urls.append(server.url(host, "300" if host in (50, 150) else seconds, n))
    return urls


def _unequal(server: Server, count: int) -> Urls:
    """Sorted by host, of which the first has a fifth of all, the second half of that, ..."""
    urls, host, left = [], 0, count
    while left:
        size = min(left, max(20, int(count * 0.2 / (host + 1))))
        urls += [server.url(host, "0.1", n) for n in range(size)]
        left, host = left - size, host + 1
    return urls


def _sorted(server: Server, count: int) -> Urls:
    """As most lists are: by host, 200 pages each."""
    return [server.url(n // 200 % 250, "1", n) for n in range(count)]


SCRIPTS = "scripts"  # see scripts.py
CASES = {
    "a": Case("one second latency, 250 hosts", 50_000, frozenset({"1"}), _many_hosts, SLOW),
    "b": Case(
        "zero latency, 250 hosts: pure overhead", 20_000, frozenset({"0"}), _overhead,
        {"a loop": 2_000}, only=(*ALL, "urlcrawler, with metadata"),
    ),
    "c": Case(
        "a long tail of latencies, 1% dead hosts; nobody waits for over 10 s", 20_000,
        frozenset({*_TAIL, "300"}), _long_tail,
        {"a loop": 30, "15 threads": 600, "asyncio, 100 in chunks of 500": 2_000,
         "Scrapy as generated": 8_000},
        slowest=50, timeout=10,
    ),
    "d": Case(
        "sorted by host, hosts very unequal", 20_000, frozenset({"0.1"}), _unequal,
        {"a loop": 100, "15 threads": 3_000}, slowest=0,
    ),
    "e": Case(
        "no server at all: how much of a second core there is to be had", 30_000,
        frozenset({"0"}), _overhead,
        only=("urlcrawler, from memory", "urlcrawler, from memory, PROCESSES=2"),
    ),
    SCRIPTS: Case(
        "sorted by host, one second latency; then 0.1 s, and killed in the middle", 50_000,
        frozenset({"1", "0.1"}), _sorted,
        {"a loop": 20, "32 processes, each appends": 1_600,
         "32 processes, one writer from before": 1_600, "15 threads": 600, "500 threads": 5_000,
         "asyncio, 100 at a time": 5_000},
        only=(
            "a loop", "32 processes, each appends", "32 processes, one writer from before",
            "15 threads", "500 threads", "asyncio, 100 at a time", "urlcrawler, with metadata",
        ),
    ),
}  # fmt: skip
