"""Rows of a table, a few thousand at a time, become numbers."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from urlcrawler.exceptions import InvalidUrl
from urlcrawler.extract.metadata import METADATA_COLUMNS
from urlcrawler.inputs.urls import parse_target
from urlcrawler.items import OWN_COLUMNS
from urlcrawler.output.tables import restore

# Rows and bytes at a time. With more rows Python's search for garbage takes a third longer.
_ROWS, _BYTES = 4_000, 16_000_000
_MOST = 1e9  # seconds, or attempts
_LATEST = 7_258_118_400_000  # the year 2200, in milliseconds: later than any crawl
_NO_CSV: tuple[Any, ...] = (None, "", [], {})  # values that are none
_CSV: tuple[Any, ...] = ("", "[]", "{}")


@dataclass
class _Names:
    """Numbers for texts that come again and again."""

    numbers: dict[str, int] = field(default_factory=dict)

    def of(self, texts: Iterable[str]) -> np.ndarray[Any, Any]:
        numbers = self.numbers
        return np.array([numbers.setdefault(text, len(numbers)) for text in texts], np.int32)

    def text(self, numbers: "pd.Series[Any]") -> "pd.Categorical[str]":
        codes: Any = numbers.to_numpy()
        return pd.Categorical.from_codes(codes, categories=pd.Index(list(self.numbers)))


class Batches:
    """Takes the rows of a table, and keeps what `reading.CrawlTable` has.

    Attributes:
        filled, incomplete: as there.
    """

    def __init__(self, columns: list[str], *, is_csv: bool, formulas: bool) -> None:
        self._places = {name: place for place, name in enumerate(columns)}
        self._cells = len(columns)
        self.filled = {
            name: 0 for name in columns if name in METADATA_COLUMNS or name not in OWN_COLUMNS
        }
        self.incomplete = 0
        self._restores = is_csv and not formulas
        self._empty = _CSV if is_csv else _NO_CSV
        self._frames: list[pd.DataFrame] = []
        self._names = {name: _Names() for name in ("outcome", "error", "host")}

    def read(self, rows: Iterable[tuple[int, int, list[Any] | None]]) -> None:
        """Take all rows: where each begins and ends, and its cells, None when it is not whole."""
        position, outcome = self._places["position"], self._places["outcome"]
        offsets: list[int] = []
        batch: list[list[Any]] = []
        size = 0
        for start, end, cells in rows:
            if (
                cells is None
                or len(cells) != self._cells
                or not _is_position(cells[position])
                or not (isinstance(cells[outcome], str) and cells[outcome])
            ):
                self.incomplete += 1
                continue
            offsets.append(start)
            batch.append(cells)
            size += end - start
            if len(batch) >= _ROWS or size >= _BYTES:
                self._take(offsets, batch)
                offsets, batch, size = [], [], 0
        self._take(offsets, batch)

    def _take(self, offsets: list[int], batch: list[list[Any]]) -> None:
        def cells(name: str) -> list[Any]:
            place = self._places.get(name)
            return [None if place is None else row[place] for row in batch]

        def texts(name: str) -> list[str]:
            return [cell if isinstance(cell, str) else "" for cell in cells(name)]

        outcomes = texts("outcome")
        targets = [_target(restore(url) if self._restores else url) for url in texts("url")]
        self._frames.append(
            pd.DataFrame(
                {
                    "position": np.array([int(cell) for cell in cells("position")], np.int64),
                    "key": np.array([key for key, _ in targets], np.int64),
                    "offset": np.array(offsets, np.int64),
                    "outcome": self._names["outcome"].of(outcomes),
                    "error": self._names["error"].of(texts("error")),
                    "host": self._names["host"].of(host for _, host in targets),
                    "attempts": _numbers(cells("attempts")).fillna(0).astype("int32"),
                    "elapsed": _numbers(cells("elapsed")),
                    "fetched": _times(texts("fetched_at")),
                }
            )
        )
        ok = [row for row, outcome in zip(batch, outcomes, strict=True) if outcome == "ok"]
        if ok:
            columns = list(zip(*ok, strict=True))
            for name in self.filled:
                column = columns[self._places[name]]
                empty = sum(column.count(nothing) for nothing in self._empty)
                self.filled[name] += len(ok) - empty

    def frame(self) -> pd.DataFrame:
        """Return all of them."""
        rows = pd.concat(self._frames, ignore_index=True)
        self._frames.clear()
        for name, names in self._names.items():
            rows[name] = names.text(rows[name])
        errors = rows["error"].cat
        rows["error"] = errors.remove_categories(errors.categories.intersection([""]))
        return rows


def _is_position(cell: Any) -> bool:
    if isinstance(cell, str):
        return cell.isdecimal() and len(cell) < 19 and int(cell) > 0
    return type(cell) is int and 0 < cell < 1 << 63


def _target(url: str) -> tuple[int, str]:
    """Return the number of what *url* asks for, and its host, empty when it has none."""
    try:
        target = parse_target(url)
    except InvalidUrl:
        return hash(url), ""
    return hash(target), target.host


def _numbers(cells: Iterable[Any]) -> "pd.Series[Any]":
    """Return cells as numbers, NaN where there is none, or one that nothing was ever counted to."""
    plain = [
        cell
        if isinstance(cell, str) or (isinstance(cell, int | float) and 0 <= cell < _MOST)
        else None
        for cell in cells
    ]
    found = pd.to_numeric(pd.Series(plain, dtype=object), errors="coerce").astype("float64")
    return found.where((found >= 0) & (found < _MOST)).astype("float32")


def _times(texts: list[str]) -> np.ndarray[Any, Any]:
    found = pd.Series(pd.to_datetime(texts, utc=True, format="ISO8601", errors="coerce"))
    milliseconds = found.dt.as_unit("ms").astype("int64")
    return milliseconds.where(found.notna() & (milliseconds < _LATEST), -1).to_numpy()
