"""A table as it stands on the disk, read without a lock and without a change."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from urlcrawler.output.scan import Scan, busy
from urlcrawler.output.tablefile import beside
from urlcrawler.output.tables import Format, Line


class StillTable:
    """A table that is only read.

    Attributes:
        path: the table, as the user calls it.
        size: bytes of its rows.
    """

    def __init__(self, path: Path, format_: Format, file: Path | None = None) -> None:
        """Take the table at *path*, if there is one.

        Args:
            file: where its rows are, if not there.

        Raises:
            OutputError: a crawl is writing it.
        """
        self.path = path
        self._file = file or path
        self.size = self._file.stat().st_size if self._file.exists() else 0
        self._format = format_
        if _is_locked(beside(path, ".lock")):
            raise busy(path)

    @property
    def interrupted(self) -> "StillTable | None":
        """The rows of a retry that was interrupted, if there are any."""
        part = StillTable(beside(self.path, ".retry"), self._format)
        return part if part.size else None

    def lines(self) -> Iterator[Line]:
        """Yield its rows; what a kill has left of the last one is none.

        Raises:
            OutputError: the columns are others, or something between the rows is no row.
        """
        if self.size:
            with self._file.open("rb") as file:
                yield from Scan(self.path, self._format).lines(file, self.size)


def _is_locked(lock: Path) -> bool:
    """Return whether a process has the lock; a crawl that has ended leaves its file behind."""
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)
