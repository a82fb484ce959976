"""The browser of a crawl: started when the first page needs it, replaced when it is old or gone."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from playwright.async_api import BrowserContext
from scrapy_playwright.handler import Config

from urlcrawler.rendering.choice import is_address
from urlcrawler.rendering.found import find_browser
from urlcrawler.rendering.running import START, BrowserGoneError, Running

logger = logging.getLogger(__name__)

T = TypeVar("T")

MOST_FAILED = 3  # starts in a row, after which no further one is tried

# Nothing but what is handed to it: all requests of a page are made by the crawl (`tab.Tab`), with
# its guard, its robots.txt and its throttle; what escapes that finds no name and no address.
ARGUMENTS = (
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--mute-audio",
)


class Browsers:
    """One browser at a time, for as many pages as it may have."""

    def __init__(self, settings: Any, count: Callable[[], None]) -> None:
        """Start nothing.

        Args:
            count: called for each browser that is started.
        """
        browser = settings["RENDER_BROWSER"]
        self._count = count
        self._config = Config.from_settings(settings)
        if is_address(browser):
            self._config.cdp_url = browser
        given = self._config.launch_options
        self._config.launch_options = {
            "executable_path": browser or find_browser(),
            "chromium_sandbox": os.geteuid() != 0,  # root may not have one
            "handle_sigint": False,  # Ctrl-C is for the crawl, which ends it
            "handle_sigterm": False,
            "handle_sighup": False,
            "timeout": START * 1000,
            **given,
            "args": [*ARGUMENTS, *given.get("args", ())],
        }
        self._most_pages = settings.getint("RENDER_RECYCLE")
        self._page_memory = settings.getint("RENDER_MEMORY_MB") * 1_000_000
        self._current: Running | None = None
        self._failed: list[BrowserGoneError] = []  # starts, in a row
        self._all: set[Running] = set()
        self._starting = asyncio.Lock()

    async def run(
        self, work: Callable[[BrowserContext], Awaitable[T]], seconds: float, **options: Any
    ) -> T:
        """Return what *work* returns of a fresh context with these *options*.

        The time is that of *work* alone: a browser that starts slowly, or stands still, is no
        page's fault.

        Raises:
            TimeoutError: it takes more than so many *seconds*.
            BrowserGoneError: the browser has gone meanwhile, was killed, or does not start.
        """
        running = await self._ready()
        running.tabs += 1
        running.pages += 1
        try:
            context = await running.step(running.browser.new_context(**options))
            try:
                async with asyncio.timeout(seconds):
                    return await running.while_there(work(context))
            finally:
                if running.is_there:
                    await running.step(context.close())
        finally:
            running.tabs -= 1
            if running.is_old and not running.tabs:
                await asyncio.shield(self._end(running))

    async def close(self) -> None:
        """End what was started."""
        async with self._starting:
            await asyncio.gather(*map(self._end, list(self._all)))

    async def _ready(self) -> Running:
        """Return the browser for one more page."""
        async with self._starting:
            current = self._current
            if current:
                is_well = current.is_there and not current.is_old
                if is_well and current.pages < self._most_pages:
                    return current
                current.is_old = True  # its last page ends it
                if not current.tabs:
                    await self._end(current)
            if len(self._failed) >= MOST_FAILED:
                raise self._failed[-1]
            try:
                self._current = current = await Running.start(self._config, self._page_memory)
            except BrowserGoneError as error:
                self._failed.append(error)
                if len(self._failed) == MOST_FAILED:
                    logger.error("No page is rendered any more: %(why)s", {"why": error})
                raise
            self._failed.clear()
            self._all.add(current)
            self._count()
            return current

    async def _end(self, running: Running) -> None:
        self._all.discard(running)
        await running.end()
