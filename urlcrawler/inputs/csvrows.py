"""Rows of a CSV file with the bytes they stand on: of lists that are read, of tables resumed."""

import csv
import sys
from collections.abc import Iterator
from typing import IO

from urlcrawler.inputs.sources import text_of

csv.field_size_limit(sys.maxsize)  # the default refuses a cell of over 128 KiB
MAX_ROW = 1 << 24  # bytes, of lists; a quote that is never closed would take the rest of the file


def read_rows(
    file: IO[bytes],
    offset: int,
    delimiter: str,
    *,
    closed: bool = False,
    longest: int = 0,
) -> Iterator[tuple[int, int, list[str] | None]]:
    """Yield `(first byte, byte after the last, cells)` of the rows from *offset* on.

    The cells of a broken row are None; lines without any cell are passed over.

    Args:
        closed: whether a last row that no line end closes is a broken one.
        longest: bytes that a row may have; 0 for what is usual, and no limit for *closed* ones.
    """
    file.seek(offset)
    lines = CountedLines(file, offset, longest or (sys.maxsize if closed else MAX_ROW))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        start = lines.row = lines.offset
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            # An open quote has eaten lines up to where it stopped making sense: only the line it
            # stands on is lost.
            file.seek(start)
            lines.offset = start + len(file.readline())
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            yield start, lines.offset, None
            file.seek(lines.offset)
            continue
        if cells:
            yield start, lines.offset, cells if lines.ended or not closed else None


class CountedLines:
    """The lines of a file as text.

    Attributes:
        offset: byte offset after the last line taken.
        row: byte offset of the row that the lines belong to.
        ended: whether the last line taken has a line end.
    """

    def __init__(self, file: IO[bytes], offset: int, longest: int = MAX_ROW) -> None:
        self._file = file
        self._longest = longest  # bytes of a row
        self.offset = self.row = offset
        self.ended = True

    def __iter__(self) -> "CountedLines":
        return self

    def __next__(self) -> str:
        if self.offset - self.row > self._longest:
            raise csv.Error("the row has no end")
        line = self._file.readline()
        if not line:
            raise StopIteration
        self.offset += len(line)
        self.ended = line.endswith(b"\n")
        return text_of(line)
