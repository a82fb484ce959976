"""A table as it stands on the disk, read without a lock and without a change."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from urlcrawler.exceptions import OutputError
from urlcrawler.output.publication import foreign
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
            raise OutputError(
                f"{path}: another crawl is writing it. Wait for it, or name another table with -o"
            )

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
        if not self.size:
            return
        with self._file.open("rb") as file:
            found = self._format.read_header(file)
            if found is None:
                file.seek(0)
                if not self._format.begins(file.read(1 << 20)):
                    raise foreign(self.path)
                return
            columns, start = found
            if columns != self._format.columns:
                raise OutputError(
                    f"{self.path}: has other columns than this crawl writes. It has: "
                    f"{', '.join(columns)}. Type -O {self.path} to start afresh, or -o with "
                    "another name"
                )
            torn: int | None = None
            for line in self._format.lines(file, start):
                if isinstance(line, int):
                    torn = line if torn is None else torn
                elif torn is not None:
                    raise OutputError(
                        f"{self.path}: what begins at byte {torn} is no row, and rows follow. "
                        f"Mend or remove it, or type -O {self.path} to start afresh"
                    )
                else:
                    yield line
            if torn is not None:
                file.seek(torn)
                if not self._format.is_torn(file.read(1 << 20)):
                    raise OutputError(
                        f"{self.path}: what begins at byte {torn} is no row of a crawl. Mend or "
                        f"remove it, or type -O {self.path} to start afresh"
                    )


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
