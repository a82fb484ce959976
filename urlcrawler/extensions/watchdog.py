"""Names the code that keeps everything else waiting."""

import asyncio
import logging
import sys
import threading
from time import monotonic
from traceback import StackSummary, walk_stack
from types import FrameType
from typing import Any, cast

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

logger = logging.getLogger(__name__)

BEAT = 0.1  # seconds between two signs of life of the event loop


class Watchdog:
    """Log where the event loop stands when it has not gone on for LOOP_BLOCKED_WARNING seconds.

    Downloads, pauses and Ctrl-C wait meanwhile. A thread looks, as nothing else can then; each
    place is named once, at WARNING. Stats: `watchdog/blocked_max`, seconds.
    """

    def __init__(self, crawler: Crawler, longest: float) -> None:
        self.crawler = crawler
        self._longest = longest
        self._beat_at = 0.0
        self._worst = 0.0
        self._named: set[str] = set()
        self._ended = threading.Event()
        self._heart: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Watchdog":
        """Watch while the engine runs."""
        longest = crawler.settings.getfloat("LOOP_BLOCKED_WARNING")
        if not longest:
            raise NotConfigured  # without a word: it was switched off
        watchdog = cls(crawler, longest)
        crawler.signals.connect(watchdog.engine_started, signals.engine_started)
        crawler.signals.connect(watchdog.spider_closed, signals.spider_closed)
        crawler.signals.connect(watchdog.engine_stopped, signals.engine_stopped)
        return watchdog

    def engine_started(self) -> None:
        """Begin."""
        self._beat_at = monotonic()
        self._heart = asyncio.ensure_future(self._beat())
        main = threading.get_ident()
        threading.Thread(target=self._watch, args=(main,), daemon=True, name="watchdog").start()

    def spider_closed(self) -> None:
        """Keep the figure."""
        cast("Any", self.crawler.stats).set_value("watchdog/blocked_max", round(self._worst, 2))

    def engine_stopped(self) -> None:
        """End."""
        self._ended.set()
        if self._heart:
            self._heart.cancel()

    async def _beat(self) -> None:
        while True:
            now = monotonic()
            self._worst = max(self._worst, now - self._beat_at - BEAT)
            self._beat_at = now
            await asyncio.sleep(BEAT)

    def _watch(self, main: int) -> None:
        while not self._ended.wait(self._longest / 2):
            frame = sys._current_frames().get(main)
            if frame is not None and monotonic() - self._beat_at > self._longest + BEAT:
                self._name(frame)

    def _name(self, frame: FrameType) -> None:
        stack = StackSummary.extract(walk_stack(frame), lookup_lines=False)  # innermost first
        own = next((line for line in stack if _is_own(line.filename)), stack[0])
        place = f"{own.filename}:{own.lineno}, in {own.name}"
        if place not in self._named:
            self._named.add(place)
            logger.warning(
                "Nothing else has gone on for over %(seconds)g s: the crawl stands in %(place)s",
                {"seconds": self._longest, "place": place},
            )


def _is_own(filename: str) -> bool:
    """Return whether a file is neither a library's nor ours: then it is the user's."""
    installed = ("site-packages", "dist-packages", sys.base_prefix, "<frozen")
    return not any(part in filename for part in installed) and "/urlcrawler/" not in filename
