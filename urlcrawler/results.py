"""A table as a pandas DataFrame, with the types that its columns have."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from urlcrawler.items import COLUMN_KINDS, OWN_COLUMNS
from urlcrawler.output.cells import typed
from urlcrawler.output.tables import restore

_DTYPES = {"int": "Int64", "float": "Float64", "str": "string", "bool": "boolean"}


def read_results(path: str | Path, *, formulas: bool = False) -> pd.DataFrame:
    """Read a table that a crawl has written, CSV or JSON Lines.

    Args:
        path: the table; its suffix says the format.
        formulas: True for a CSV that was written with CSV_FORMULAS, False (the default) to take
            away the apostrophe before text that a spreadsheet would run as a formula.

    Returns:
        One row per record. Our columns have nullable types (Int64, Float64, boolean, string;
        `fetched_at` is a timestamp in UTC, `json_ld` has lists) and `<NA>` where there is nothing;
        fields and columns of the list are what they are in the table, in CSV text.

    Raises:
        ValueError: the suffix is not .csv, .jsonl or .jl.
    """
    path = Path(path)
    if path.suffix in (".jsonl", ".jl"):
        with path.open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        table = pd.DataFrame(rows) if rows else pd.DataFrame(columns=list(OWN_COLUMNS))
    elif path.suffix == ".csv":
        # Everything as text first: pandas takes "", "NA" and "null" for missing values.
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        if not formulas:
            table = table.map(restore).rename(columns=restore)
    else:
        raise ValueError(f"{path}: cannot read {path.suffix!r}, only .csv, .jsonl and .jl")
    for name in OWN_COLUMNS:
        if name in table:
            # A field may have the name of a column of ours, and be of another type.
            with suppress(ValueError, TypeError):
                table[name] = _typed(name, table[name])
    return table


def _typed(name: str, values: Any) -> Any:
    values = values.astype(object).where(values.notna() & (values != ""), None)
    if name == "fetched_at":
        return pd.to_datetime(values, utc=True, format="ISO8601")
    kind = COLUMN_KINDS[name]
    if kind == "json":
        return values.map(lambda value: typed(value, kind))
    if kind != "str":
        values = pd.to_numeric(values)
    return values.astype(_DTYPES[kind])
