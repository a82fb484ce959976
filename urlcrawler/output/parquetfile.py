"""The table in Parquet: each column has the type that it is declared with, whatever comes first."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from urlcrawler.output.cells import Kind, conform
from urlcrawler.output.publication import FilePublication
from urlcrawler.output.scan import foreign
from urlcrawler.output.tables import JsonLines
from urlcrawler.output.typedrows import say_odd

MOST_ROWS, MOST_BYTES = 50_000, 64_000_000  # of a row group, as JSON
_KEY = b"urlcrawler"  # of the metadata in which the kinds of the columns stand
_TYPES = {"str": pa.string(), "int": pa.int64(), "float": pa.float64(), "bool": pa.bool_(),
          "json": pa.string(), "time": pa.timestamp("ms", tz="UTC")}  # fmt: skip


def arrow_type(kind: Kind) -> pa.DataType:
    """Return the type of a column; what may be anything is JSON in a text."""
    if isinstance(kind, list):
        return pa.list_(arrow_type(kind[0]))
    if isinstance(kind, dict):
        return pa.struct([(name, arrow_type(inner)) for name, inner in kind.items()])
    return _TYPES[kind]


class Parquet(FilePublication):
    """Write rows in row groups, and read them back."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        """Take the columns, in their order."""
        self.working = JsonLines(list(kinds))
        self._kinds = {**kinds, "fetched_at": "time"}
        fields = [(name, arrow_type(kind)) for name, kind in self._kinds.items()]
        self._schema = pa.schema(fields, {_KEY: json.dumps(self._kinds).encode()})
        self._odd: Counter[str] = Counter()  # values that are none of their type, by column

    def write(self, rows: Path, new: Path) -> None:
        """Write the table; a value that is none of its type is left out, and counted in the log."""
        with pq.ParquetWriter(new, self._schema, compression="zstd") as writer:
            for group in _groups(rows):
                columns = [self._column(name, group) for name in self._kinds]
                writer.write_batch(pa.record_batch(columns, schema=self._schema))
        say_odd(self._odd, self._kinds)

    @classmethod
    def restore(cls, published: Path, rows: Path) -> None:
        """Write each row as it was before."""
        try:
            file = pq.ParquetFile(published)
            kinds = kinds_of(file.schema_arrow)
        except (pa.ArrowException, KeyError, ValueError) as error:
            raise foreign(published) from error
        format_ = JsonLines(list(kinds))
        with file, rows.open("wb") as lines:
            for batch in file.iter_batches():
                for row in batch.to_pylist():
                    values = {name: _back(row[name], kind) for name, kind in kinds.items()}
                    lines.write(format_.encode(values))

    def _column(self, name: str, group: list[dict[str, Any]]) -> pa.Array:
        kind, type_ = self._kinds[name], self._schema.field(name).type
        values = [_value(row.get(name), kind) for row in group]
        try:
            return pa.array(values, type_)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            good = [value if _fits(value, type_) else None for value in values]
            self._odd[name] += sum(a is not b for a, b in zip(values, good, strict=True))
            return pa.array(good, type_)


def kinds_of(schema: pa.Schema) -> dict[str, Kind]:
    """Return what each column holds.

    Raises:
        KeyError: no crawl has written this.
    """
    kinds: dict[str, Kind] = json.loads((schema.metadata or {})[_KEY])
    return kinds


def _groups(rows: Path) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    size = 0
    with rows.open("rb") as lines:
        for line in lines:
            group.append(json.loads(line))
            size += len(line)
            if len(group) >= MOST_ROWS or size >= MOST_BYTES:
                yield group
                group, size = [], 0
    yield group


def _value(value: Any, kind: Kind) -> Any:
    """Return a value as Arrow takes it; to other types, and lists of them, it sees for itself."""
    if value is None or kind not in ("json", "str", "time"):
        return value
    return conform(value, str(kind))


def _back(value: Any, kind: Kind) -> Any:
    """Undo `_value`."""
    if value is None:
        return None
    if kind == "json":
        return json.loads(value)
    return value.isoformat(timespec="milliseconds") if kind == "time" else value


def _fits(value: Any, type_: pa.DataType) -> bool:
    try:
        pa.scalar(value, type_)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return False
    return True
