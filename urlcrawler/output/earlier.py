"""The table of an earlier crawl: what is known of a page that may not have changed.

It is read once. Two 64-bit numbers are kept per row, the hash of what was requested and the byte at
which the row begins, sorted by hash: 16 bytes. The row itself is read again when it is needed.
"""

import json
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from urlcrawler.exceptions import ArgumentError, InvalidUrl, OutputError
from urlcrawler.inputs.urls import parse_target
from urlcrawler.outcomes import OUTCOMES, THERE
from urlcrawler.output.publications import READ, rows_of
from urlcrawler.output.tables import Format, Line

_COLUMNS = ("position", "url", "outcome", "error", "final_url")


class Earlier(NamedTuple):
    """What an earlier crawl has found.

    Attributes:
        url: the URL that answered, after redirects; what follows is about it, and no other.
        etag, last_modified: validators that came with the page, empty when there were none.
        body_hash: of its body, see `items.Page`; empty when it is not known.
        row: the whole row, by column, as the table has it.
    """

    url: str
    etag: str
    last_modified: str
    body_hash: str
    row: dict[str, Any]


class EarlierTable:
    """Finds the row of a URL, however it is spelled, in a table that a crawl has written.

    Attributes:
        columns: names of its columns.
    """

    def __init__(
        self, path: str, *, formulas: bool = False, outcomes: tuple[str, ...] = THERE
    ) -> None:
        """Read the table.

        Args:
            formulas: the setting CSV_FORMULAS that it was written with.
            outcomes: of which rows are found.

        Raises:
            ArgumentError: it cannot be read, or is no table.
        """
        try:
            with rows_of(Path(path).expanduser()) as (rows, kind):
                if kind is None:
                    raise ArgumentError(f"{path}: is no table that can be read: only {READ} are")
                self._file = rows.open("rb")
        except OSError as error:
            raise ArgumentError(f"{path}: {error.strerror}") from error
        except OutputError as error:
            raise ArgumentError(str(error).partition(" Type -O")[0]) from error
        found = kind([], formulas=formulas).read_header(self._file)
        self.columns, self._start = found or ([], 0)
        if missing := [name for name in _COLUMNS if name not in self.columns]:
            self._file.close()
            raise ArgumentError(
                f"{path}: is no table of a crawl: it has no column {', '.join(missing)}"
            )
        self._format: Format = kind(self.columns, formulas=formulas)
        hashes, offsets = array("q"), array("Q")
        for line in self._lines():
            if line.outcome in outcomes:
                hashes.append(_hash(line.url))
                offsets.append(line.start)
        order = np.argsort(np.frombuffer(hashes, np.int64), kind="stable")
        self._hashes = np.frombuffer(hashes, np.int64)[order]
        self._offsets = np.frombuffer(offsets, np.uint64)[order]

    def __len__(self) -> int:
        """Return the number of rows that are found."""
        return len(self._hashes)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield those rows, in the order of the table."""
        for offset in np.sort(self._offsets):
            if row := self._format.read_row(self._file, int(offset)):
                yield row

    def row(self, url: str) -> dict[str, Any] | None:
        """Return the first row of *url*, as a list has it; None when there is none."""
        wanted, key = _target(url), _hash(url)
        place = int(np.searchsorted(self._hashes, key))
        while place < len(self) and self._hashes[place] == key:
            row = self._format.read_row(self._file, int(self._offsets[place]))
            if row and _target(row["url"]) == wanted:
                return row
            place += 1
        return None

    def find(self, url: str) -> Earlier | None:
        """Return what is known of *url*; None when that is nothing."""
        row = self.row(url)
        if row is None:
            return None
        return Earlier(
            _line(row.get("final_url")),
            _line(row.get("etag")),
            _line(row.get("last_modified")),
            _line(row.get("body_hash")),
            row,
        )

    def _lines(self) -> Iterator[Line]:
        for line in self._format.lines(self._file, self._start):
            if not isinstance(line, int):
                yield line

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_rows(path: str, *, formulas: bool = False) -> Iterator[dict[str, Any]]:
    """Yield all rows of a table, in its order, as they are written there.

    Raises:
        ArgumentError: it cannot be read, or is no table.
    """
    table = EarlierTable(path, formulas=formulas, outcomes=tuple(OUTCOMES))
    try:
        yield from table.rows()
    finally:
        table.close()


def _target(url: str) -> Any:
    try:
        return parse_target(url)
    except InvalidUrl:
        return url


def _hash(url: str) -> int:
    return hash(_target(url))


def _line(value: Any) -> str:
    """Return a value of the table as text that a header may have: printable, in one line."""
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    return "".join(filter(str.isprintable, text))
