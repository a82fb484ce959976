"""A driver of Playwright with its browser, and their end.

scrapy-playwright starts both. What it does not do is here: every step has its deadline, what is
under way ends when either of them does, and nothing that came of them is left behind.
"""

import asyncio
import logging
from collections.abc import Awaitable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import psutil
from playwright.async_api import Browser, Error
from scrapy_playwright.handler import Config
from scrapy_playwright.provider import PlaywrightBrowserProvider

from urlcrawler.rendering.hoarders import end_hoarders

T = TypeVar("T")

START = 20.0  # seconds in which a driver or a browser must have started
STEP = 10.0  # seconds that anything else takes at most which is no page's business
_LOOK = 0.5  # seconds between two looks whether the driver is there


def _is_news(record: logging.LogRecord) -> bool:
    """Return whether a line of asyncio's says more than that a driver has gone, which is known.

    Playwright leaves its own tasks and futures to themselves then.
    """
    exc = record.exc_info[1] if record.exc_info else None
    words = f"{record.getMessage()} {exc}"
    return "playwright/_impl" not in words and "reading from the driver" not in words


class BrowserGoneError(Exception):
    """Says that the browser has gone, or was killed, while a page was in it, or does not start.

    Attributes:
        may_be_its_own: whether the page that is told so may be what it has gone of.
    """

    def __init__(self, why: str, *, may_be_its_own: bool = False) -> None:
        super().__init__(why)
        self.may_be_its_own = may_be_its_own


class Running:
    """One browser.

    Attributes:
        browser: in Playwright's hands.
        tabs: pages that are in it.
        pages: how many there were.
        is_old: whether it takes no more.
    """

    def __init__(
        self, provider: Any, browser: Browser, driver: list[psutil.Process], page_memory: int
    ) -> None:
        self.browser = browser
        self.tabs = self.pages = 0
        self.is_old = False
        self._provider = provider
        self._driver = driver
        self._gone = asyncio.Event()
        browser.on("disconnected", lambda _: self._gone.set())
        below = partial(_with_children, driver)
        self._watching = asyncio.ensure_future(end_hoarders(below, page_memory))

    @classmethod
    async def start(cls, config: Config, page_memory: int) -> "Running":
        """Start a driver, and a browser.

        Args:
            page_memory: bytes that a page may have.

        Raises:
            BrowserGoneError: one of them does not start.
        """
        logging.getLogger("asyncio").addFilter(_is_news)  # the same one is added once
        before = set(psutil.Process().children())
        provider: Any = PlaywrightBrowserProvider(config)
        try:
            await asyncio.wait_for(provider.start(), START)
            browser = await asyncio.wait_for(provider.launch_browser(), START)
        except BaseException as error:
            _kill(_with_children(_drivers(before)))
            if not isinstance(error, Error | TimeoutError | OSError):
                raise
            words = str(error).strip().splitlines() or [type(error).__name__]
            why = f"the browser does not start: {words[0]}"
            raise BrowserGoneError(why, may_be_its_own=True) from error
        return cls(provider, browser, _drivers(before), page_memory)

    @property
    def is_there(self) -> bool:
        """Whether a page can be given to it."""
        has_driver = all(map(_is_alive, self._driver))
        return has_driver and self.browser.is_connected() and not self._gone.is_set()

    async def while_there(self, work: Awaitable[T]) -> T:
        """Return what *work* returns.

        Playwright lets some of its calls wait for ever when the browser has gone.

        Raises:
            BrowserGoneError: the browser has gone, or was killed.
        """
        task = asyncio.ensure_future(work)
        gone = asyncio.ensure_future(self._gone.wait())
        try:
            while not task.done() and self.is_there:
                await asyncio.wait({task, gone}, timeout=_LOOK, return_when="FIRST_COMPLETED")
            if not task.done():
                raise BrowserGoneError("the browser has gone")
            return task.result()
        except Error as error:
            if self.is_there:
                raise
            raise BrowserGoneError("the browser has gone") from error
        finally:
            for each in (task, gone):
                each.cancel()
            await asyncio.wait({task, gone}, timeout=STEP)

    async def step(self, work: Awaitable[T]) -> T:
        """Return what *work* returns; a browser that cannot do that in time is killed.

        Raises:
            BrowserGoneError: it has gone, or was killed.
        """
        try:
            return await asyncio.wait_for(self.while_there(work), STEP)
        except TimeoutError:
            self.kill()
            raise BrowserGoneError("the browser does not answer", may_be_its_own=True) from None

    def kill(self) -> None:
        """End all its processes at once."""
        self.is_old = True
        self._watching.cancel()
        self._gone.set()
        _kill(_with_children(self._driver))

    async def end(self) -> None:
        """Let it end, and see that it does."""
        self.is_old = True
        self._watching.cancel()
        processes = _with_children(self._driver)
        for closing in (self.browser.close, self._provider.close):
            if all(map(_is_alive, self._driver)):
                with suppress(Exception):  # whatever a driver says that is about to go
                    await asyncio.wait_for(closing(), STEP)
        _kill(processes)


def _drivers(before: set[psutil.Process]) -> list[psutil.Process]:
    """Return the drivers among the children of this process, without those that were there."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            if child not in before and "run-driver" in child.cmdline():
                found.append(child)
    return found


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _with_children(processes: list[psutil.Process]) -> set[psutil.Process]:
    found = set(processes)
    for process in processes:
        with suppress(psutil.Error):
            found.update(process.children(recursive=True))
    return found


def _kill(processes: set[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.Error):
            process.kill()
