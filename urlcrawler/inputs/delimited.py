"""Lists in CSV and TSV: RFC 4180 as spreadsheets write it."""

import csv
import re
from collections.abc import Iterator
from typing import Any

from urlcrawler.exceptions import ListError
from urlcrawler.inputs.csvrows import MAX_ROW, CountedLines, read_rows
from urlcrawler.inputs.readers import (
    NOT_ENDED,
    URL_COLUMNS,
    Reader,
    as_url,
    choose_url_column,
)
from urlcrawler.inputs.records import Record
from urlcrawler.inputs.sources import Source, skip_bom, text_of

_DELIMITERS = ",;\t|"
# A first row with such a cell is a record, not a header; what cannot be fetched is one too.
_LOOKS_LIKE_URL = re.compile(
    r"\s*([a-z][a-z0-9+.-]*://|(https?|mailto|javascript|tel|data):|//"
    r"|(localhost|\d{1,3}(\.\d{1,3}){3}|[\w-]+(\.[\w-]+)*\.[^\W\d_]{2,24})([/?#]|:\d|\s*$))",
    re.IGNORECASE,
)
_NO_DELIMITER = "\x1f"
_SNIFFED_ROWS = 20


class DelimitedReader(Reader):
    """Reads CSV and TSV with or without a header line.

    A row with more cells than the header has a comma that is not quoted, so which cell is which
    is a guess: it becomes an `invalid` row that says so.

    Attributes:
        has_header: whether the first row has the names of the columns.
    """

    def __init__(self, source: Source, column: str | None) -> None:
        self._file = source.file
        self.label = source.label
        self._start = skip_bom(self._file)
        self._delimiter = "\t" if source.suffix in (".tsv", ".tab") else None
        rows = self._first_rows(column)
        if not rows:
            raise ListError(f"{source.label}: the list is empty, or not one row of it is readable")
        header = rows[0]
        self.has_header = _is_header(header, column)
        if self.has_header:
            names = _unique([name.strip() for name in header])
            self._url = names.index(choose_url_column(names, column, source.label))
        else:
            urls = [number for number, cell in enumerate(header) if _LOOKS_LIKE_URL.match(cell)]
            best = min(urls, key=lambda number: "://" not in header[number])
            if best == 0 and any(len(row) != len(header) for row in rows):
                self._delimiter, header = None, header[:1]  # commas, but no columns
            names = [f"column_{number}" for number in range(1, len(header) + 1)]
            chosen = column or names[best]
            self._url = names.index(choose_url_column(names, chosen, source.label))
        self._names = names
        self._columns = [name for number, name in enumerate(names) if number != self._url]

    @property
    def url_column(self) -> str:
        """The name in the header; made up where there is no header."""
        return self._names[self._url]

    @property
    def columns(self) -> list[str]:
        """The names in the header besides the URL's; made up where there is no header."""
        return self._columns

    def scan(self) -> Iterator[tuple[int, str | None]]:
        """Yield offset and URL of each row; rows without any cell are not records."""
        rows = self._rows(self._start)
        if self.has_header:
            next(rows, None)
        for offset, cells in rows:
            if cells is None or len(cells) > len(self._names):
                yield offset, None
            elif cells:
                yield offset, as_url(cells[self._url]) if self._url < len(cells) else ""

    def read(self, offset: int, position: int) -> Record:
        """Return the record of the row at *offset*."""
        _, cells = next(self._rows(offset))
        if cells is None or len(cells) > len(self._names):
            self._file.seek(offset)
            line = text_of(self._file.readline()).strip()
            return Record(position, line, problem=self._problem(cells))
        return self._record(cells, position)

    def whole(self) -> Iterator[tuple[int, Record]]:
        """Yield offset and record of each row. One is whole that has as many cells as the header,
        ends with its line, and has no further row in a cell.
        """
        rows = read_rows(self._file, self._start, self._separator, closed=True, longest=MAX_ROW)
        if self.has_header:
            next(rows, None)
        for position, (offset, end, cells) in enumerate(rows, 1):
            if cells is not None and len(cells) == len(self._names):
                record = self._record(cells, position)
                if any("\n" in cell and self._has_row(cell) for cell in cells):
                    record.problem = "there are further rows inside of its quotes"
            else:
                url = cells[self._url] if cells and self._url < len(cells) else ""
                record = Record(position, as_url(url), problem=self._broken(cells, end))
            yield offset, record

    def _record(self, cells: list[str], position: int) -> Record:
        columns: dict[str, Any] = dict.fromkeys(self._columns)
        columns.update(zip(self._names, cells, strict=False))
        return Record(position, as_url(columns.pop(self._names[self._url], None)), columns)

    @property
    def _separator(self) -> str:
        # In one column a comma belongs to the URL; quotes are quotes all the same.
        return self._delimiter or _NO_DELIMITER

    def _rows(self, offset: int) -> Iterator[tuple[int, list[str] | None]]:
        rows = read_rows(self._file, offset, self._separator)
        return ((start, cells) for start, _, cells in rows)

    def _first_rows(self, column: str | None) -> list[list[str]]:
        """Return the first rows, and settle the delimiter by the first of them."""
        if self._delimiter is None:
            cells = {delimiter: self._first_row(delimiter) for delimiter in _DELIMITERS}
            # `url,"size; colour; weight"` has more semicolons than commas.
            best = max(cells, key=lambda d: (_names_urls(cells[d], column), len(cells[d])))
            self._delimiter = best if len(cells[best]) > 1 else None
        rows = (cells for _, cells in self._rows(self._start) if cells)
        return [cells for cells, _ in zip(rows, range(_SNIFFED_ROWS), strict=False)]

    def _first_row(self, delimiter: str) -> list[str]:
        self._file.seek(self._start)
        rows = csv.reader(CountedLines(self._file, self._start), delimiter=delimiter)
        try:
            return next(filter(None, rows), [])
        except csv.Error:
            return []

    def _has_row(self, cell: str) -> bool:
        """Return whether a line of *cell*, behind its first, looks like a row: quotes that were
        not closed, or were closed by those of another row, have taken it in.

        It has its URL where a row has it, with the scheme; and not alone, as in a text.
        """
        for line in cell.split("\n")[1:]:
            cells = line.split(self._separator)
            if len(cells) > max(self._url, min(1, len(self._names) - 1)):
                url = cells[self._url].lstrip('"')
                if "://" in url and _LOOKS_LIKE_URL.match(url):
                    return True
        return False

    def _broken(self, cells: list[str] | None, end: int) -> str:
        """Say why a row is not whole that ends before byte *end*."""
        if cells is not None and len(cells) < len(self._names):
            return f"the row has {len(cells)} cells, the header has {len(self._names)}"
        if cells is not None:
            return self._problem(cells).partition(":")[0]
        self._file.seek(end)
        return self._problem(None) if self._file.read(1) else NOT_ENDED

    def _problem(self, cells: list[str] | None) -> str:
        if cells is None:
            return "the row has a quote that is not closed"
        return (
            f"the row has {len(cells)} cells, the header has {len(self._names)}: "
            f"quote cells that contain {self._delimiter!r}"
        )


def sniff_header(line: str) -> bool:
    """Return whether *line* is the header of a table with a usual name for the URL."""
    cells = {cell.strip(' "').lower() for cell in re.split(f"[{_DELIMITERS}]", line)}
    return not cells.isdisjoint(URL_COLUMNS)


def _is_header(cells: list[str], column: str | None) -> bool:
    return _names_urls(cells, column) or not any(_LOOKS_LIKE_URL.match(cell) for cell in cells)


def _names_urls(cells: list[str], column: str | None) -> bool:
    names = {cell.strip(" ") for cell in cells}  # not the tab, which may be the delimiter
    return column in names or any(name.lower() in URL_COLUMNS for name in names)


def _unique(names: list[str]) -> list[str]:
    """Return *names* with numbers where one is empty or stands there before."""
    unique: list[str] = []
    for number, name in enumerate(names, 1):
        fresh, again = name or f"column_{number}", 2
        while fresh in unique:
            fresh, again = f"{name or 'column'}_{again}", again + 1
        unique.append(fresh)
    return unique
