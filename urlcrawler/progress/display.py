"""How far a crawl is, on a terminal: a few lines below the log."""

import io
import logging
import sys
from typing import Any, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from urlcrawler.progress import words
from urlcrawler.progress.standing import Standing

_NARROW = 60  # columns; with fewer there is no bar


class Display:
    """A few lines that are written again and again, with the log above them."""

    def __init__(self, name: str, stream: TextIO) -> None:
        """Begin on *stream*, a terminal."""
        self._name = name
        self._console = Console(file=stream, highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True,
                          redirect_stdout=False, redirect_stderr=False)  # fmt: skip
        self._streams: list[tuple[Any, Any]] = []  # handlers of the log, and what they wrote to

    def show(self, standing: Standing) -> None:
        """Write the lines."""
        if not self._live.is_started:
            self._start()
        self._live.update(self._lines(standing), refresh=True)

    def close(self) -> None:
        """Take the lines away, and leave the log as it was."""
        self._live.stop()
        for handler, stream in self._streams:
            handler.setStream(stream)
        self._streams.clear()

    def _start(self) -> None:
        above = Above(self._console)
        for handler in logging.getLogger().handlers:
            stream = getattr(handler, "stream", None)
            if isinstance(handler, logging.StreamHandler) and stream in (
                sys.stderr,
                sys.__stderr__,
            ):
                self._streams.append((handler, stream))
                handler.setStream(above)
        self._live.start()
        self._console.show_cursor(True)  # a second Ctrl-C ends the process where it is

    def _lines(self, standing: Standing) -> RenderableType:
        head = Table.grid(padding=(0, 1), expand=True)
        cells: list[RenderableType] = []
        if self._console.width >= _NARROW:
            head.add_column(no_wrap=True)
            head.add_column(ratio=1)
            bar = ProgressBar(max(1, standing.total), standing.done)
            cells = [Text(self._name, "bold"), bar]
        head.add_column(no_wrap=True, overflow="ellipsis")
        share = standing.done / standing.total if standing.total else 1.0
        left = standing.seconds_left
        about = f"  {words.duration(left)} left" if left is not None and share < 1 else ""
        cells.append(
            Text(f"{standing.done:,}/{standing.total:,}  {share:.0%}  {standing.rate:.1f}/s{about}")
        )
        head.add_row(*cells)
        slowest = f"the last will be {standing.slowest}" if standing.slowest else ""
        more = (
            words.outcomes(standing), slowest, words.paused(standing), words.browser(standing),
            words.waiting(standing),
        )  # fmt: skip
        lines = [Text(line, no_wrap=True, overflow="ellipsis") for line in more if line]
        if lines and words.waiting(standing):
            lines[-1].stylize("yellow")
        return Group(head, *lines)


class Above(io.TextIOBase):
    """Writes whole lines above the display, as long as they are."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rest = ""

    def write(self, text: str) -> int:
        """Write the lines in *text*; what is no whole line waits for its end."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._console.print(Text.from_ansi(line), soft_wrap=True)
        return len(text)
