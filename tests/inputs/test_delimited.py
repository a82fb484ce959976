"""Lists in CSV and TSV."""

import csv
import io
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from urlcrawler.exceptions import ListError
from urlcrawler.inputs import csvrows
from urlcrawler.inputs.readers import Reader
from urlcrawler.inputs.records import Record

OpenReader = Callable[..., Reader]
ReadAll = Callable[..., list[Record]]

A, B, C = "http://a.com", "http://b.com", "http://c.com"
# name: (list, (URL, other columns) per record)
TABLES: dict[str, tuple[str, list[tuple[str, dict[str, Any]]]]] = {
    "a header": (f"name,url\nAda,{A}\nBob,{B}\n", [(A, {"name": "Ada"}), (B, {"name": "Bob"})]),
    "names in capitals": (f"Name,URL\nAda,{A}\n", [(A, {"Name": "Ada"})]),
    "blanks around names": (f" name , url\nAda, {A} \n", [(A, {"name": "Ada"})]),
    "only a column with another name": (f"Site\n{A}\n{B}\n", [(A, {}), (B, {})]),
    "url before link": (f"link,url\n{A},{B}\n", [(B, {"link": A})]),
    "no header": (f"{A},Ada\n{B},Bob\n", [(A, {"column_2": "Ada"}), (B, {"column_2": "Bob"})]),
    "no header, URL last": (f"1,{A}\n2,{B}\n", [(A, {"column_1": "1"}), (B, {"column_1": "2"})]),
    "no header, short rows": (f"1,{A}\n2\n", [(A, {"column_1": "1"}), ("", {"column_1": "2"})]),
    "no header, a file name first": (f"a.jpg,{A}\n", [(A, {"column_1": "a.jpg"})]),
    "commas that are not quoted": (f"{A}/1,2\n{B}/3,4,5\n", [(f"{A}/1,2", {}), (f"{B}/3,4,5", {})]),
    "the same under a header": (f"url\n{A}/1,2;3\n{B}\n", [(f"{A}/1,2;3", {}), (B, {})]),
    "quoted commas": (f'url,n\n"{A}/1,2","x, y"\n', [(f"{A}/1,2", {"n": "x, y"})]),
    "quoted line ends": (f'url,n\n{A},"x\ny\r\n\nz"\n{B},\n',
                         [(A, {"n": "x\ny\r\n\nz"}), (B, {"n": ""})]),
    "quoted quotes": (f'url,n\n{A},"x ""y"""\n{B},z"z\n', [(A, {"n": 'x "y"'}), (B, {"n": 'z"z'})]),
    "a quoted name with a line end": (f'"na\nme",url\nAda,{A}\n', [(A, {"na\nme": "Ada"})]),
    "semicolons": (f"url;n\n{A};1,5\n", [(A, {"n": "1,5"})]),
    "semicolons in a name": (f'url,"a; b; c"\n{A},1\n', [(A, {"a; b; c": "1"})]),
    "a tab, and a comma for a name": (f"url\t,\n{A}\t1\n", [(A, {",": "1"})]),
    "tabs": (f"url\tn\n{A}\t1,5\n", [(A, {"n": "1,5"})]),
    "bars": (f"url|n\n{A}|1\n", [(A, {"n": "1"})]),
    "CRLF": (f"url,n\r\n{A},1\r\n\r\n{B},2\r\n", [(A, {"n": "1"}), (B, {"n": "2"})]),
    "CR CR LF": (f"url,n\r\r\n{A},1\r\r\n", [(A, {"n": "1"})]),
    "no final newline": (f"url,n\n{A},1\n{B},2", [(A, {"n": "1"}), (B, {"n": "2"})]),
    "a byte order mark": (f"\ufeffurl,n\n{A},1\n", [(A, {"n": "1"})]),
    "a quote behind the mark": (f'\ufeff"url","n"\n"{A}",1\n', [(A, {"n": "1"})]),
    "blank lines": (f"\n\nurl,n\n\n{A},1\n\n\n{B},2\n", [(A, {"n": "1"}), (B, {"n": "2"})]),
    "short rows": (f"url,n,m\n{A},1\n{B}\n",
                   [(A, {"n": "1", "m": None}), (B, {"n": None, "m": None})]),
    "rows that end before the URL": (f"n,url\n1\n2,{A}\n", [("", {"n": "1"}), (A, {"n": "2"})]),
    "rows of nothing but commas": (f"url,n\n,\n{A},1\n", [("", {"n": ""}), (A, {"n": "1"})]),
    "the same name twice": (f"url,n,n,url\n{A},1,2,3\n",
                            [(A, {"n": "1", "n_2": "2", "url_2": "3"})]),
    "a name like the new one": (f"url,n,n,n_2\n{A},1,2,3\n",
                                [(A, {"n": "1", "n_2": "2", "n_2_2": "3"})]),
    "names that are empty": (f"url,,\n{A},1,2\n", [(A, {"column_2": "1", "column_3": "2"})]),
}  # fmt: skip


@pytest.mark.parametrize(("data", "rows"), TABLES.values(), ids=TABLES)
def test_a_table_is_read(
    records_of: ReadAll, data: str, rows: list[tuple[str, dict[str, Any]]]
) -> None:
    """Each row is a record; its other cells are carried through under their names, in order."""
    records = records_of(data, ".csv")
    assert records == [Record(position, *row) for position, row in enumerate(rows, 1)]
    assert [list(record.columns) for record in records] == [list(row[1]) for row in rows]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".tab"])
