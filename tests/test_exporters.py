"""Cells that no spreadsheet runs, and tables that come back as they were written."""

import csv
import io
import json
import re
import sys
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.utils.misc import build_from_crawler
from scrapy.utils.test import get_crawler

from urlcrawler.exporters import TableCsvExporter
from urlcrawler.output.cells import clean
from urlcrawler.output.tables import neutralise, restore

FORMULAS = [
    "=1+1", '=HYPERLINK("http://a.com","x")', "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)",
    "\t=1+1", "\r=1+1", "'=1+1", "''@x", "+", "-", "=", "- a list", "+49 30 123",
]  # fmt: skip
HARMLESS = ["", "a", "1", "a=b", " =1", "'quoted'", "''", "é", "http://a.com/?a=+1", "\n=1"]
NUMBERS = ["-1", "+1", "-1.5", "+.5", "-1.", "-1e9", "+1.5E-3", "-007"]

signs = st.text("'=+-@\t\r1e.a", max_size=9)
writable = st.text(st.characters(exclude_categories=())).map(clean)


def export(*rows: dict[str, Any], **settings: Any) -> str:
    """Return a table as a feed of a crawl with these *settings* writes it."""
    file = io.BytesIO()
    crawler = get_crawler(settings_dict=settings)
    exporter = build_from_crawler(TableCsvExporter, crawler, file, fields_to_export=list(rows[0]))
    exporter.start_exporting()
    for row in rows:
        exporter.export_item(row)
    exporter.finish_exporting()
    return file.getvalue().decode()


def by_pandas(text: str) -> list[dict[str, Any]]:
    frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    return [dict(zip(frame.columns, row, strict=True)) for row in frame.values.tolist()]


def by_csv(text: str) -> list[dict[str, Any]]:
    csv.field_size_limit(sys.maxsize)
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


READERS = pytest.mark.parametrize("read", [by_pandas, by_csv])


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    """The signs are those of OWASP's page on CSV injection."""
    assert neutralise(text) == f"'{text}"


@pytest.mark.parametrize("text", [*HARMLESS, *NUMBERS])
def test_other_text_and_numbers_are_left_alone(text: str) -> None:
    """-1.5 is a number and not a formula."""
    assert neutralise(text) == text


@given(st.text() | signs)
def test_neutralising_can_be_undone(text: str) -> None:
    """For every text, also one that has apostrophes already."""
    assert restore(neutralise(text)) == text


@given(st.text() | signs)
def test_nothing_is_left_that_runs(text: str) -> None:
    """A cell begins with a sign only if it is a number."""
    cell = neutralise(text)
    assert not re.match(r"[=+\-@\t\r]", cell) or float(cell) == float(text)


VALUES: list[tuple[Any, str]] = [
    (None, ""),
    ("", ""),
    (0, "0"),
    (-1, "-1"),
    (-0.25, "-0.25"),
    (True, "True"),
    ("a,b;c\td", "a,b;c\td"),
    ('say "x"', 'say "x"'),
    ("two\nlines", "two\nlines"),
    ("two\r\nlines", "two\r\nlines"),
    ("a lone\rCR", "a lone\rCR"),
    (" blanks ", " blanks "),
    ("NA", "NA"),
    ("null", "null"),
    ("ä😀", "ä😀"),
    ("=1+1", "'=1+1"),
    ("\r=1", "'\r=1"),
    ("x" * 1_000_000, "x" * 1_000_000),
    ('",\r\n' * 250_000, '",\r\n' * 250_000),
    ([1, "ä", None], '[1, "ä", null]'),
    ({"a": [{"b": "=1"}]}, '{"a": [{"b": "=1"}]}'),
]


@READERS
@pytest.mark.parametrize(("value", "cell"), VALUES, ids=lambda value: repr(value)[:20])
def test_a_cell_comes_back(read: Any, value: Any, cell: str) -> None:
    """By pandas with its guesses turned off, and by the standard library."""
    row = {"position": 1, "value": value, "last": "x"}
    assert read(export(row, row)) == [{"position": "1", "value": cell, "last": "x"}] * 2


@READERS
@given(rows=st.lists(st.tuples(writable, writable | signs), min_size=1, max_size=5))
def test_any_text_comes_back(read: Any, rows: list[tuple[str, str]]) -> None:
    """Once `items.clean` has written out what no file can hold."""
    written = [{"position": str(number), "a": a, "b": b} for number, (a, b) in enumerate(rows)]
    found = [{name: restore(cell) for name, cell in row.items()} for row in read(export(*written))]
    assert found == written


def test_nested_values_can_be_read_as_json() -> None:
    """Also dates and whatever else JSON does not know, as text."""
    value = {"a": [1, None, {"b": 'x\n"y"'}], "c": pd.Timestamp("2024-02-29")}
    (row,) = by_csv(export({"value": value}))
    assert json.loads(row["value"]) == {**value, "c": "2024-02-29 00:00:00"}


def test_formulas_stay_formulas_where_they_are_wanted() -> None:
    """CSV_FORMULAS=1 is for tables that no spreadsheet will open."""
    assert by_csv(export({"value": "=1+1"}, CSV_FORMULAS=True)) == [{"value": "=1+1"}]


def test_a_column_that_a_row_has_not_is_empty() -> None:
    """A user's own item without some of the columns keeps the others in their places."""
    assert by_csv(export({"a": 1, "b": 2}, {"b": 3})) == [{"a": "1", "b": "2"}, {"a": "", "b": "3"}]


def test_the_table_is_what_rfc_4180_says() -> None:
    """A header, CRLF, quotes only where they are needed."""
    text = export({"position": 1, "title": 'a "b", c'}, {"position": 2, "title": "d"})
    assert text == 'position,title\r\n1,"a ""b"", c"\r\n2,d\r\n'
