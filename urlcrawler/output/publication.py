"""Files that nothing can be appended to: Parquet, SQLite, what is compressed.

The rows are collected in a hidden table beside the file, which resumes as any other does, and are
published when each record has its row (`published.PublishedTable`). So the file is complete or
absent, and there is one ledger.
"""

from abc import ABC, abstractmethod
from pathlib import Path

from urlcrawler.exceptions import OutputError
from urlcrawler.output.tablefile import beside
from urlcrawler.output.tables import Format


class Publication(ABC):
    """A kind of file that is written as a whole.

    Attributes:
        working: the format of the rows while they are collected.
    """

    working: Format

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


def collected(path: Path) -> Path:
    """Return where the rows for the file at *path* are collected."""
    return beside(path, ".rows")


def foreign(path: Path) -> OutputError:
    """Return what is said of a file that no crawl has written."""
    return OutputError(
        f"{path}: is there already and is no table of a crawl. Type -O {path} to replace it, or "
        "-o with another name"
    )
