"""Ctrl-C and TERM while a crawl goes on: once finishes what is under way, twice ends at once."""

import os
import signal
import threading
from contextlib import suppress
from typing import Any

_STOPPING = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Remember which signal asked the crawl to stop; Scrapy's handlers do the stopping.

    Once means: finish the pages under way, and the table. What does not come to an end is given up
    by a second signal, which the user could send as well.
    """

    _PATIENCE = 30.0  # seconds
    _AT_ONCE = 1.5

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        self.watching = False  # the crawl has begun
        self.at_once = False  # the second signal came
        self._is_closing = False
        self._again: threading.Timer | None = None

    def close(self) -> None:
        """Note that all pages are done, and the table is what is left to do."""
        self._is_closing = True

    def over(self) -> None:
        """Note that the crawl has ended, and nothing is left to interrupt."""
        if self._again:
            self._again.cancel()
        if self.received:
            for number in _STOPPING:
                signal.signal(number, signal.SIG_IGN)

    def watch(self) -> None:
        """Hear of signals before Scrapy does."""
        self.watching = True
        for number in _STOPPING:
            handler = signal.getsignal(number)
            if callable(handler):
                signal.signal(number, self._hearing(handler))

    def _hearing(self, handler: Any) -> Any:
        def hear(number: int, frame: Any) -> None:
            if self.received:
                if not self.at_once:
                    self.at_once = True
                    _tell(b"Stopped. To go on, run it again without -O\n")
                    # Code that blocks the event loop would have to come to its end first.
                    leave = threading.Timer(self._AT_ONCE, os._exit, (128 + number,))
                    leave.daemon = True
                    leave.start()
                handler(number, frame)
                return
            self.received = signal.Signals(number)
            _tell(b"Stopping: pages under way are finished, 30 s at most. Again: at once\n")
            self._again = threading.Timer(self._PATIENCE, os.kill, (os.getpid(), number))
            self._again.daemon = True
            self._again.start()
            if not self._is_closing:  # else Scrapy's would leave the table as it is
                handler(number, frame)
                self.watch()  # it has put another one into our place

        return hear


def _tell(text: bytes) -> None:
    # Not print(): the interrupted code may be in the middle of writing to the same stream.
    with suppress(OSError):  # whoever has started this, and reads that, may have ended first
        os.write(2, text)
