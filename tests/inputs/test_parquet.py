"""Lists in Parquet."""

import io
import sys
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pytest
from pyarrow import parquet

from urlcrawler.exceptions import ListError
from urlcrawler.inputs.formats import open_reader
from urlcrawler.inputs.parquet import as_json_lines
from urlcrawler.inputs.records import Record
from urlcrawler.inputs.sources import Source


def packed(table: pyarrow.Table) -> io.BytesIO:
    file = io.BytesIO()
    parquet.write_table(table, file)
    file.seek(0)
    return file


def records(table: pyarrow.Table) -> list[Record]:
    source = Source("urls.parquet", "urls", ".parquet", packed(table))
    reader = open_reader(source, None)
    offsets = [offset for offset, _ in reader.scan()]
    read = [reader.read(offset, number) for number, offset in enumerate(offsets, 1)]
    source.close()
    return read


VALUES: list[tuple[Any, pyarrow.DataType, Any]] = [
    (2**63 - 1, pyarrow.int64(), 2**63 - 1),
    (2**64 - 1, pyarrow.uint64(), 2**64 - 1),
    (0.1, pyarrow.float64(), 0.1),
    (float("nan"), pyarrow.float64(), None),
    (float("inf"), pyarrow.float64(), None),
    (True, pyarrow.bool_(), True),
    (None, pyarrow.string(), None),
    ("ä😀\n", pyarrow.string(), "ä😀\n"),
    (b"caf\xc3\xa9", pyarrow.binary(), "café"),
    (b"\xff\x00", pyarrow.binary(), "/wA="),
    (Decimal("1.10"), pyarrow.decimal128(9, 2), "1.10"),
    (date(2024, 2, 29), pyarrow.date32(), "2024-02-29"),
    (time(12, 30), pyarrow.time64("us"), "12:30:00"),
    (datetime(2024, 2, 29, 12, tzinfo=UTC), pyarrow.timestamp("us", "UTC"),
     "2024-02-29T12:00:00+00:00"),
    (timedelta(seconds=90), pyarrow.duration("s"), "0:01:30"),
    ([1, None, 3], pyarrow.list_(pyarrow.int64()), [1, None, 3]),
    ({"a": [1]}, pyarrow.struct([("a", pyarrow.list_(pyarrow.int8()))]), {"a": [1]}),
    ([("k", 1)], pyarrow.map_(pyarrow.string(), pyarrow.int64()), [["k", 1]]),
]  # fmt: skip


@pytest.mark.parametrize(("value", "type_", "expected"), VALUES, ids=lambda value: str(value)[:30])
def test_a_value_survives(value: Any, type_: pyarrow.DataType, expected: Any) -> None:
    """What JSON knows keeps its type; dates, decimals and bytes become text."""
    table = pyarrow.table({"url": ["http://a.com"], "n": pyarrow.array([value], type_)})
    assert records(table) == [Record(1, "http://a.com", {"n": expected})]


def test_a_data_frame_survives() -> None:
    """Whole numbers with gaps stay whole, categories and times become text."""
    frame = pd.DataFrame({
        "url": ["http://a.com", None],
        "n": pd.array([1, None], "Int64"),
        "c": pd.Categorical(["x", "y"]),
        "t": pd.to_datetime(["2024-02-29", None]),
    })  # fmt: skip
    first, second = records(pyarrow.Table.from_pandas(frame))
    assert first == Record(1, "http://a.com", {"n": 1, "c": "x", "t": "2024-02-29T00:00:00"})
    assert (second.url, second.columns) == ("", {"n": None, "c": "y", "t": None})
    assert second.problem


def test_rows_of_many_batches_keep_their_order() -> None:
    """A list of 25,000 rows in groups of 999 is read in order."""
    urls = [f"http://a.com/{number}" for number in np.arange(25_000)]
    file = io.BytesIO()
    parquet.write_table(pyarrow.table({"url": urls}), file, row_group_size=999)
    with as_json_lines(file, "urls.parquet") as lines:
        assert [line.split(b'"')[3].decode() for line in lines] == urls


def _cut() -> bytes:
    return packed(pyarrow.table({"url": ["http://a.com"] * 999})).getvalue()[:-50]


def _flipped() -> bytes:
    data = bytearray(packed(pyarrow.table({"url": ["http://a.com"] * 999})).getvalue())
    data[4:60] = b"\xff" * 56
    return bytes(data)


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + b"x" * 99, _cut(), _flipped()])
def test_a_broken_file_is_refused(data: bytes) -> None:
    """Part of a list is never taken for the list."""
    with pytest.raises(ListError, match=r"'urls\.parquet' is not readable Parquet: "):
        as_json_lines(io.BytesIO(data), "urls.parquet")


@pytest.mark.parametrize(
    "cell",
    [
        pyarrow.array([2**60], pyarrow.timestamp("ms")),
        pyarrow.array([b"\xff"]).view(pyarrow.string()),
    ],
    ids=["a year of eight digits", "text that is not UTF-8"],
)
def test_what_python_cannot_hold_is_refused(cell: pyarrow.Array) -> None:
    """One sentence, not a traceback."""
    with pytest.raises(ListError, match="is not readable Parquet"):
        as_json_lines(packed(pyarrow.table({"n": cell})), "urls.parquet")


def test_without_pyarrow_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """pyarrow is an extra: the sentence has the command."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ListError, match=r"pip install 'urlcrawler\[parquet\]'"):
        as_json_lines(io.BytesIO(), "urls.parquet")
