"""The same list in every format."""

import bz2
import csv
import gzip
import io
import json
import lzma
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from urlcrawler.exceptions import ListError
from urlcrawler.inputs.formats import open_reader
from urlcrawler.inputs.readers import Reader
from urlcrawler.inputs.records import Record
from urlcrawler.inputs.sources import open_source

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ROWS = [
    {"url": "http://a.com/1,2?q='x'", "name": 'Ada, "the first"', "note": "a\nb\r\nc"},
    {"url": "http://münchen.de/ä", "name": "Ünal 😀", "note": "=1+1"},
    {"url": "not a url", "name": "-", "note": " blanks "},
    {"url": "http://a.com/1,2?q='x'", "name": "again", "note": "x" * 100_000},
]


def in_csv(rows: list[dict[str, Any]], delimiter: str = ",") -> bytes:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


def in_parquet(rows: list[dict[str, Any]]) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    return file.getvalue()


FORMATS: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
    "txt": lambda rows: "\n".join(row["url"] for row in rows).encode(),
    "csv": in_csv,
    "tsv": lambda rows: in_csv(rows, "\t"),
    "jsonl": lambda rows: "\n".join(map(json.dumps, rows)).encode(),
    "parquet": in_parquet,
}
# Other suffixes for the same, and lists without one, known by their first line.
SUFFIXES = {
    "txt": ["txt", "TXT", "list", "urls", "", "md"],
    "csv": ["csv", "CSV", "", "dat"],
    "tsv": ["tsv", "tab", ""],
    "jsonl": ["jsonl", "ndjson", "jl", ""],
    "parquet": ["parquet", "", "csv"],
}
CASES = [(format_, suffix) for format_ in FORMATS for suffix in SUFFIXES[format_]]
PACK: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstd.compress,
}


def read(path: Path, column: str | None = None) -> tuple[list[Record], list[str]]:
    source = open_source(str(path))
    try:
        reader: Reader = open_reader(source, column)
        offsets = [offset for offset, _ in reader.scan()]
        records = [reader.read(offset, number) for number, offset in enumerate(offsets, 1)]
        return records, reader.columns
    finally:
        source.close()


@pytest.mark.parametrize("packed", PACK)
@pytest.mark.parametrize(("format_", "suffix"), CASES)
def test_the_same_list_gives_the_same_records(
    tmp_path: Path, format_: str, suffix: str, packed: str
) -> None:
    """Format and compression change nothing about the records; text has no other columns."""
    path = tmp_path / ".".join(filter(None, ["urls", suffix, packed]))
    path.write_bytes(PACK[packed](FORMATS[format_](ROWS)))
    carried = [] if format_ == "txt" else ["name", "note"]
    expected = [
        Record(position, row["url"], {name: row[name] for name in carried})
        for position, row in enumerate(ROWS, 1)
    ]
    assert read(path) == (expected, carried)


@pytest.mark.parametrize("format_", ["csv", "tsv", "jsonl", "parquet"])
def test_the_column_of_the_urls_can_be_named(tmp_path: Path, format_: str) -> None:
    """`-a column=name`, and the usual one is carried through like any other."""
    path = tmp_path / f"urls.{format_}"
    path.write_bytes(FORMATS[format_](ROWS[1:2]))
    row = ROWS[1]
    record = Record(1, row["name"], {"url": row["url"], "note": row["note"]})
    assert read(path, "name") == ([record], ["url", "note"])


@pytest.mark.parametrize("format_", ["csv", "tsv", "jsonl", "parquet"])
def test_a_column_that_is_not_there_is_refused(tmp_path: Path, format_: str) -> None:
    """The sentence names the columns there are."""
    path = tmp_path / f"urls.{format_}"
    path.write_bytes(FORMATS[format_](ROWS))
    with pytest.raises(ListError, match=r"no column 'nope'; columns are: url, name, note\. Choose"):
        read(path, "nope")


@pytest.mark.parametrize("suffix", ["json", "html", "xls"])
def test_other_formats_are_refused(tmp_path: Path, suffix: str) -> None:
    """The sentence names the formats that are read."""
    path = tmp_path / f"urls.{suffix}"
    path.write_bytes(b"[]")
    with pytest.raises(ListError, match=rf"\.{suffix} lists are not read. Use a text file with"):
        read(path)


def test_a_text_list_has_no_column_to_name(tmp_path: Path) -> None:
    """The argument is refused and not ignored."""
    path = tmp_path / "urls.txt"
    path.write_bytes(b"http://a.com/\n")
    with pytest.raises(ListError, match=r"is a text file and has no columns\. Leave the argument"):
        read(path, "url")
