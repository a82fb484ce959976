"""Rows of one byte to one megabyte: torn anywhere, the whole ones before are found again."""

import csv
import io
import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from urlcrawler.exceptions import OutputError
from urlcrawler.output.tablefile import TableFile
from urlcrawler.output.tables import FORMATS, Format, restore

COLUMNS = ["position", "url", "outcome", "error", "a", "b"]
MEGABYTE = 1_000_000

# What makes a row look like its end, and the rest of it like the beginning of another.
pieces = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=30)
hostile = st.sampled_from(
    ['"', '""', ",", "\n", "\r\n", "\r", '",\n"', "1,u", "{", "}\n", "'", "=", "\\", "é", "😀"]
)
texts = st.lists(pieces | hostile, max_size=8).map("".join).filter(lambda text: ",ok," not in text)
sizes = st.integers(1, 200) | st.integers(1, MEGABYTE) | st.sampled_from([1, 4096, 65536, MEGABYTE])


@st.composite
def cells(draw: st.DrawFn) -> str:
    """Text of 1 byte to 1 MB, nearly: some of it over and over again."""
    text, size = draw(texts), draw(sizes)
    bytes_ = (text or "x").encode()
    return (bytes_ * (size // len(bytes_) + 1))[:size].decode(errors="ignore")


rows = st.lists(st.tuples(cells() | texts, cells() | texts), min_size=1, max_size=4)
formats = st.sampled_from(["csv", "jsonl"])


def encoded(format_: Format, some: list[tuple[str, str]]) -> list[bytes]:
    return [
        format_.encode(
            {"position": n, "url": f"u{n}", "outcome": "ok", "error": None, "a": a, "b": b}
        )
        for n, (a, b) in enumerate(some, 1)
    ]


def whole_rows(path: Path, format_: Format) -> list[int]:
    """Open the table as a run that goes on does; the tail is cut off."""
    table = TableFile(path, format_)
    try:
        return [line.position for line in table.lines()]
    finally:
        table.release()


def by_others(name: str, data: bytes) -> list[tuple[str, str]]:
    """Return the two cells of each row, read by the standard library alone."""
    text = data.decode()
    if name == "csv":
        found = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
        return [(restore(row["a"]), restore(row["b"])) for row in found]
    return [(row["a"], row["b"]) for row in map(json.loads, text.split("\n")[:-1])]


@settings(deadline=None, max_examples=200)
@given(name=formats, some=rows, place=st.floats(0, 1), near_the_end=st.booleans())
def test_a_table_torn_anywhere_keeps_its_whole_rows(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    some: list[tuple[str, str]],
    place: float,
    near_the_end: bool,
) -> None:
    """Whatever the cells hold and however long they are; a reader of others agrees."""
    path = tmp_path_factory.mktemp("rows") / "table"
    format_ = FORMATS[name](COLUMNS)
    lines = encoded(format_, some)
    first, last = len(format_.header()), len(lines[-1])
    whole = format_.header() + b"".join(lines)
    span = last if near_the_end else len(whole) - first
    size = len(whole) - int(span * place)
    path.write_bytes(whole[:size])
    complete = sum(first + sum(map(len, lines[:n])) <= size for n in range(1, len(lines) + 1))
    assert whole_rows(path, format_) == list(range(1, complete + 1))
    kept = path.read_bytes()
    assert kept == format_.header() + b"".join(lines[:complete])
    assert by_others(name, kept) == some[:complete]


@pytest.mark.parametrize("name", ["csv", "jsonl"])
def test_one_row_takes_one_write_whatever_its_size(tmp_path: Path, name: str) -> None:
    """1 byte to 1 MB in one table, read back as they were."""
    chance = random.Random(1)
    some = [("x" * size, chance.choice('"\n,é') * size) for size in (0, 1, 100, 10**4, 10**6)]
    path, format_ = tmp_path / "table", FORMATS[name](COLUMNS)
    path.write_bytes(format_.header() + b"".join(encoded(format_, some)))
    assert whole_rows(path, format_) == [1, 2, 3, 4, 5]
    assert by_others(name, path.read_bytes()) == some


def test_text_that_looks_like_rows_inside_a_torn_row_is_refused(tmp_path: Path) -> None:
    """A row that lost its end and rows behind it would look the same: nothing is thrown away."""
    path, format_ = tmp_path / "table", FORMATS["csv"](COLUMNS)
    (line,) = encoded(format_, [("7,u7,ok,,a,b\r\n" * 3, "")])
    path.write_bytes(torn := format_.header() + line[:-9])
    with pytest.raises(OutputError, match=f"begins at byte {len(format_.header())} is no row"):
        whole_rows(path, format_)
    assert path.read_bytes() == torn
