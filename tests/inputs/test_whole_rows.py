"""Rows of a table that somebody else has written: which of them are whole."""

import csv
import io
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from urlcrawler.exceptions import ListError
from urlcrawler.inputs.readers import Reader

OpenReader = Callable[..., Reader]
HEAD = b"url,status,title\n"

# What stands behind the header, and of each row its URL or what is wrong with it.
TABLES: dict[str, tuple[bytes, list[str]]] = {
    "whole": (b'http://a/1,200,One\nhttp://a/2,200,"T, ""w""\no"\n', ["http://a/1", "http://a/2"]),
    "the end is missing": (b"http://a/1,200,One\nhttp://a/2,200,Tw", ["http://a/1", "ends inside"]),
    "only its line end is": (b"http://a/1,200,One", ["ends inside"]),
    "the end is in quotes": (b'http://a/1,200,"On', ["ends inside"]),
    "two rows in one": (b"http://a/1,20http://a/2,200,Two\n0,One\n", ["4 cells", "2 cells"]),
    "a row inside of quotes": (b'http://a/1,200,"On\nhttp://a/2,200,Two\ne"\n', ["inside"]),
    "a URL inside of a text": (b'http://a/1,200,"see\nhttp://a/2\n"\n', ["http://a/1"]),
    "a quote that opens": (
        b'http://a/1,200,"One\nhttp://a/2,200,"Two"\nhttp://a/3,200,x\n',
        ["quote", "http://a/2", "http://a/3"],
    ),
    "too few cells": (b"http://a/1,ConnectionError\n", ["2 cells"]),
    "empty lines": (b"\n\nhttp://a/1,200,One\n\n", ["http://a/1"]),
}


@pytest.mark.parametrize(("data", "expected"), TABLES.values(), ids=TABLES)
def test_a_row_is_whole_or_says_why_not(
    reader_of: OpenReader, data: bytes, expected: list[str]
) -> None:
    """What a kill or a second writer leaves is no row; a line break in a cell is one."""
    found = [record for _, record in reader_of(HEAD + data, ".csv").whole()]
    assert len(found) == len(expected)
    for record, words in zip(found, expected, strict=True):
        assert words in record.problem if record.problem else words == record.url


@pytest.mark.parametrize(
    ("suffix", "data", "expected"),
    [
        (".txt", b"http://a/1\n# no\nhttp://a/2", ["http://a/1", "ends inside"]),
        (".jsonl", b'{"url": "http://a/1"}\n{"url": "http://a/2"}', ["http://a/1", "http://a/2"]),
        (".jsonl", b'{"url": "http://a/1"}\n{"url": "htt', ["http://a/1", "not a JSON object"]),
    ],
)
def test_other_formats_have_their_own_ends(
    reader_of: OpenReader, suffix: str, data: bytes, expected: list[str]
) -> None:
    """A line of text ends with its line end, an object where its bracket closes."""
    reader = reader_of(data, suffix)
    list(reader.scan())
    for (_, record), words in zip(reader.whole(), expected, strict=True):
        assert words in record.problem if record.problem else words == record.url


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=8)


@given(
    titles=st.lists(
        TEXTS | st.sampled_from(['"', ",", "a\nb", "http://b/"]), min_size=1, max_size=5
    ),
    cut=st.integers(0, 200),
)
@example(titles=["", "0"], cut=1)
def test_whatever_a_kill_leaves_no_half_row_is_whole(
    reader_of: OpenReader, titles: list[str], cut: int
) -> None:
    """Cut anywhere, the rows that are whole are the first ones that were written."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["url", "status", "title"])
    rows = [[f"http://a/{n}", "200", title] for n, title in enumerate(titles)]
    writer.writerows(rows)
    data = out.getvalue().encode()
    left = data[: max(len("url,status,title\r\n"), len(data) - cut)]
    whole = [
        [record.url, *record.columns.values()]
        for _, record in reader_of(left, ".csv").whole()
        if record.problem is None
    ]
    assert whole == rows[: len(whole)]
    assert cut or whole == rows


@given(data=st.binary(max_size=60), suffix=st.sampled_from([".csv", ".jsonl", ".txt", ".tsv"]))
@example(data=b'http://a,"\n"x\n', suffix=".csv")
@example(data=b'{"url": "a"}\n[', suffix=".jsonl")
def test_any_bytes_are_rows_of_some_kind(reader_of: OpenReader, data: bytes, suffix: str) -> None:
    """Whatever it is: the rows that are whole are read again as the same, and nothing breaks."""
    try:
        reader = reader_of(data, suffix)
        list(reader.scan())
        assert reader.columns is not None
    except ListError:
        return
    rows = list(reader.whole())
    for offset, record in rows:
        if record.problem is None:
            assert reader.read(offset, record.position) == record
