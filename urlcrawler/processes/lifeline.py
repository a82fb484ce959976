"""How processes on other machines know that the crawl which they work for goes on.

It is a file of the folder that all of them see, which the crawl writes again and again: their
clocks may differ, and no connection is needed. When it belongs to another run, is gone or has not
changed for a while, nobody waits for the rows any more: the process stops, and its pages are left
to the next run.
"""

from contextlib import suppress
from pathlib import Path
from time import monotonic

from urlcrawler.output.parts import RUN

PACE = 5.0  # seconds between two writes
PATIENCE = 120.0  # seconds without one; what NFS has cached may be a minute old


class Lifeline:
    """The end in the hands of the crawl."""

    def __init__(self, folder: Path, run: str) -> None:
        """Take it up; processes of an earlier run let go.

        Args:
            folder: that all processes see.
            run: a name that no other run has.

        Raises:
            OSError: it cannot be written.
        """
        self._path = folder / RUN
        self._run = run
        self._beats = 0
        self.beat()

    def beat(self) -> None:
        """Say that the crawl goes on.

        Raises:
            OSError: it cannot be written.
        """
        self._beats += 1
        new = self._path.with_suffix(".new")
        new.write_text(f"{self._run} {self._beats}", encoding="utf-8")
        new.replace(self._path)

    def let_go(self) -> None:
        """Have all processes of this run stop."""
        with suppress(OSError):  # the folder is gone, or nobody can reach it
            self._path.unlink(missing_ok=True)


class Hold:
    """The end in the hands of a process that works for the crawl."""

    def __init__(self, folder: Path, run: str) -> None:
        self._path = folder / RUN
        self._run = run
        self._last, self._since = "", monotonic()

    @property
    def is_there(self) -> bool:
        """Whether the folder is that of the crawl: it may be another one of the same name."""
        return self._read().startswith(f"{self._run} ")

    @property
    def is_firm(self) -> bool:
        """Whether the crawl goes on."""
        found = self._read()
        if found != self._last:
            self._last, self._since = found, monotonic()
        is_ours = found.startswith(f"{self._run} ")
        return is_ours and monotonic() - self._since < PATIENCE

    def _read(self) -> str:
        with suppress(OSError):
            return self._path.read_text(encoding="utf-8")
        return ""