def test_a_named_column_holds_the_urls(records_of: ReadAll, suffix: str) -> None:
    """`-a column=site` wins over the usual names; TSV is separated by tabs, whatever else."""
    data = f"url,site,n\n{A},{B},1\n".replace(",", "," if suffix == ".csv" else "\t")
    assert records_of(data, suffix, "site") == [Record(1, B, {"url": A, "n": "1"})]


@pytest.mark.parametrize(
    "first",
    ["a.com", "a.com/x", "a.com?x", "a.com:81", "192.168.0.1/x", "localhost:80", "//a.com",
     "http://[::1", "ftp://a.com/", "mailto:a@b.com", "пример.рф"],
)  # fmt: skip
def test_a_first_row_that_is_a_record_is_no_header(records_of: ReadAll, first: str) -> None:
    """No record is lost by taking it for a header, also when it cannot be requested."""
    assert [record.url for record in records_of(f"{first}\n{A}\n", ".csv")] == [first, A]


@pytest.mark.parametrize(
    ("data", "column", "message"),
    [
        ("a,b\n1,2\n", None, "urls.csv: which column holds the URLs? Columns are: a, b. Choose"),
        ("a,url\n1,2\n", "c", "urls.csv: no column 'c'; columns are: a, url. Choose one with -a"),
        (f"{A},1\n", "url", "urls.csv: no column 'url'; columns are: column_1, column_2. Choose"),
        ("", None, "urls.csv: the list is empty"),
        ("\n\r\n", None, "urls.csv: the list is empty"),
    ],
)
def test_a_table_without_a_column_of_urls_is_refused(
    reader_of: OpenReader, data: str, column: str | None, message: str
) -> None:
    """The sentence lists the columns and says what to type."""
    with pytest.raises(ListError) as caught:
        reader_of(data, ".csv", column)
    assert str(caught.value).startswith(message)


BROKEN_ROWS = {
    f'{C},"open': "the row has a quote that is not closed",
    f'"{C},open': "the row has a quote that is not closed",
    f'{C},"x"y': "the row has a quote that is not closed",
    f"{C},1,2": "the row has 3 cells, the header has 2: quote cells that contain ','",
    f'"{C}",,': "the row has 3 cells, the header has 2: quote cells that contain ','",
}


@pytest.mark.parametrize(("row", "problem"), BROKEN_ROWS.items())
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_broken_row_costs_only_itself(
    records_of: ReadAll, row: str, problem: str, place: int
) -> None:
    """It is a record that shows the line and says what is wrong; the others are as before."""
    good = [f"{A},1", f'{B},"2\n2"']
    rows = [*good[:place], row, *good[place:]]
    records = records_of("url,n\n" + "\n".join(rows), ".csv")
    assert [record.position for record in records] == [1, 2, 3]
    assert records.pop(place) == Record(place + 1, row, problem=problem)
    assert [(record.url, record.columns["n"]) for record in records] == [(A, "1"), (B, "2\n2")]


def test_a_quote_that_is_never_closed_does_not_take_the_list(
    records_of: ReadAll, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row has a most size, so that one quote cannot pull a list of any length into memory."""
    monkeypatch.setattr(csvrows, "MAX_ROW", 1000)
    lines = [f"{A}/{number},x" for number in range(100)]
    records = records_of("\n".join(["url,n", f'{B},"open', *lines, f'{C},closed"']), ".csv")
    assert [record.url for record in records[1:]] == [*[line[:-2] for line in lines], C]
    assert records[0].problem == "the row has a quote that is not closed"


@given(st.lists(st.sampled_from(["good", "open", "odd"]), max_size=12))
def test_broken_rows_swallow_nothing(records_of: ReadAll, kinds: list[str]) -> None:
    """However many quotes are left open, the good rows are all there, in order."""
    rows = {"good": f'{A},"x, ""y"""', "open": f'{B},"x', "odd": f'{C},"x"y'}
    records = records_of("\n".join(["url,n", *[rows[kind] for kind in kinds]]), ".csv")
    assert [record.problem is None for record in records] == [kind == "good" for kind in kinds]


def test_a_cell_of_a_megabyte_is_carried_through(records_of: ReadAll) -> None:
    """Also when it has lines of its own; the csv module alone refuses over 128 KiB."""
    cell = "äöü\r\n,;" * 150_000
    (record, last) = records_of(f'url,n\n{A},"{cell}"\n{B},\n', ".csv")
    assert (record.columns["n"], last.url) == (cell, B)


cells = st.text(max_size=9) | st.text(" \",;\t|\r\n'a=\x1f", max_size=9)
names = st.text(min_size=1, max_size=9).filter(str.strip).map(str.strip)


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a table as the csv module writes it, and its delimiter."""
    header = ["url", *draw(st.lists(names, max_size=3, unique=True))]
    header = [name for number, name in enumerate(header) if name.lower() != "url" or not number]
    delimiter = draw(st.sampled_from(",;\t|"))
    width = len(header)
    rows = draw(st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=9))
    file = io.StringIO(newline="")
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    writer = csv.writer(file, delimiter=delimiter, quoting=quoting)
    writer.writerows([header, *[[f"{A}/{row[0].strip()}", *row[1:]] for row in rows]])
    return file.getvalue(), delimiter


@settings(max_examples=300)
@given(tables())
def test_rows_come_back_as_the_csv_module_reads_them(
    records_of: ReadAll, table: tuple[str, str]
) -> None:
    """Reading single rows at their offsets gives what a loop over the whole file gives."""
    data, delimiter = table
    csv.field_size_limit(sys.maxsize)
    expected = list(csv.DictReader(io.StringIO(data, newline=""), delimiter=delimiter))
    records = records_of(data, ".csv")
    assert [{"url": record.url, **record.columns} for record in records] == [
        {**row, "url": row["url"].strip()} for row in expected
    ]
