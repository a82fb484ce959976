"""Fetches robots.txt of every origin of a list, and nothing else, for `scrapy plan --robots`."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scrapy import Request, Spider, signals
from scrapy.http import Response
from scrapy.robotstxt import RobotParser
from scrapy.settings import BaseSettings
from scrapy.utils.httpobj import urlparse_cached
from scrapy.utils.misc import build_from_crawler

from urlcrawler.failures import RobotsUnreachable, explain
from urlcrawler.hosts.census import Census
from urlcrawler.hosts.headers import delay_asked
from urlcrawler.inputs.index import ListIndex
from urlcrawler.inputs.urls import Target
from urlcrawler.meta import HOST_LATENCY, ROBOTS_TXT
from urlcrawler.middlewares.robots import Robots
from urlcrawler.spiders.wiring import set_above, wire

AT_ONCE = 64  # files that are fetched side by side, each of another origin
EXAMPLES = 10
_TURN = 0.01  # seconds of comparing after which others have a turn: latencies are measured
# What belongs to the crawl of a list, or writes something.
_NOT_HERE: dict[str, Any] = {
    "SCHEDULER": "scrapy.core.scheduler.Scheduler",
    "DOWNLOADER": "scrapy.core.downloader.Downloader",
    "HTTPCACHE_ENABLED": False,
    "JOBDIR": None,
    "FEEDS": {},
    "PROCESSES": 1,
}
_OFF = (
    "urlcrawler.middlewares.robots.Robots",
    "urlcrawler.middlewares.render.Render",
    "urlcrawler.middlewares.conditional.Conditional",
)


@dataclass
class Findings:
    """What the files say about the records that are to be requested.

    Attributes:
        forbidden: records that they forbid, of each origin.
        unreachable: records that cannot be requested, of each origin: it does not answer.
        asked: seconds between two requests, of each host; 0 when it asks for none.
        latency: seconds that the fastest answer took, of each host; 0 when there was none.
        files: how many were asked for.
        silent: some of the origins that did not answer: name, records and reason.
        silent_count: how many these are in all.
        is_whole: whether all of them were asked.
    """

    forbidden: NDArray[np.uint32]
    unreachable: NDArray[np.uint32]
    asked: NDArray[np.float32]
    latency: NDArray[np.float32]
    files: int = 0
    silent: list[tuple[str, int, str]] = field(default_factory=list)
    silent_count: int = 0
    is_whole: bool = False


class RobotsSpider(Spider):
    """Ask each origin for its robots.txt, as the crawl would, and look its records up in it.

    It is given what it looks at, and never finds a request of its own to make.
    """

    name = "plan"
    wanted: NDArray[np.bool_]  # by position, from 0 on, whether the record is to be requested
    sizes: NDArray[np.uint32]  # of origins: how many of these records each has
    index: ListIndex
    census: Census
    found: Findings
    host_headers: Any

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        """Take the parts of a crawl that fetch, and none that keeps a list or writes."""
        super().update_settings(settings)
        wire(settings)
        for name, value in _NOT_HERE.items():
            set_above(settings, name, value)
        for name in ("EXTENSIONS", "ITEM_PIPELINES"):
            set_above(settings, name, dict.fromkeys(settings.getdict(name)))
        middlewares = settings.getdict("DOWNLOADER_MIDDLEWARES")
        off = {
            kind: None
            for kind in middlewares
            if (kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}") in _OFF
        }
        set_above(settings, "DOWNLOADER_MIDDLEWARES", middlewares | off)

    async def start(self) -> AsyncIterator[Any]:
        """Yield nothing; return when all files were looked at."""
        settings, connect = self.crawler.settings, self.crawler.signals.connect
        self._robots: Robots = build_from_crawler(Robots, self.crawler)
        self._agent: str = settings["ROBOTSTXT_USER_AGENT"] or settings["USER_AGENT"]
        self._compares = asyncio.Lock()
        connect(self._measure, signals.response_downloaded)
        origins = iter(np.flatnonzero(self.sizes))
        most = min(AT_ONCE, settings.getint("CONCURRENT_REQUESTS") or AT_ONCE)
        await asyncio.gather(*(self._work(origins) for _ in range(most)))
        self.found.is_whole = True
        return
        yield  # makes it what Scrapy iterates over

    async def _work(self, origins: Iterator[np.intp]) -> None:
        for origin in origins:
            await self._look(int(origin))

    async def _look(self, origin: int) -> None:
        """Fetch the file of one origin, and note what follows from it."""
        found, size = self.found, int(self.sizes[origin])
        host = int(self.census.host_of_origin[origin])
        target = self.index.resolve(int(self.index.arrays.heads[origin])).target
        if not isinstance(target, Target):  # the list has changed under the index
            return
        found.files += 1
        try:
            rules = await self._robots.robot_parser(Request(target.url))
        except Exception as error:
            found.unreachable[origin] = size
            found.silent_count += 1
            if len(found.silent) < EXAMPLES:
                reason = str(error) if isinstance(error, RobotsUnreachable) else explain(error)[1]
                found.silent.append((target.origin, size, reason))
            return
        if rules is not None:
            found.asked[host] = max(found.asked[host], delay_asked(rules, self._agent))
            async with self._compares:
                found.forbidden[origin] = await self._forbidden(origin, rules)

    async def _forbidden(self, origin: int, rules: RobotParser) -> int:
        """Return how many records of an origin its file forbids."""
        count, turn = 0, monotonic() + _TURN
        position = int(self.index.arrays.heads[origin])
        while position:
            if self.wanted[position - 1]:
                target = self.index.resolve(position).target
                if isinstance(target, Target) and not rules.allowed(target.url, self._agent):
                    count += 1
            position = self.index.following(position)
            if monotonic() > turn:
                await asyncio.sleep(0)
                turn = monotonic() + _TURN
        return count

    def _measure(self, response: Response, request: Request) -> None:
        """Take in how long a host has taken."""
        name = urlparse_cached(request).hostname or ""
        host = self.census.number(self.census.group(name))
        latency = request.meta.get(HOST_LATENCY) or request.meta.get("download_latency")
        if ROBOTS_TXT in request.meta and host is not None and latency:
            self.found.latency[host] = min(self.found.latency[host] or latency, latency)


def spider_for(kind: type[Spider]) -> type[RobotsSpider]:
    """Return the spider with the `custom_settings` of another, for which it looks."""
    own = {"custom_settings": kind.custom_settings}
    return cast("type[RobotsSpider]", type("RobotsSpider", (RobotsSpider,), own))
