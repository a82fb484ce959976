"""One reader per format: bytes of the list -> URLs with their place, and single records."""

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

from urlcrawler.exceptions import ListError
from urlcrawler.inputs.records import Record
from urlcrawler.inputs.sources import Source, skip_bom, text_of
from urlcrawler.output.cells import MAX_DEPTH, depth

URL_COLUMNS = ("url", "link", "href", "uri", "address", "website")
NOT_ENDED = "the file ends inside of it"
_MAX_COLUMNS = 2000


class Reader(ABC):
    """Base of the readers: scan once from the start, then read single records at their offset.

    Attributes:
        label: the list as the user named it, for messages.
    """

    label: str

    @property
    @abstractmethod
    def url_column(self) -> str:
        """The name of the column with the URL, as far as `scan` has come; "" when there is none."""

    @property
    @abstractmethod
    def columns(self) -> list[str]:
        """The names of the columns besides the URL, as far as `scan` has come.

        Raises:
            ListError: no record has the column that should hold the URLs.
        """

    @abstractmethod
    def scan(self) -> Iterator[tuple[int, str | None]]:
        """Yield `(byte offset, URL as written)` per record; None for a line that is no record."""

    @abstractmethod
    def read(self, offset: int, position: int) -> Record:
        """Return the record that begins at byte *offset*."""

    @abstractmethod
    def whole(self) -> Iterator[tuple[int, Record]]:
        """Yield `(byte offset, record)` for each, in one go, with a `problem` for whatever may be
        what a kill, or a second writer, has left of one.
        """

    def state(self) -> dict[str, Any]:
        """Return what `scan` has found, for a reader of the same list that is to do without."""
        return {}

    def take_up(self, state: dict[str, Any]) -> None:  # noqa: B027 - most find nothing
        """Read single records as if this one had scanned what *state* is from."""


class TextReader(Reader):
    """Reads one URL a line. Blank lines and lines that begin with `#` are not records."""

    def __init__(self, source: Source) -> None:
        self._file = source.file
        self.label = source.label

    @property
    def url_column(self) -> str:
        """None: the URL is the whole line."""
        return ""

    @property
    def columns(self) -> list[str]:
        """None: the URL is the whole line."""
        return []

    def scan(self) -> Iterator[tuple[int, str | None]]:
        """Yield offset and URL of each line that is a record."""
        offset = skip_bom(self._file)
        for line in self._file:
            url = text_of(line).strip()
            if url and url[0] != "#":
                yield offset, url
            offset += len(line)

    def read(self, offset: int, position: int) -> Record:
        """Return the record of the line at *offset*."""
        self._file.seek(offset)
        return Record(position, text_of(self._file.readline()).strip())

    def whole(self) -> Iterator[tuple[int, Record]]:
        """Yield offset and record of each line; one without a line end is not whole."""
        position = 0
        offset = skip_bom(self._file)
        for line in self._file:
            url = text_of(line).strip()
            if url and url[0] != "#":
                position += 1
                problem = None if line.endswith(b"\n") else NOT_ENDED
                yield offset, Record(position, url, problem=problem)
            offset += len(line)


class JsonLinesReader(Reader):
    """Reads one JSON object a line; the key named *column* (or a usual one) holds the URL."""

    def __init__(self, source: Source, column: str | None) -> None:
        self._file = source.file
        self.label = source.label
        self._column: str = column or ""
        self._keys: dict[str, None] = {}  # of all objects, in the order of the list

    @property
    def url_column(self) -> str:
        """The key of the URL."""
        return self._column

    @property
    def columns(self) -> list[str]:
        """The keys besides the URL's, of the objects that were scanned."""
        if self._keys and self._column not in self._keys:
            self._choose(self._keys, self._column)
        return [key for key in self._keys if key != self._column]

    def scan(self) -> Iterator[tuple[int, str | None]]:
        """Yield offset and URL of each line, and collect the keys of all objects."""
        offset = skip_bom(self._file)
        for line in self._file:
            if not line.isspace():
                values = _object(line)
                if values is not None:
                    self._keys.update(dict.fromkeys(values))
                    self._column = self._column or self._choose(values, None)
                yield offset, None if values is None else as_url(values.get(self._column))
            if len(self._keys) > _MAX_COLUMNS:
                raise ListError(f"{self.label}: over {_MAX_COLUMNS} different keys in the objects")
            offset += len(line)

    def read(self, offset: int, position: int) -> Record:
        """Return the record of the line at *offset*."""
        self._file.seek(offset)
        return self._record(self._file.readline(), position)

    def whole(self) -> Iterator[tuple[int, Record]]:
        """Yield offset and record of each line, after `scan`; an object says where it ends."""
        position = 0
        offset = skip_bom(self._file)
        for line in self._file:
            if not line.isspace():
                position += 1
                yield offset, self._record(line, position)
            offset += len(line)

    def _record(self, line: bytes, position: int) -> Record:
        values = _object(line)
        if values is None:
            problem = "the line is not a JSON object, or one of endless depth"
            return Record(position, text_of(line).strip(), problem=problem)
        value = values.pop(self._column, None)
        if url := as_url(value):
            return Record(position, url, values)
        if value is None or isinstance(value, str):
            return Record(position, "", values, f"the object has no {self._column!r}")
        problem = f"{self._column!r} of the object is not a text"
        return Record(position, json.dumps(value, ensure_ascii=False), values, problem)

    def state(self) -> dict[str, Any]:
        """Return the keys, and the one that holds the URLs."""
        return {"keys": list(self._keys), "column": self._column}

    def take_up(self, state: dict[str, Any]) -> None:
        """Take them over."""
        self._keys, self._column = dict.fromkeys(state["keys"]), state["column"]

    def _choose(self, keys: Iterable[str], column: str | None) -> str:
        return choose_url_column(list(keys), column, self.label)


def choose_url_column(names: list[str], column: str | None, label: str) -> str:
    """Return the name of the column that holds the URLs.

    Raises:
        ListError: *column* is not there, or none was named and no name is a usual one.
    """
    if column is not None:
        if column in names:
            return column
        problem = f"no column {column!r}; columns are:"
    else:
        lower = {name.strip().lower(): name for name in reversed(names)}
        for usual in URL_COLUMNS:
            if usual in lower:
                return lower[usual]
        if len(names) == 1:
            return names[0]
        problem = "which column holds the URLs? Columns are:"
    raise ListError(f"{label}: {problem} {', '.join(names)}. Choose one with -a column=NAME")


def as_url(value: Any) -> str:
    """Return a cell as the text of a URL; "" when it is empty or no text."""
    return value.strip() if isinstance(value, str) else ""


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(text_of(line), parse_constant=_no_number, parse_float=_float)
    except (ValueError, RecursionError):
        return None
    if line.count(b"[") + line.count(b"{") > MAX_DEPTH and depth(value) > MAX_DEPTH:
        return None
    return value if isinstance(value, dict) else None


def _no_number(name: str) -> None:
    """Read NaN and Infinity, which are not JSON, as null: no reader of the table knows them."""


def _float(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text  # 1e999 stays what the list says
