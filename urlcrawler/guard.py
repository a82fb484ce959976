"""Calls of code that is not ours, held to two rules: it ends in time, and in an Exception at worst.

Scrapy catches `Exception`. What is none of those never comes to an end there: after a
CancelledError a request waits for ever, SystemExit and KeyboardInterrupt end the event loop under
it, or are swallowed by a callback of Twisted's with the request still open.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from time import monotonic
from types import TracebackType
from typing import TypeVar

from urlcrawler.exceptions import ComponentError

_T = TypeVar("_T")


class Guard:
    """Turn what would stop Scrapy into a ComponentError that names the code it came from.

    A context manager around a call, and a wrapper of each kind of thing that a call may return.

    Attributes:
        name: how the code is called in rows and in the log.
        seconds: how long an awaitable may take; None is no limit.
        stop: called with a sentence when the code wants the process to end (SystemExit,
            KeyboardInterrupt).
    """

    def __init__(
        self, name: str, seconds: float | None, stop: Callable[[str], None] | None = None
    ) -> None:
        self.name = name
        self.seconds = seconds
        self._stop = stop

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None or isinstance(error, Exception | GeneratorExit):
            return
        if isinstance(error, asyncio.CancelledError) and _is_being_cancelled():
            return  # somebody outside has ended this task, and waits for it
        text = f"{self.name} raised {type(error).__name__}: {error}".removesuffix(": ")
        is_exit = not isinstance(error, asyncio.CancelledError)
        if is_exit and self._stop:
            self._stop(text)
        raise ComponentError(text, is_exit=is_exit) from error

    async def result(self, awaitable: Awaitable[_T], seconds: float | None = None) -> _T:
        """Return what *awaitable* returns, within *seconds* instead of the Guard's own.

        Raises:
            ComponentError: it took longer, or raised what is no Exception.
        """
        with self:
            try:
                async with asyncio.timeout(self.seconds if seconds is None else seconds) as limit:
                    return await awaitable
            except TimeoutError as error:
                if not limit.expired():  # a time limit of the code's own
                    raise
                text = f"{self.name} took longer than {self.seconds:g} s, see COMPONENT_TIMEOUT"
                raise ComponentError(text) from error

    async def steps(self, results: AsyncIterator[_T], *, in_all: bool = False) -> AsyncIterator[_T]:
        """Yield what *results* yields. The limit is for each step, or for all of them together.

        What the consumer does between two steps does not count.
        """
        left = self.seconds
        while True:
            began = monotonic()
            try:
                result = await self.result(anext(results), left)
            except StopAsyncIteration:
                return
            if in_all and left is not None:
                left -= monotonic() - began
            yield result

    def items(self, results: Iterable[_T]) -> Iterator[_T]:
        """Yield what *results* yields; code that waits without `await` cannot be cut short."""
        with self:
            iterator = iter(results)
        while True:
            with self:
                try:
                    result = next(iterator)
                except StopIteration:
                    return
            yield result


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
