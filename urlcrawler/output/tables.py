"""Rows as bytes, and bytes as rows again: the table in CSV and in JSON Lines.

One row is one piece of bytes, so that it can be written by one call and found again after a kill.
"""

import codecs
import csv
import io
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import IO, Any, NamedTuple

from urlcrawler.inputs.csvrows import read_rows
from urlcrawler.inputs.sources import skip_bom

# What a spreadsheet would run as a formula (OWASP, CSV injection), apostrophes before it included:
# so the sign that switches it off can be taken away again without a doubt.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TOO_SHORT = 16  # bytes: nothing that anybody would miss
_NEUTRALISED = re.compile(r"'+[=+\-@\t\r]")


def neutralise(text: str) -> str:
    """Return a cell that no spreadsheet runs as a formula: an apostrophe goes before the sign."""
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def restore(cell: str) -> str:
    """Undo `neutralise`: return the text as the page or the list had it."""
    return cell[1:] if _NEUTRALISED.match(cell) else cell


class Line(NamedTuple):
    """A complete row of a table on disk.

    Attributes:
        start, end: its first byte, and the byte after its last.
        position, url, outcome, error: as in the row.
    """

    start: int
    end: int
    position: int
    url: str
    outcome: str
    error: str | None


class Format(ABC):
    """A way to write tables that can be appended to, and read back row by row."""

    def __init__(
        self, columns: list[str], *, formulas: bool = False, signature: bool = False
    ) -> None:
        """Take the columns, and of the settings CSV_FORMULAS and whether a mark of UTF-8 begins
        the file (FEED_EXPORT_ENCODING=utf-8-sig).
        """
        self.columns = columns
        self.formulas = formulas
        self.signature = codecs.BOM_UTF8 if signature else b""

    @abstractmethod
    def header(self) -> bytes:
        """Return what stands before the first row."""

    @abstractmethod
    def encode(self, row: Mapping[str, Any]) -> bytes:
        """Return the bytes of one row, line end included."""

    @abstractmethod
    def read_header(self, file: IO[bytes]) -> tuple[list[str], int] | None:
        """Return the columns of a table and the offset of its first row; None when torn."""

    @abstractmethod
    def begins(self, head: bytes) -> bool:
        """Return whether *head*, all that is there, may be what a kill left of a new table."""

    def is_torn(self, tail: bytes) -> bool:
        """Return whether *tail* may be what a kill or a power cut has left behind the last row:
        the beginning of a row, zeros, or garbage.
        """
        try:
            text = codecs.getincrementaldecoder("utf-8")().decode(tail)
        except UnicodeDecodeError:
            return True
        if len(tail) < _TOO_SHORT or _CONTROL.search(text):
            return True
        return self._begins_row(text)

    @abstractmethod
    def _begins_row(self, text: str) -> bool:
        """Return whether *text* is the beginning of one row, and no end of it."""

    @abstractmethod
    def lines(self, file: IO[bytes], offset: int) -> Iterator[Line | int]:
        """Yield the rows from *offset* on; for what is no complete row the byte it begins at."""

    @abstractmethod
    def read_row(self, file: IO[bytes], offset: int) -> dict[str, Any] | None:
        """Return the row that begins at *offset*, by column; None when it is no complete row."""

    def cell(self, value: Any) -> Any:
        """Return what stands in the table for *value*."""
        return value


