"""What a process that another one has started has besides: an end with its parent."""

import asyncio
import os
import sys
import threading

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from urlcrawler.stopping import stop

PATIENCE = 50.0  # seconds for the pages under way; a parent that was killed waits for nobody


class Leash:
    """End when standard input does: it is a pipe from the parent, which closes it or is gone.

    A signal of the system (PDEATHSIG) comes twice for some deaths, and never on macOS.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Leash":
        """Connect to the signals in a process that another one has started."""
        settings = crawler.settings
        if not (settings.getbool("LEASH_ENABLED") or settings.getbool("ENDS_WITH_STDIN")):
            raise NotConfigured
        leash = cls(crawler)
        crawler.signals.connect(leash.spider_opened, signals.spider_opened)
        return leash

    def spider_opened(self) -> None:
        """Begin to listen."""
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._listen, args=(loop,), name="leash", daemon=True).start()

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        at_last = threading.Timer(PATIENCE, os._exit, (75,))
        at_last.daemon = True
        at_last.start()
        loop.call_soon_threadsafe(stop, self.crawler, "shutdown")
