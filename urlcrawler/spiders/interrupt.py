"""Ctrl-C while a long list is read."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from urlcrawler.exceptions import Interrupted

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C and TERM end the block at once.

    Scrapy's own handlers only ask the event loop to stop, which comes to its turn when the block
    is over: half a minute later for a list of 10 million lines.

    Raises:
        Interrupted: a signal came.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    handlers = {number: signal.signal(number, _interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise Interrupted(number)
