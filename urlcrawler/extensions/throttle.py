"""Each host gets what it carries: the listening end of `urlcrawler.hosts`."""

import logging
from time import monotonic
from typing import Any, cast

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import Response
from scrapy.robotstxt import RobotParser

from urlcrawler.hosts.headers import delay_asked
from urlcrawler.hosts.host import Host
from urlcrawler.meta import HOST_LATENCY

logger = logging.getLogger(__name__)

# Answers whose latency says how the host is. A complaint is fast and says the contrary.
_COMPLAINTS = frozenset({401, 403, 407, 408, 421, 429})


class HostThrottle:
    """Takes AutoThrottle's place and its settings (AUTOTHROTTLE_*).

    No subclass of it: AutoThrottle sets a delay from the last latency, this keeps a limit, a pace
    and a circuit per host (`hosts.limit`, `hosts.pace`, `hosts.circuit`, with their sources), and
    the records wait for these in the index. The download slots show what was decided, and hold for
    what does not come from there: robots.txt, and what pipelines download.

    Timeouts and resets never come here, as `response_downloaded` does not fire for them:
    `middlewares.backoff` reports them. Stats: `throttle/*`.
    """

    def __init__(self, crawler: Crawler, user_agent: str, *, max_delay: float, debug: bool) -> None:
        self.crawler = crawler
        self._user_agent = user_agent
        self._max_delay = max_delay
        self._debug = debug

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "HostThrottle":
        """Connect to the signals. Without AUTOTHROTTLE_ENABLED limits are fixed; what hosts ask
        for in so many words is done all the same.
        """
        if not hasattr(crawler.spider, "ledger"):
            raise NotConfigured("the spider reads no list.")
        settings = crawler.settings
        throttle = cls(
            crawler,
            settings["ROBOTSTXT_USER_AGENT"] or settings["USER_AGENT"],
            max_delay=settings.getfloat("AUTOTHROTTLE_MAX_DELAY"),
            debug=settings.getbool("AUTOTHROTTLE_DEBUG"),
        )
        crawler.signals.connect(throttle.response_downloaded, signals.response_downloaded)
        crawler.signals.connect(throttle.robots_parsed, signals.robots_parsed)
        return throttle

    @property
    def _scheduler(self) -> Any:
        return cast("Any", self.crawler.engine).scheduler

    def response_downloaded(self, response: Response, request: Request) -> None:
        """Take in a latency."""
        out = self._scheduler.out(request)
        latency = request.meta.get("download_latency")
        if out is None or latency is None or request.meta.get("autothrottle_dont_adjust_delay"):
            return
        origin, now = out.origin, monotonic()
        if response.status < 500 and response.status not in _COMPLAINTS:
            origin.answered(out.sent, self._at_host(request, latency, now - out.sent.at), now)
        if 300 <= response.status < 400 and response.status != 304:
            # No middleware sees it after the one for redirects.
            self._scheduler.hosts.kept.satisfied(origin, out.sent, now)
        self._show(origin.host, request, response, latency, now)

    def _at_host(self, request: Request, latency: float, elapsed: float) -> float:
        """Return how long the host itself has taken for an answer, seconds, and note the rest.

        Args:
            latency: what Scrapy takes for it, connecting and our own processor included.
            elapsed: since the request was given out.
        """
        latency = request.meta.get(HOST_LATENCY, latency)
        window = cast("Any", self.crawler.engine).downloader.window
        # What answers wait is a mean: of one of them it may say too much.
        latency = max(latency - window.wait, latency / 2)
        window.answered(elapsed - latency, latency)
        return latency

    def robots_parsed(self, robotparser: RobotParser, request: Request) -> None:
        """Keep the pace that robots.txt asks for."""
        out = self._scheduler.out(request)
        if out is None:
            return
        host = out.origin.host
        delay = delay_asked(robotparser, self._user_agent)
        if delay > self._max_delay:
            logger.warning(
                "%(host)s asks in its robots.txt for %(delay)g s between two requests; it gets "
                "%(most)g s, see AUTOTHROTTLE_MAX_DELAY",
                {"host": host.name, "delay": delay, "most": self._max_delay},
            )
            delay = self._max_delay
        if delay:
            self._scheduler.hosts.kept.ask(out.origin, delay, monotonic())
            downloader = cast("Any", self.crawler.engine).downloader
            if slot := downloader.slots.get(downloader.get_slot_key(request)):
                # For those that are out already and wait for this file, as the first of them does.
                slot.delay, slot.jitter = host.pace.asked, 0.0

    def _show(
        self, host: Host[Request], request: Request, response: Response, latency: float, now: float
    ) -> None:
        """Let the download slot say what the host has."""
        slot = cast("Any", self.crawler.engine).downloader.slots.get(
            request.meta.get("download_slot")
        )
        if slot is None:
            return
        slot.concurrency, slot.delay, slot.jitter = host.limit.value, host.pace.delay(now), 0.0
        if self._debug:
            logger.info(
                "slot: %(slot)s | conc:%(active)2d of %(limit)2d | delay:%(delay)5d ms | "
                "latency:%(latency)5d ms, unloaded %(unloaded)5d ms | size:%(size)6d bytes",
                {
                    "slot": host.name,
                    "active": host.active,
                    "limit": host.limit.value,
                    "delay": slot.delay * 1000,
                    "latency": latency * 1000,
                    "unloaded": (host.limit.unloaded or 0) * 1000,
                    "size": len(response.body),
                },
            )
