"""Lists with one record a line: text and JSON Lines."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from urlcrawler.exceptions import ListError
from urlcrawler.inputs.readers import Reader
from urlcrawler.inputs.records import Record

OpenReader = Callable[..., Reader]
ReadAll = Callable[..., list[Record]]

TEXTS = {
    "blank lines": (b"\nhttp://a.com\n \n\t\nhttp://b.com\n\n", ["http://a.com", "http://b.com"]),
    "comments": (b"# mine\nhttp://a.com\n  # more\nhttp://b.com#x\n", ["http://a.com", "http://b.com#x"]),
    "a byte order mark": (b"\xef\xbb\xbfhttp://a.com\nhttp://b.com\n", ["http://a.com", "http://b.com"]),
    "a comment behind the mark": (b"\xef\xbb\xbf# mine\nhttp://a.com\n", ["http://a.com"]),
    "CRLF": (b"http://a.com\r\n\r\nhttp://b.com\r\n", ["http://a.com", "http://b.com"]),
    "no final newline": (b"http://a.com\nhttp://b.com", ["http://a.com", "http://b.com"]),
    "blanks around": (b"\t http://a.com \t\n\xc2\xa0http://b.com\xc2\xa0\n", ["http://a.com", "http://b.com"]),
    "blanks inside": (b"http://a.com/b c\td\n", ["http://a.com/b c\td"]),
    "UTF-8": ("http://ä.com/é\n".encode(), ["http://ä.com/é"]),
    "Windows-1252": (b"http://a.com/caf\xe9\nhttp://a.com/\x80\n", ["http://a.com/café", "http://a.com/€"]),
    "no URLs": (b"not a url\n,\n\"\n", ["not a url", ",", '"']),
    "commas and quotes": (b'http://a.com/1,2\n"http://b.com"\n', ["http://a.com/1,2", '"http://b.com"']),
    "other line ends": ("http://a.com/\x0b\x0c\x85\u2028x\n".encode(), ["http://a.com/\x0b\x0c\x85\u2028x"]),
    "a NUL": (b"http://a.com/\0\n", ["http://a.com/\0"]),
}  # fmt: skip


@pytest.mark.parametrize(("data", "urls"), TEXTS.values(), ids=TEXTS)
def test_a_text_list_has_one_url_a_line(records_of: ReadAll, data: bytes, urls: list[str]) -> None:
    """Blank lines and comments are no records; everything else is, as it is written."""
    records = records_of(data)
    assert records == [Record(position, url) for position, url in enumerate(urls, 1)]


def _decoded(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


@given(data=st.binary())
def test_text_records_are_the_lines(records_of: ReadAll, data: bytes) -> None:
    """Whatever the bytes: each line that is not blank and no comment is one record."""
    lines = [_decoded(line).strip() for line in data.split(b"\n")]
    urls = [record.url for record in records_of(b"first\n" + data)]
    assert urls == ["first", *[line for line in lines if line and not line.startswith("#")]]


JSON_LINES = {
    "numbers": ('{"url": "http://a.com", "n": 1, "f": -1.5, "big": 12345678901234567890}',
                {"n": 1, "f": -1.5, "big": 12345678901234567890}),
    "null and booleans": ('{"url": "http://a.com", "n": null, "t": true, "f": false}',
                          {"n": None, "t": True, "f": False}),
    "nested values": ('{"url": "http://a.com", "o": {"a": [1, {"b": null}]}, "l": []}',
                      {"o": {"a": [1, {"b": None}]}, "l": []}),
    "Unicode": ('{"url": "http://a.com", "ü": "é😀\\u00e9\\ud83d\\ude00"}', {"ü": "é😀é😀"}),
    "half a surrogate pair": ('{"url": "http://a.com", "t": "\\ud83d"}', {"t": "\ud83d"}),
    "line ends": ('{"url": "http://a.com", "t": "a\\nb\\r\\u2028"}', {"t": "a\nb\r\u2028"}),
    "not a number": ('{"url": "http://a.com", "a": NaN, "b": [Infinity], "c": -Infinity}',
                     {"a": None, "b": [None], "c": None}),
    "a number no float can hold": ('{"url": "http://a.com", "n": 1e999}', {"n": "1e999"}),
    "blanks around the URL": ('{"url": " http://a.com\\n", "n": 1}', {"n": 1}),
    "order of the keys": ('{"z": 1, "url": "http://a.com", "a": 2}', {"z": 1, "a": 2}),
    "CRLF and indent": ('  {"url": "http://a.com", "n": 1}  \r', {"n": 1}),
    "a byte order mark": ('\ufeff{"url": "http://a.com", "n": 1}', {"n": 1}),
}  # fmt: skip


@pytest.mark.parametrize(("line", "columns"), JSON_LINES.values(), ids=JSON_LINES)
def test_json_values_survive(records_of: ReadAll, line: str, columns: dict[str, Any]) -> None:
    """The other keys keep their values, types and order; what is not JSON becomes null."""
    (record,) = records_of(f"{line}\n", ".jsonl")
    assert record == Record(1, "http://a.com", columns)
    assert list(record.columns) == list(columns)


def _nested(levels: int) -> str:
    return f'{{"url": "http://a.com", "n": {"[" * (levels - 1)}{"]" * (levels - 1)}}}'


BROKEN = {
    '{"url": "http://a.com"': '{"url": "http://a.com"',
    "http://a.com": "http://a.com",
    '["http://a.com"]': '["http://a.com"]',
    '{"url": "http://a.com", "n": 1,}': '{"url": "http://a.com", "n": 1,}',
    '{"link": "http://a.com"}': "",
    '{"url": null}': "",
    '{"url": " "}': "",
    '{"url": 12}': "12",
    '{"url": ["http://a.com"]}': '["http://a.com"]',
    _nested(101): _nested(101),
    _nested(100_000): _nested(100_000),
}


@pytest.mark.parametrize(("line", "shown"), BROKEN.items(), ids=lambda text: text[:30])
def test_a_broken_json_line_costs_only_itself(records_of: ReadAll, line: str, shown: str) -> None:
    """It is a record with a problem that shows what the list says; the others are as before."""
    good = '{"url": "http://b.com", "n": 1}'
    first, broken, last = records_of(f"{good}\n{line}\n\n{good}", ".jsonl")
    assert first == Record(1, "http://b.com", {"n": 1})
    assert last == Record(3, "http://b.com", {"n": 1})
    assert (broken.position, broken.url) == (2, shown)
    assert broken.problem


def test_json_of_a_hundred_levels_is_carried_through(records_of: ReadAll) -> None:
    """That is more than people write and less than Python can take."""
    (record,) = records_of(_nested(100), ".jsonl")
    assert json.dumps(record.columns) == json.dumps({"n": json.loads("[" * 99 + "]" * 99)})


def columns_of(reader: Reader) -> list[str]:
    """Return the columns once the whole list was scanned."""
    assert list(reader.scan())
    return reader.columns


@pytest.mark.parametrize(
    ("data", "column", "url", "columns"),
    [
        ('{"a": 1, "Link": "u"}', None, "u", ["a"]),
        ('{"href": "v", "url": "u"}', None, "u", ["href"]),
        ('{"URL": "u", "url": "v"}', None, "u", ["url"]),
        ('{"site": "u"}', None, "u", []),
        ('{"url": "v", "site": "u"}', "site", "u", ["url"]),
        (
            '{"url": "u", "a": 1}\n{"b": 1, "url": "v"}\nbroken\n{"c": 1}',
            None,
            "u",
            ["a", "b", "c"],
        ),
    ],
)
def test_the_url_is_under_a_usual_key_or_the_one_named(
    reader_of: OpenReader, data: str, column: str | None, url: str, columns: list[str]
) -> None:
    """The other keys of all objects are the columns, in the order of the list."""
    reader = reader_of(data, ".jsonl", column)
    assert columns_of(reader) == columns
    assert reader.read(0, 1).url == url


def test_columns_are_known_as_soon_as_their_line_was_read(reader_of: OpenReader) -> None:
    """A scan that stops early (`-a limit=1`) loses no column of the records it read."""
    reader = reader_of('{"url": "u", "a": 1}\n{"url": "v", "b": 1}\n', ".jsonl")
    next(reader.scan())
    assert reader.columns == ["a"]


@pytest.mark.parametrize(
    ("data", "column", "message"),
    [
        ('{"a": 1, "b": 2}', None, "which column holds the URLs? Columns are: a, b. Choose one"),
        ('{"a": 1, "url": 2}', "c", "no column 'c'; columns are: a, url. Choose one with -a col"),
        (json.dumps(dict.fromkeys(["url", *map(str, range(2000))])), None, "over 2000 different"),
    ],
)
def test_a_list_without_a_column_of_urls_is_refused(
    reader_of: OpenReader, data: str, column: str | None, message: str
) -> None:
    """The sentence lists the columns and says what to type."""
    reader = reader_of(data, ".jsonl", column)
    with pytest.raises(ListError) as caught:
        columns_of(reader)
    assert message in str(caught.value)


text = st.text(max_size=9)
values = st.recursive(
    st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(text, values, max_size=4)


@settings(max_examples=50)
@given(rows=st.lists(objects, min_size=1, max_size=5), ascii_only=st.booleans())
def test_json_lines_come_back_as_json_loads_reads_them(
    records_of: ReadAll, rows: list[dict[str, Any]], ascii_only: bool
) -> None:
    """Reading single lines at their offsets gives what a loop over the file gives."""
    rows = [{**row, "url": "http://a.com"} for row in rows]
    data = "\n".join(json.dumps(row, ensure_ascii=ascii_only) for row in rows)
    records = records_of(data, ".jsonl")
    assert [{**record.columns, "url": record.url} for record in records] == rows