class Csv(Format):
    """RFC 4180. None is an empty cell, lists and objects are JSON."""

    def header(self) -> bytes:
        """Return the line of column names."""
        return self.signature + self._line([self.cell(name) for name in self.columns])

    def encode(self, row: Mapping[str, Any]) -> bytes:
        """Return the cells of the row in the order of the columns."""
        return self._line([self.cell(row.get(column)) for column in self.columns])

    def cell(self, value: Any) -> Any:
        """Return what stands in the cell."""
        if value is None:
            return ""
        if isinstance(value, list | dict):
            value = json.dumps(value, ensure_ascii=False, default=str)
        if isinstance(value, str) and not self.formulas:
            return neutralise(value)
        return value

    def read_header(self, file: IO[bytes]) -> tuple[list[str], int] | None:
        """Read the first row; it is complete when a line end closes it."""
        file.seek(0)
        skip = skip_bom(file)
        _, end, cells = next(read_rows(file, skip, ",", closed=True), (0, 0, None))
        if cells is None:
            return None
        return (cells if self.formulas else [restore(cell) for cell in cells]), end

    def begins(self, head: bytes) -> bool:
        """Compare with the header; a power cut may leave zeros instead."""
        return self.header().startswith(head.rstrip(b"\0"))

    def lines(self, file: IO[bytes], offset: int) -> Iterator[Line | int]:
        """Parse as CSV: a line break inside quotes is no end of a row."""
        places = [self.columns.index(name) for name in ("position", "url", "outcome", "error")]
        for start, end, cells in read_rows(file, offset, ",", closed=True):
            if cells is None or len(cells) != len(self.columns):
                yield start
                continue
            position, url, outcome, error = (cells[place] for place in places)
            if not position.isdecimal() or not outcome:
                yield start
                continue
            url = url if self.formulas else restore(url)
            yield Line(start, end, int(position), url, outcome, error or None)

    def read_row(self, file: IO[bytes], offset: int) -> dict[str, Any] | None:
        """Return the cells as text."""
        _, _, cells = next(read_rows(file, offset, ",", closed=True), (0, 0, None))
        if cells is None or len(cells) != len(self.columns):
            return None
        return dict(zip(self.columns, cells if self.formulas else map(restore, cells), strict=True))

    def _begins_row(self, text: str) -> bool:
        """Return whether *text* is the beginning of one: a break outside of quotes would end it."""
        outside = "".join(text.split('"')[::2])
        return re.match(r"\d+(,|$)", text) is not None and "\n" not in outside

    @staticmethod
    def _line(cells: list[Any]) -> bytes:
        line = io.StringIO(newline="")
        csv.writer(line).writerow(cells)
        return line.getvalue().encode()


class JsonLines(Format):
    """One JSON object a line, with every column."""

    def header(self) -> bytes:
        """Return nothing: each row names its columns."""
        return b""

    def encode(self, row: Mapping[str, Any]) -> bytes:
        """Return the object of the row."""
        values = {column: row.get(column) for column in self.columns}
        return json.dumps(values, ensure_ascii=False, default=str).encode() + b"\n"

    def read_header(self, file: IO[bytes]) -> tuple[list[str], int] | None:
        """Take the columns from the first row that can be read."""
        file.seek(0)
        values = next(filter(None, map(_object, file)), None)
        return (list(values), 0) if values else None

    def begins(self, head: bytes) -> bool:
        """Compare with how each row begins; a power cut may leave zeros instead."""
        text = head.rstrip(b"\0").decode("utf-8", errors="replace")
        return not text or self._begins_row(text)

    def _begins_row(self, text: str) -> bool:
        r"""Return whether *text* is the beginning of one; in strings a line break is `\n`."""
        beginning = re.match(r'\{"position": \d+(, "url": )?', text)
        whole, found = '{"position": 0, "url": ', re.sub(r"\d+", "0", text, count=1)
        begins = whole.startswith(found) or (beginning and beginning[1])
        return bool(begins) and "\n" not in text

    def read_row(self, file: IO[bytes], offset: int) -> dict[str, Any] | None:
        """Return the object."""
        file.seek(offset)
        return _object(file.readline())

    def lines(self, file: IO[bytes], offset: int) -> Iterator[Line | int]:
        """Parse each line."""
        file.seek(offset)
        for line in file:
            values = _object(line)
            start, offset = offset, offset + len(line)
            if values is None or list(values) != self.columns:
                yield start
                continue
            position, outcome = values["position"], values["outcome"]
            if not isinstance(position, int) or not isinstance(outcome, str):
                yield start
                continue
            yield Line(start, offset, position, values["url"], outcome, values["error"])


FORMATS: dict[str, type[Format]] = {
    "csv": Csv,
    "jsonlines": JsonLines,
    "jsonl": JsonLines,
    "jl": JsonLines,
}


def _object(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None
