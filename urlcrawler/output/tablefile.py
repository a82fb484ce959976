"""A table on disk that only ever holds complete rows: the ledger of a crawl is its output."""

import errno
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

from filelock import FileLock, Timeout

from urlcrawler.exceptions import OutputError
from urlcrawler.output.scan import Scan, busy
from urlcrawler.output.tables import Format, Line

logger = logging.getLogger(__name__)

_SYNC_SECONDS = 1.0  # what a power cut may cost; a kill costs nothing


class TableFile:
    """Append rows to a table, each by one write, and never leave a torn one behind.

    A row that cannot be written whole is taken back, and nothing is written after it.

    Attributes:
        path: the table, as the user calls it.
        file: where its rows are: the same, but for a table that is published when it is complete.
        failure: why nothing more can be written, or None.
        in_order: whether its rows are in the order of the list, once `lines` has read them.
        on_failure: is called then, with the positions of rows that had counted as written and
            are gone again.
    """

    on_failure: Callable[[list[int]], None] = staticmethod(lambda lost: None)

    def __init__(
        self, path: Path, format_: Format, *, locked: bool = True, file: Path | None = None
    ) -> None:
        """Take the table at *path* for this process alone.

        Not *locked* is for a file that belongs to a table which is.

        Raises:
            OutputError: another crawl writes it, or it cannot be opened.
        """
        self.path = path
        self.file = file or path
        self.format = format_
        self.failure: OSError | None = None
        self._lock = FileLock(beside(path, ".lock"))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if locked:
                self._lock.acquire(blocking=False)
        except Timeout:
            raise busy(path) from None
        except OSError as error:
            raise self._unusable(error) from error
        try:
            self._open()
        except OSError as error:
            self._lock.release()
            raise self._unusable(error) from error
        self._synced, self._sync_at = 0, monotonic()
        self.in_order, self._last = True, 0
        self._unsynced: list[int] = []  # positions of rows that a power cut may still take

    def _open(self) -> None:
        self._fd = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        self.size = os.fstat(self._fd).st_size

    def lines(self) -> Iterator[Line]:
        """Yield the rows that the table has, and cut a torn tail off when they are through.

        Raises:
            OutputError: the columns are others, or something between the rows is no row.
        """
        scan = Scan(self.path, self.format)
        self.in_order, self._last = True, 0
        with os.fdopen(os.dup(self._fd), "rb") as file:
            for line in scan.lines(file, self.size):
                self._note(line.position)
                yield line
        if scan.is_new:
            self.cut(0)  # a new table, or what a kill left of its first line
        elif scan.end < self.size:
            logger.info(
                "%(path)s: %(bytes)d bytes of a row that was not finished are taken away",
                {"path": self.path, "bytes": self.size - scan.end},
            )
            self.cut(scan.end)
        else:
            self._keep()

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows that the file has now, as they are written there."""
        with self.file.open("rb") as file, self.file.open("rb") as again:
            found = self.format.read_header(file)
            for line in self.format.lines(file, found[1]) if found else ():
                if not isinstance(line, int):
                    yield self.format.read_row(again, line.start) or {}

    def cut(self, size: int) -> None:
        """Shorten the table to *size* bytes; 0 begins it anew, with a header."""
        try:
            os.ftruncate(self._fd, size)
            self.size = size
            if not size:
                self.in_order, self._last = True, 0
                self._append(self.format.header())
                sync_folder(self.file)
        except OSError as error:
            raise self._unusable(error) from error
        self._keep()

    def _keep(self) -> None:
        """Make what is there durable, so that nothing that happens later can cost it."""
        try:
            self.sync()
        except OSError as error:
            raise self._unusable(error) from error

    def add(self, row: Mapping[str, Any], written: Callable[[], None]) -> None:
        """Append *row* and call *written*; when it cannot be written, take it back and fail."""
        if self.failure:
            return
        try:
            self._append(self.format.encode(row))
        except OSError as error:
            self._fail(error, self.size)
            return
        self._note(row["position"])
        self._unsynced.append(row["position"])
        written()
        if monotonic() >= self._sync_at:
            self.try_sync()

    def try_sync(self) -> None:
        """Make the rows so far durable; when that fails, fall back to those that are."""
        if self.failure or self._synced == self.size:
            return
        try:
            self.sync()
        except OSError as error:
            self._fail(error, self._synced)

    def sync(self) -> None:
        """Make the rows so far durable.

        Raises:
            OSError: they are not.
        """
        os.fsync(self._fd)
        if not self.file.exists() or not os.path.samestat(self.file.stat(), os.fstat(self._fd)):
            raise OSError(errno.ESTALE, "somebody has replaced or removed it meanwhile")
        self._synced, self._sync_at = self.size, monotonic() + _SYNC_SECONDS
        self._unsynced = []

    def close(self) -> None:
        """Make the table durable and let others have it; do nothing when that is done."""
        if self._fd >= 0:
            self.try_sync()
            self.release()

    def release(self) -> None:
        """Close the file and the lock, as they are."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            self._lock.release()

    def _note(self, position: int) -> None:
        self.in_order = self.in_order and position > self._last
        self._last = position

    def _append(self, data: bytes) -> None:
        written = os.pwrite(self._fd, data, self.size)
        if written < len(data):
            raise OSError(
                errno.ENOSPC, os.strerror(errno.ENOSPC)
            )  # what a short write is the herald of
        self.size += written

    def _fail(self, error: OSError, size: int) -> None:
        """Say why, and leave only whole rows behind."""
        self.failure, self.size = error, size
        logger.error(
            "%(path)s: cannot be written: %(why)s. The rows so far are whole. Make room, or mend "
            "the disk, then run it again without -O to go on",
            {"path": self.path, "why": error.strerror},
        )
        try:
            os.ftruncate(self._fd, size)
        except OSError:
            logger.warning(
                "%(path)s: the last row may be torn; the next run takes it away",
                {"path": self.path},
            )
        self.on_failure(self._unsynced if size == self._synced else [])

    def _unusable(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self.path}: cannot be written: {error.strerror}. Make room, or mend the disk, or "
            "name another place with -o"
        )


def beside(path: Path, suffix: str) -> Path:
    """Return the path of a hidden file that belongs to the table at *path*, or that it links to."""
    path = path.resolve()  # one table, one lock, whatever it is called
    return path.with_name(f".{path.name}{suffix}")


def sync_folder(path: Path) -> None:
    """Make a new or renamed file at *path* durable: its name stands in the folder."""
    folder = os.open(path.resolve().parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
