"""Large pages are parsed where they hold up nobody, or not at all.

libxml2 takes seconds for one tag with 40,000 attributes, and hours for as many as a page may have.
Small pages cannot do that. Larger ones are parsed in a thread, as lxml lets go of the interpreter
meanwhile. One that takes too long is given up, and its thread, which nothing can end, ends with the
process. There is one such thread at most, as good as always: from then on a canary goes first.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from queue import SimpleQueue
from threading import Thread

from scrapy.http import HtmlResponse, Response, TextResponse, XmlResponse

from urlcrawler.extract.canary import Canary

SMALL = 65_536  # bytes; the worst page of that size takes a quarter of a second
MOST_TAGS = 500_000  # or what may be one; each takes 200 bytes of memory
MOST_STUCK = 4  # threads, after which no large page is parsed until one of them comes back
GIANT = 524_288  # bytes; of such pages one is there at a time: its tree takes 20 times as much


class TooComplexError(Exception):
    """Says why a page cannot be parsed in the time or memory that a page may have."""


class Parser:
    """Parses large pages in threads of its own, which are started when they are needed."""

    def __init__(self, timeout: float) -> None:
        """Give up a page after *timeout* seconds."""
        self._timeout = timeout
        self._jobs: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._threads = 0
        self._stuck = 0
        self._canary = Canary(timeout)
        self._parsing = asyncio.Lock()  # one at a time; more would only want more memory
        self._giant = asyncio.Lock()

    @asynccontextmanager
    async def parsed(self, response: Response) -> AsyncIterator[TooComplexError | None]:
        """Parse *response*, so that its selectors answer at once while the block runs.

        Gives the reason why they will not: that would take too long, or too much memory.
        """
        if not isinstance(response, HtmlResponse | XmlResponse):
            yield None
            return
        try:
            async with self._giant if len(response.body) > GIANT else nullcontext():
                yield await self._parse(response) if len(response.body) > SMALL else None
        finally:
            # A response and its selector hold each other. Python would find that out after so many
            # pages that a gigabyte of trees is no rarity.
            response._cached_selector = None

    async def _parse(self, response: TextResponse) -> TooComplexError | None:
        if response.body.count(b"<") > MOST_TAGS:
            return TooComplexError(f"the page has more than {MOST_TAGS} tags")
        async with self._parsing:
            if self._stuck >= MOST_STUCK:
                return TooComplexError(f"{self._stuck} other pages are being parsed and do not end")
            try:
                if self._stuck and not await self._survives(response):
                    raise TimeoutError
                await self._in_thread(lambda: response.selector)
            except TimeoutError:
                return TooComplexError(
                    f"the page could not be parsed within {self._timeout:g} s (PARSE_TIMEOUT)"
                )
        return None

    async def _survives(self, response: TextResponse) -> bool:
        page = b""

        def encode() -> None:
            nonlocal page
            page = response.text.strip().replace("\0", "").encode() or b"<html/>"

        await self._in_thread(encode)
        return await self._canary.survives(page, is_xml=isinstance(response, XmlResponse))

    async def close(self) -> None:
        """End what was started besides the crawl."""
        await self._canary.close()

    async def _in_thread(self, job: Callable[[], object]) -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        is_late = False

        def finished() -> None:
            done.set()
            if is_late:
                self._stuck -= 1

        def run() -> None:
            # What cannot be parsed at all raises once more where it is used.
            with suppress(Exception):
                job()
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(finished)

        if self._threads == self._stuck:
            self._threads += 1
            Thread(target=self._work, daemon=True, name=f"parser-{self._threads}").start()
        self._jobs.put(run)
        try:
            await asyncio.wait_for(done.wait(), self._timeout)
        except (TimeoutError, asyncio.CancelledError):
            is_late = True
            self._stuck += 1
            raise

    def _work(self) -> None:
        while True:
            self._jobs.get()()
