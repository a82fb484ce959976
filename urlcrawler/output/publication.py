"""Tables that nothing can be appended to: Parquet, SQLite, what is compressed, a database.

The rows are collected in a hidden table beside the file, which resumes as any other does, and are
published when each record has its row (`published.PublishedTable`). So the file is complete or
absent, and there is one ledger.
"""

import os
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path

from urlcrawler.output.tablefile import beside, sync_folder
from urlcrawler.output.tables import Format


class Publication(ABC):
    """A kind of table that is written as a whole.

    Attributes:
        working: the format of the rows while they are collected.
    """

    working: Format

    @abstractmethod
    def is_there(self, path: Path) -> bool:
        """Return whether something is published at *path*."""

    @abstractmethod
    def publish(self, rows: Path, path: Path) -> None:
        """Let what is in the table *rows* take the place of what is published, in one step.

        Raises:
            OSError: no room, no permission, no connection; what was published is as it was.
        """

    @abstractmethod
    def take_back(self, path: Path, rows: Path) -> None:
        """Write the rows that are published at *path* into the new table *rows*.

        Raises:
            OutputError: they were not written by a crawl.
            OSError: no room, no permission, no connection.
        """

    @abstractmethod
    def remove(self, path: Path) -> None:
        """Remove what is published.

        Raises:
            OSError: it stays.
        """


class FilePublication(Publication):
    """A kind of file."""

    @abstractmethod
    def write(self, rows: Path, new: Path) -> None:
        """Write what is in the table *rows* into the file *new*.

        Raises:
            OSError: no room or no permission.
        """

    @classmethod
    @abstractmethod
    def restore(cls, published: Path, rows: Path) -> None:
        """Write the rows of a *published* file into the new table *rows*.

        Raises:
            OutputError: it was not written by a crawl.
            OSError: no room or no permission.
        """

    def is_there(self, path: Path) -> bool:
        """Return whether there is a file."""
        return path.exists() and path.stat().st_size > 0

    def publish(self, rows: Path, path: Path) -> None:
        """Write a new file, make it durable, and rename it."""
        new = beside(path, ".new")
        try:
            self.write(rows, new)
            with new.open("rb") as file:
                os.fsync(file.fileno())
            new.replace(path.resolve())
        except OSError:
            with suppress(OSError):  # what went wrong first is what is told
                new.unlink(missing_ok=True)
            raise
        sync_folder(path)

    def take_back(self, path: Path, rows: Path) -> None:
        """Read the file."""
        self.restore(path, rows)

    def remove(self, path: Path) -> None:
        """Remove the file."""
        path.resolve().unlink(missing_ok=True)  # a link stays one


def collected(path: Path) -> Path:
    """Return where the rows for the table at *path* are collected."""
    return beside(path, ".rows")
