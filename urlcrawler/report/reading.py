"""A table of a crawl, read once: a few numbers a row, however wide and however long it is.

The rows are found as a crawl finds them that is resumed, and not by `pandas.read_csv`: that one
gives up at a row that is torn, and is slower when it is to read everything as text.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pandas as pd

from urlcrawler.exceptions import ArgumentError, OutputError
from urlcrawler.inputs.csvrows import read_rows
from urlcrawler.output.publications import READ, rows_of
from urlcrawler.output.tables import Csv, Format
from urlcrawler.printable import without_credentials
from urlcrawler.report.batches import Batches

_NEEDED = ("position", "url", "outcome")


@dataclass
class CrawlTable:
    """What a report needs of a table.

    Attributes:
        path: where it is.
        columns: names of its columns.
        rows: a line for each row. `position`; `key`, the same number for URLs that ask for the
            same; `offset`, the byte at which the row begins; `outcome`, `error` (missing when
            there is none) and `host` (empty when there is none); `attempts`; `elapsed` in seconds,
            NaN where it is not known; `fetched` in milliseconds since 1970, -1 where it never was.
        filled: how many rows `ok` have a value, by column, of those that say what is in the page.
        incomplete: number of rows that are torn, or are none.
    """

    path: Path
    columns: list[str]
    rows: pd.DataFrame
    filled: dict[str, int]
    incomplete: int
    _format: Format
    _file: IO[bytes]

    def urls(self, offsets: Iterable[int]) -> list[str]:
        """Return the URLs of the rows at these places, without the passwords in them."""
        rows = (self._format.read_row(self._file, int(offset)) for offset in offsets)
        return [without_credentials(str(row["url"] or "")) for row in rows if row]

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_table(path: str, *, formulas: bool = False) -> CrawlTable:
    """Read the table at *path*, which the caller must close.

    Args:
        formulas: the setting CSV_FORMULAS that it was written with.

    Raises:
        ArgumentError: it cannot be read, is no table of a crawl, or has no row yet.
    """
    try:
        with rows_of(Path(path).expanduser()) as (rows, kind):
            if kind is None:
                raise ArgumentError(f"{path}: is no table that can be read: only {READ} are")
            file = rows.open("rb")
    except OSError as error:
        raise ArgumentError(f"{path}: {error.strerror}") from error
    except OutputError as error:
        raise ArgumentError(str(error).partition(" Type -O")[0]) from error
    try:
        found = kind([], formulas=formulas).read_header(file)
        if found is None:
            raise ArgumentError(
                f"{path}: has no row. Its crawl has only just begun, or it is no table of one"
            )
        columns, start = found
        if missing := [name for name in _NEEDED if name not in columns]:
            raise ArgumentError(
                f"{path}: is no table of a crawl: it has no column {', '.join(missing)}"
            )
        format_ = kind(columns, formulas=formulas)
        batches = Batches(columns, is_csv=kind is Csv, formulas=formulas)
        batches.read(_places(format_, file, start))
    except OSError as error:
        file.close()
        raise ArgumentError(f"{path}: {error.strerror}") from error
    except BaseException:
        file.close()
        raise
    return CrawlTable(
        Path(path).expanduser(),
        columns,
        batches.frame(),
        batches.filled,
        batches.incomplete,
        format_,
        file,
    )


def _places(format_: Format, file: IO[bytes], offset: int) -> Iterator[tuple[int, int, Any]]:
    """Yield where each row begins and ends, and its cells, None when it is no complete row."""
    if isinstance(format_, Csv):
        yield from read_rows(file, offset, ",", closed=True)
        return
    size = file.seek(0, 2)
    while offset < size:
        values = format_.read_row(file, offset)
        end = file.tell()
        if end == offset:
            return  # somebody has cut the file meanwhile
        yield offset, end, values and [values.get(name) for name in format_.columns]
        offset = end
