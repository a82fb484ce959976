"""A table as a pandas DataFrame, with the types that its columns have."""

import gzip
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pandas as pd

from urlcrawler.items import COLUMN_KINDS, OWN_COLUMNS
from urlcrawler.output.cells import Kind, typed
from urlcrawler.output.database import is_database
from urlcrawler.output.publications import READ
from urlcrawler.output.sqlitefile import TABLE, kinds_in
from urlcrawler.output.tables import restore

_DTYPES = {"int": "Int64", "float": "Float64", "str": "string", "bool": "boolean"}


def read_results(path: str | Path, *, formulas: bool = False) -> pd.DataFrame:
    """Read a table that a crawl has written.

    Args:
        path: the table; its suffix says the format. Or the address of one in PostgreSQL, which
            has all lists that were written there, told apart by the column `list`.
        formulas: True for a CSV that was written with CSV_FORMULAS, False (the default) to take
            away the apostrophe before text that a spreadsheet would run as a formula.

    Returns:
        One row per record. Our columns have nullable types (Int64, Float64, boolean, string;
        `fetched_at` is a timestamp in UTC, `json_ld` has lists) and `<NA>` where there is nothing.
        Fields have theirs too in Parquet and SQLite; in CSV they are text, as are the columns of
        the list.

    Raises:
        ValueError: the suffix is none of these.
    """
    if is_database(str(path)):
        return _database(str(path))
    path = Path(path)
    suffix = path.suffix if path.suffix != ".gz" else path.with_suffix("").suffix
    kinds: Mapping[str, Kind] = COLUMN_KINDS
    match suffix:
        case ".jsonl" | ".jl":
            opened = gzip.open if path.suffix == ".gz" else open
            with opened(path, "rt", encoding="utf-8") as lines:
                rows = [json.loads(line) for line in lines]
            table = pd.DataFrame(rows) if rows else pd.DataFrame(columns=list(OWN_COLUMNS))
        case ".csv":
            # Everything as text first: pandas takes "", "NA" and "null" for missing values.
            table = pd.read_csv(path, dtype=str, keep_default_na=False)
            if not formulas:
                table = table.map(restore).rename(columns=restore)
        case ".parquet":
            return _parquet(path)
        case ".sqlite":
            table, kinds = _sqlite(path)
        case _:
            raise ValueError(f"{path}: cannot read {path.suffix!r}, only {READ}")
    for name, kind in kinds.items():
        if name in table:
            # A field may have the name of a column of ours, and be of another type.
            with suppress(ValueError, TypeError):
                table[name] = _typed(name, kind, table[name])
    return table


def _parquet(path: Path) -> pd.DataFrame:
    import pyarrow as pa  # extra `parquet`
    import pyarrow.parquet as pq

    from urlcrawler.output.parquetfile import kinds_of

    types = {pa.int64(): "Int64", pa.float64(): "Float64", pa.string(): "string",
             pa.bool_(): "boolean"}  # fmt: skip
    read = pq.read_table(path)
    table: pd.DataFrame = read.to_pandas(
        types_mapper=lambda type_: (
            pd.api.types.pandas_dtype(types[type_]) if type_ in types else None
        )
    )
    for name, kind in kinds_of(read.schema).items():
        if kind == "json":
            table[name] = _typed(name, kind, table[name])
        elif not isinstance(kind, str):
            table[name] = pd.Series(read.column(name).to_pylist(), dtype=object)
    return table


def _database(uri: str) -> pd.DataFrame:
    from urlcrawler.output.postgres import read  # extra `postgres`

    columns, rows, kinds = read(uri)
    table = pd.DataFrame(rows, columns=columns, dtype=object)
    for name, kind in kinds.items():
        if kind == "time":
            table[name] = pd.to_datetime(table[name], utc=True)
        elif kind != "json":
            table[name] = _typed(name, kind, table[name])
    return table


def _sqlite(path: Path) -> tuple[pd.DataFrame, Mapping[str, Kind]]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        found = database.execute(f"SELECT * FROM {TABLE}")  # noqa: S608 - a name of ours
        columns = [name for name, *_ in found.description]
        return pd.DataFrame(found.fetchall(), columns=columns, dtype=object), kinds_in(database)


def _typed(name: str, kind: Kind, values: Any) -> Any:
    values = values.astype(object).where(values.notna() & (values != ""), None)
    if name == "fetched_at":
        return pd.to_datetime(values, utc=True, format="ISO8601")
    if not isinstance(kind, str) or kind == "json":
        return values.map(lambda value: typed(value, "json"))
    if kind == "float":
        values = pd.to_numeric(values)
    elif kind != "str":  # not by way of floats, which end at 2**53
        values = values.map(lambda value: typed(value, kind))
        values = values.map(bool, na_action="ignore") if kind == "bool" else values
    return values.astype(_DTYPES[kind])
