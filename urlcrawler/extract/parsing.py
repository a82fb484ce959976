"""Large pages are parsed where they hold up nobody, or not at all.

libxml2 takes seconds for one tag with 40,000 attributes, and hours for as many as a page may have.
Small pages cannot do that. Larger ones are parsed in a thread, as lxml lets go of the interpreter
meanwhile. One that takes too long is given up, and its thread, which nothing can end, ends with the
process. There is one such thread at most, as good as always: from then on a canary goes first.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext, suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from scrapy.http import HtmlResponse, Response, TextResponse, XmlResponse

from urlcrawler.extract.canary import Canary

T = TypeVar("T")

# bytes; rules like `p ~ p` take the third power of the size of a page
SMALL_FOR_RULES = 2048
SMALL = 65_536  # bytes; the worst page of that size takes a quarter of a second
MOST_TAGS = 500_000  # or what may be one; each takes 200 bytes of memory
MOST_STUCK = 4  # threads, after which no large page is parsed until one of them comes back
GIANT = 524_288  # bytes; of such pages one is there at a time: its tree takes 20 times as much


def select(response: Response) -> None:
    """Parse *response*; its selectors answer at once then."""
    if isinstance(response, HtmlResponse | XmlResponse):
        with suppress(ValueError, LookupError):  # a charset that cannot be decoded with
            response.selector  # noqa: B018 - it is kept in the response


class TooComplexError(Exception):
    """Says why a page cannot be parsed in the time or memory that a page may have."""


class Parser:
    """Parses large pages in threads of its own, which are started when they are needed."""

    def __init__(
        self, timeout: float, recipe: Mapping[str, Any], *, may_be_slow: bool = False
    ) -> None:
        """Give up a page after *timeout* seconds.

        Args:
            recipe: of what is done with pages, see `canary.Canary`.
            may_be_slow: whether small pages can take that long too.
        """
        self._timeout = timeout
        self._small = SMALL_FOR_RULES if may_be_slow else SMALL
        self._jobs: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._threads = 0
        self._stuck = 0
        self._canary = Canary(timeout, recipe)
        self._parsing = asyncio.Lock()  # one at a time; more would only want more memory
        self._giant = asyncio.Lock()

    @asynccontextmanager
    async def parsed(self, response: Response, read: Callable[[Response], T]) -> AsyncIterator[T]:
        """Parse *response*, and give what *read* makes of it.

        Its selectors answer at once while the block runs.

        Raises:
            TooComplexError: that would take too long, or too much memory.
        """
        if not isinstance(response, TextResponse):
            yield read(response)
            return
        try:
            async with self._giant if len(response.body) > GIANT else nullcontext():
                is_small = len(response.body) <= self._small
                yield read(response) if is_small else await self._parse(response, read)
        finally:
            # A response and its selector hold each other. Python would find that out after so many
            # pages that a gigabyte of trees is no rarity.
            response._cached_selector = None

    async def _parse(self, response: TextResponse, read: Callable[[Response], T]) -> T:
        is_tree = isinstance(response, HtmlResponse | XmlResponse)
        if is_tree and response.body.count(b"<") > MOST_TAGS:
            raise TooComplexError(f"the page has more than {MOST_TAGS} tags")
        async with self._parsing:
            if self._stuck >= MOST_STUCK:
                raise TooComplexError(f"{self._stuck} other pages are being parsed and do not end")
            try:
                if self._stuck and is_tree and not await self._survives(response):
                    raise TimeoutError
                return await self._in_thread(lambda: read(response))
            except TimeoutError:
                raise TooComplexError(
                    f"the page could not be parsed within {self._timeout:g} s (PARSE_TIMEOUT)"
                ) from None

    async def _survives(self, response: TextResponse) -> bool:
        page = await self._in_thread(
            lambda: response.text.strip().replace("\0", "").encode() or b"<html/>"
        )
        return await self._canary.survives(page, is_xml=isinstance(response, XmlResponse))

    async def close(self) -> None:
        """End what was started besides the crawl."""
        await self._canary.close()

    async def _in_thread(self, job: Callable[[], T]) -> T:
        """Return what *job* returns, or raise what it raises.

        Raises:
            TimeoutError: it is still at it.
        """
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        results: list[T] = []
        errors: list[Exception] = []
        is_late = False

        def finished() -> None:
            done.set()
            if is_late:
                self._stuck -= 1

        def run() -> None:
            try:
                results.append(job())
            except Exception as error:
                errors.append(error)
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(finished)

        if self._threads == self._stuck:
            self._threads += 1
            Thread(target=self._work, daemon=True, name=f"parser-{self._threads}").start()
        self._jobs.put(run)
        try:
            await asyncio.wait_for(done.wait(), self._timeout)
        except (TimeoutError, asyncio.CancelledError):
            if not done.is_set():  # it may have come to its end at the same moment
                is_late = True
                self._stuck += 1
            raise
        if errors:
            raise errors[0]
        return results[0]

    def _work(self) -> None:
        while True:
            self._jobs.get()()
