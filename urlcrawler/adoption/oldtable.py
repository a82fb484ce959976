"""The table that a script has written, read as lists are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from urlcrawler.exceptions import ArgumentError, ListError
from urlcrawler.inputs.formats import open_reader
from urlcrawler.inputs.readers import JsonLinesReader
from urlcrawler.inputs.records import Record
from urlcrawler.inputs.sources import open_source
from urlcrawler.output.tables import restore

_NUL = "there are NUL bytes in it"
_OURS = ["position", "outcome", "status"]  # the first columns of a table of a crawl, without url


class OldTable:
    """A table of somebody's own: CSV, TSV, JSON Lines, Parquet, or text with one URL a line.

    Attributes:
        label: its name, as the user gave it.
        name: the same without its folder, or what is secret in an address.
        url_column: the column with the URL; "" when there is only that.
        columns: the others.
        has_header: whether its columns have names.
        is_ours: whether a crawl has written it.
    """

    def __init__(self, label: str, url_column: str | None) -> None:
        """Open it.

        Raises:
            ArgumentError: it cannot be read, or has no such column.
        """
        self.label = label
        is_remote = label.startswith(("http://", "https://"))
        path = urlsplit(label).path if is_remote else label
        self.name = Path(path).name if label != "-" else "standard input"
        try:
            self._source = open_source(label)
            try:
                self._reader = open_reader(self._source, url_column)
                if isinstance(self._reader, JsonLinesReader):
                    for _ in self._reader.scan():  # which keys there are
                        pass
                self.columns, self.url_column = self._reader.columns, self._reader.url_column
            except BaseException:
                self.close()
                raise
        except ListError as error:
            _refuse(error)
        self.has_header = bool(getattr(self._reader, "has_header", True))
        self.is_ours = self.columns[: len(_OURS)] == _OURS

    def rows(self) -> Iterator[tuple[int, Record]]:
        """Yield byte offset and record of each row, with a `problem` for what cannot be trusted."""
        for offset, record in self._reader.whole():
            if record.problem is None and _has_nul(record):
                record.problem = _NUL
            yield offset, self._restored(record)

    def row(self, offset: int) -> Record:
        """Return the row that begins at byte *offset*."""
        return self._restored(self._reader.read(offset, 0))

    def repeats_header(self, record: Record) -> bool:
        """Return whether a row is the header once more, as by a script that was started again."""
        return bool(self.columns) and all(name == cell for name, cell in record.columns.items())

    def lines_at(self, offsets: list[int]) -> list[int | None]:
        """Return the number of the line of each row; *offsets* must be in order."""
        return self._source.lines_at(offsets)

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def _restored(self, record: Record) -> Record:
        # Text that a spreadsheet would run has an apostrophe in the CSV of a crawl.
        if self.is_ours and self._source.suffix in (".csv", ""):
            record.url = restore(record.url)
            for name, cell in record.columns.items():
                record.columns[name] = restore(cell) if isinstance(cell, str) else cell
        return record


def _has_nul(record: Record) -> bool:
    return "\0" in record.url or any(map(_holds_nul, record.columns.values()))


def _holds_nul(value: Any) -> bool:
    return isinstance(value, str) and "\0" in value


def _refuse(error: ListError) -> NoReturn:
    """Say of the old table what readers say of a list."""
    text = str(error).removeprefix("argument `file`: ").replace("-a column=", "--url-column ")
    text = text.replace("argument `column`", "--url-column").replace("the list", "the table")
    raise ArgumentError(text) from error
