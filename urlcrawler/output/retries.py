"""A table of which some rows are crawled again, and replaced all at once."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from urlcrawler.ledger import Ledger
from urlcrawler.output.tablefile import TableFile, beside
from urlcrawler.output.tables import Format


class RetriedTable(TableFile):
    """A table, and beside it a hidden part with new rows for records that have one already.

    The part is a table like any other: it is locked with this one, survives a kill, and is
    continued by the next run. When the crawl is complete, its rows take the place of the old ones.

    Attributes:
        part: where new rows of `again` go; None while nothing is crawled again.
        again: records that have a row that is to be replaced.
        is_merged: whether the rows of the part have taken the place of the old ones.
    """

    def __init__(self, path: Path, format_: Format, *, file: Path | None = None) -> None:
        super().__init__(path, format_, file=file)
        self.part: TableFile | None = None
        self.again = Ledger(0)
        self.is_merged = False
        self._part_path = beside(path, ".retry")

    @property
    def has_part(self) -> bool:
        """Whether a run that crawled rows again was interrupted."""
        return self._part_path.exists()

    @property
    def newer(self) -> Path | None:
        """The part, when there are rows in it."""
        has_rows = self.part and self.part.size > len(self.format.header())
        return self._part_path if has_rows else None

    def open_part(self, again: Ledger) -> TableFile:
        """Begin or continue to crawl rows again: those of the records in *again*.

        Raises:
            OutputError: the part cannot be opened.
        """
        self.part = TableFile(self._part_path, self.format, locked=False)
        self.again = again
        return self.part

    def begin_anew(self) -> None:
        """Forget every row.

        Raises:
            OutputError: the table cannot be written.
        """
        self.remove_part()  # first: its rows would replace those of a table that is gone
        self.cut(0)

    def remove_part(self) -> None:
        """Remove the part, whose rows the table has now or is to forget.

        Raises:
            OutputError: it stays.
        """
        try:
            self._part_path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    def add(self, row: Mapping[str, Any], written: Callable[[], None]) -> None:
        """Append *row* to the table, or to the part when it replaces another."""
        if self.part and row["position"] in self.again:
            self.part.add(row, written)
            self.failure = self.failure or self.part.failure
        else:
            super().add(row, written)

    def try_sync(self) -> None:
        """Make the rows so far durable; when that fails, fall back to those that are."""
        super().try_sync()
        if self.part:
            self.part.try_sync()
            self.failure = self.failure or self.part.failure

    def release(self) -> None:
        """Close the files and the lock, as they are."""
        if self.part:
            self.part.release()
        super().release()
