"""Rows of old tables in the table of a crawl: which, and with which values."""

import csv
import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from scrapy.crawler import Crawler
from scrapy.settings import Settings

from urlcrawler.adoption.adopting import Adoption, CannotWriteError
from urlcrawler.adoption.oldtable import OldTable
from urlcrawler.exceptions import UrlcrawlerError
from urlcrawler.output.rows import Table
from urlcrawler.output.tablefile import TableFile
from urlcrawler.output.tables import Csv
from urlcrawler.spiders.looking import close, open_without_tables
from urlcrawler.spiders.urls import UrlsSpider

URLS = [
    "http://a.test/1", "HTTP://A.test:80/1#again", "http://a.test/2", "not a url",
    "http://b.test/3?q=1", "c.test/4",
]  # fmt: skip


@contextmanager
def looking(
    old: str, *, url_column: str | None = None, where: tuple[str, ...] = (), every: bool = False,
    columns: dict[str, str] | None = None, table: str = "table.csv", overwrite: bool = False,
    **given: Any,
) -> Iterator[Adoption]:  # fmt: skip
    """What `scrapy adopt` finds of *old*, in the folder of the test."""
    settings = Settings()
    settings.setmodule("loopback", priority="project")
    kind = {"csv": "csv", "jsonl": "jsonlines", "ps": "pickle"}[table.rpartition(".")[2]]
    settings.set("FEEDS", {table: {"format": kind, "overwrite": overwrite}}, priority="cmdline")
    spider = open_without_tables(Crawler(UrlsSpider, settings), {"file": "urls.txt", **given})
    try:
        opened = OldTable(old, url_column)
        try:
            yield Adoption(
                spider.crawler.settings, spider, opened,
                where=list(where), every=every, columns=columns or {},
            )  # fmt: skip
        finally:
            opened.close()
    finally:
        close(spider)


def adopt(old: str, **options: Any) -> str:
    """Adopt, and return what is said."""
    with looking(old, **options) as adoption:
        adoption.write()
        account = adoption.account
        counted = account.adopted + account.there + account.repeated + account.not_done
        piles = (account.foreign, account.no_url, account.broken)
        assert counted + sum(pile.count for pile in piles) + account.headers == account.rows
        return "\n".join(adoption.lines())


def rows(table: str = "table.csv") -> dict[int, dict[str, str]]:
    """Return the rows that have come into the table, by position, without what is empty."""
    with open(table, encoding="utf-8", newline="") as file:
        found = [{name: cell for name, cell in row.items() if cell} for row in csv.DictReader(file)]
    by_position = {int(row.pop("position")): row for row in found}
    assert len(by_position) == len(found)
    return by_position


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("urls.txt").write_text("\n".join(URLS) + "\n", encoding="utf-8")
    return tmp_path


def write(text: str | bytes, name: str = "old.csv") -> str:
    Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return name


def test_a_row_belongs_to_the_first_record_that_asks_for_the_same() -> None:
    """However it is spelled; records after it are duplicates, as in the crawl."""
    said = adopt(write("link,title\nhttp://a.test:80/1#x,One\nhttps://c.test/4,Four\n,none\n"))
    reason = "adopted from old.csv"
    assert rows() == {
        1: {"url": URLS[0], "outcome": "ok", "reason": reason, "attempts": "0", "title": "One"},
        6: {"url": URLS[5], "outcome": "ok", "reason": reason, "attempts": "0", "title": "Four"},
    }
    assert "2  adopted, into table.csv\n" in said
    assert "1  without a URL\n              line 4: ''" in said


def test_records_that_are_to_be_fetched_twice_have_a_row_each() -> None:
    """With duplicates=fetch."""
    said = adopt(write("url\nhttp://a.test/1\n"), duplicates="fetch")
    assert set(rows()) == {1, 2}
    assert "for 2 records" in said


def test_the_last_row_of_a_url_counts() -> None:
    """A script that is started again appends what is newer; its header is no row."""
    said = adopt(write("url,title\nhttp://a.test/2,Old\nurl,title\nhttp://a.test/2,New\n"))
    assert rows()[3]["title"] == "New"
    assert "1  repeated" in said
    assert "1  the header once more" in said


def test_what_is_not_on_the_list_is_counted_and_shown() -> None:
    """With its line, and without its password."""
    said = adopt(write("url\nhttp://a.test/2\n\nhttp://user:secret@x.test/\nhttp://y.test/\n"))
    assert "2  not on the list\n              line 4: http://***@x.test/" in said
    assert "secret" not in said


STATES = "url,status,title\nhttp://a.test/1,200,One\nhttp://a.test/2,{},{}\n"


@pytest.mark.parametrize(
    ("state", "title", "options", "expected"),
    [
        ("204.0", "T", {}, ("ok", "204", None)),
        ("404", "T", {}, None),
        ("0", "T", {}, None),
        ("ConnectionError", "", {}, None),
        ("", "T", {}, None),
        ("404", "T", {"every": True}, ("http_error", "404", "http-4xx")),
        ("429", "T", {"every": True}, ("http_error", "429", "rate-limited")),
        ("ConnectionError", "T", {"every": True}, None),
        ("503", "T", {"where": ("status=503",)}, ("http_error", "503", "http-5xx")),
        ("200", "ERROR", {"where": ("status=200", "title!=ERROR")}, None),
        ("200", "", {"where": ("title!=",)}, None),
        ("done", "T", {"where": ("status=done",)}, ("ok", None, None)),
        ("200.0", "T", {"where": ("status=200",)}, ("ok", "200", None)),
        ("done", "T", {"columns": {"title": "status"}}, None),
    ],
)
def test_rows_of_failures_are_crawled_again(
    state: str, title: str, options: dict[str, Any], expected: tuple[str | None, ...] | None
) -> None:
    """With a column for the status 2xx count; --all and --where say otherwise."""
    with looking(write(STATES.format(state, title)), **options) as adoption:
        adoption.write()
        assert adoption.account.not_done + adoption.account.adopted == 2
    row = (rows() if Path("table.csv").exists() else {}).get(3)
    found = row and (row["outcome"], row.get("status"), row.get("error"))
    assert found == expected
    if row and row["outcome"] == "http_error":
        assert row["reason"].startswith(f"the server answered {state}")
        assert row["reason"].endswith("adopted from old.csv")


@pytest.mark.parametrize(
    ("head", "cells", "counts"),
    [
        ("Status-Code", "200", True), ("http_status", "500", False),
        ("error", "", True), ("error", "timeout", False), ("error", "None", True),
        ("state", "bad", True),
    ],
)  # fmt: skip
def test_columns_that_scripts_have_tell_what_is_done(head: str, cells: str, counts: bool) -> None:
    """A status however it is called, and an error."""
    said = adopt(write(f"url,{head}\nhttp://a.test/2,{cells}\n"))
    assert Path("table.csv").exists() == counts
    assert ("All of them count" in said) == (head == "state")


def test_of_two_columns_of_a_status_the_plain_one_is_not_it() -> None:
    """`status` may say whatever the script is about."""
    adopt(write("url,status,status_code\nhttp://a.test/1,done,200\nhttp://a.test/2,done,0\n"))
    assert {position: row["status"] for position, row in rows().items()} == {1: "200"}


def test_cells_go_where_they_have_a_column_of_their_name_and_type() -> None:
    """What has none is left out and named, what is no value of its type too."""
    write("price: {css: .p, type: float}\ntags: {css: .t, many: true}\n", "f.yaml")
    old = write(
        "url,Title,heading,words,price,tags,fetched_at,color\n"
        'http://a.test/1,=One,H,12,1.5,"[""a""]",2024-05-01T10:00:00+02:00,red\n'
        "http://a.test/2,Two,,many,cheap,a,yesterday,blue\n"
        "http://b.test/3?q=1,,,,,,1714550400,\n"
        "c.test/4,,,,,,2024-05-01 10:00:00,\n"
    )
    said = adopt(old, fields="f.yaml", columns={"heading": "h1"})
    found = rows()
    assert found[1]["title"] == "'=One"  # as a crawl writes it
    assert {name: found[1][name] for name in ("h1", "words", "price", "tags")} == {
        "h1": "H", "words": "12", "price": "1.5", "tags": '["a"]'
    }  # fmt: skip
    times = [found[position].get("fetched_at") for position in (1, 3, 5, 6)]
    assert times == [
        "2024-05-01T08:00:00.000+00:00", None, "2024-05-01T08:00:00.000+00:00", None
    ]  # fmt: skip
    assert set(found[3]) == {"url", "outcome", "reason", "attempts", "title"}
    for line in ("1  cells of words are left out: no int",
                 "1  cells of price are left out: no float",
                 "2  cells of fetched_at are left out: no time with a zone",
                 "Columns left out: color", "title (Title)", "h1 (heading)"):  # fmt: skip
        assert line in said


def test_columns_of_the_list_stay_what_the_list_says() -> None:
    """They are carried through from there."""
    Path("urls.csv").write_text("url,shop\nhttp://a.test/1,mine\n")
    said = adopt(write("url,shop\nhttp://a.test/1,theirs\n"), file="urls.csv")
    assert rows()[1]["shop"] == "mine"
    assert "left out" not in said


OLD_TABLES: dict[str, tuple[str, bytes]] = {
    "semicolons, a mark and UTF-16": (
        "old.csv", "url;title\r\nhttp://a.test/1;Ä\r\n".encode("utf-16")),
    "Windows-1252": ("old.csv", "title\turl\nÄ\thttp://a.test/1\n".encode("cp1252")),
    "JSON Lines": ("old.jsonl", '{"url": null}\n{"title": "Ä", "url": "http://a.test/1"}\n'.encode()),
    "lines of text": ("done.txt", b"http://a.test/1\n"),
    "no header": ("old.csv", "Ä,http://a.test/1\n".encode()),
}  # fmt: skip


@pytest.mark.parametrize(("name", "data"), OLD_TABLES.values(), ids=OLD_TABLES)
def test_an_old_table_is_read_as_lists_are(name: str, data: bytes) -> None:
    """Any format, delimiter and encoding."""
    said = adopt(write(data, name), columns={"column_1": "title"} if b",http" in data else None)
    assert rows()[1].get("title", "Ä") == "Ä"
    assert ("no header" in said) == (b",http" in data)


def test_an_old_table_in_parquet_is_read() -> None:
    """With its types."""
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow as pa

    old = pa.table({"link": ["http://a.test/1"], "status": [200], "words": [7]})
    parquet.write_table(old, "old.parquet")
    adopt("old.parquet", url_column="link")
    assert (rows()[1]["status"], rows()[1]["words"]) == ("200", "7")


def test_a_table_of_another_crawl_is_adopted_as_it_was_meant() -> None:
    """One whose list has changed: what is ok counts, and no text gets a second apostrophe."""
    adopt(write("url,title\nhttp://a.test/1,=One\n"))
    os.rename("table.csv", "earlier.csv")
    Path("urls.txt").write_text("http://new.test/\nhttp://a.test/1\n")
    with open("earlier.csv", "a") as file:  # one that has failed
        file.write(Path("earlier.csv").read_text().splitlines()[1].replace(",ok,", ",failed,"))
        file.write("\n")
    said = adopt("earlier.csv", table="new.csv")
    assert (
        "1  not done, and so they are crawled again\n              1 of them: outcome failed"
        in said
    )
    row = rows("new.csv")[2]
    assert (row["title"], row["reason"]) == ("'=One", "adopted from earlier.csv")


def test_rows_that_cannot_be_trusted_are_left_alone() -> None:
    """Torn, jumbled, with NULs: they are counted, with their lines."""
    old = write(
        b"url,title\nhttp://a.test/1,One\nhttp://a.test/2,Thttp://b.test/3?q=1,Three\nwo\n"
        b"http://c.test/4,\0\0\0\0\nhttps://c.test/4,Fo"
    )
    said = adopt(old)
    assert set(rows()) == {1}
    for line in ("line 3: the row has 3 cells, the header has 2", "line 4: the row has 1 cells",
                 "line 5: there are NUL bytes in it", "line 6: the file ends inside of it",
                 "4  broken"):  # fmt: skip
        assert line in said


def test_a_table_that_has_rows_keeps_them() -> None:
    """Only records without a row get one; -O begins anew."""
    adopt(write("url,title\nhttp://a.test/1,One\n"))
    first = Path("table.csv").read_bytes()
    write("url,title\nhttp://a.test/1,Another\nhttp://a.test/2,Two\n")
    said = adopt("old.csv")
    assert Path("table.csv").read_bytes().startswith(first)
    assert {position: row["title"] for position, row in rows().items()} == {1: "One", 3: "Two"}
    assert "1  of records that have their row there already" in said
    adopt("old.csv", overwrite=True)
    assert rows()[1]["title"] == "Another"


@pytest.mark.parametrize(
    ("given", "expected"), [({"limit": "1"}, {1}), ({"limit": "3"}, {1, 3}), ({}, {1, 3, 5})]
)
def test_the_arguments_of_the_crawl_hold(given: dict[str, str], expected: set[int]) -> None:
    """Its limit, and its shards."""
    old = write("url\nhttp://a.test/1\nhttp://a.test/2\nhttp://b.test/3?q=1\n")
    adopt(old, **given)
    assert set(rows()) == expected
    if not given:
        remaining = 0
        for n in (1, 2):
            with looking(old, shard=f"{n}/2", table=f"{n}.csv") as adoption:
                adoption.write()
                remaining += adoption.account.remaining
            adopt(old, shard=f"{n}/2", table=f"{n}.csv")
        assert remaining == len(URLS) - len(expected)
        found = [*rows("1.csv"), *rows("2.csv")]
        assert sorted(found) == sorted(expected)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no such column": ({"url_column": "href"}, "old.csv: no column 'href'; columns are: url, "
                       "title. Choose one with --url-column NAME"),
    "no such file": ({"old": "none.csv"}, "no such file: 'none.csv'"),
    "an empty one": ({"old": "empty.csv"}, "empty.csv: the table is empty"),
    "no text": ({"old": "zeros.csv"}, "'zeros.csv' is not a text file"),
    "the table itself": ({"table": "old.csv"}, "old.csv: is the file that the crawl would write"),
    "the same to be replaced": ({"table": "old.csv", "overwrite": True}, "is the file that"),
    "the list itself": ({"old": "urls.txt"}, "urls.txt: is the list itself"),
    "text with a column": ({"old": "urls.txt", "url_column": "url"}, "--url-column: 'urls.txt'"),
    "a condition that is none": ({"where": ("status",)}, "--where: must be like status=200"),
    "a condition about nothing": ({"where": ("x=1",)}, "--where: no column 'x' in old.csv"),
    "two answers": ({"where": ("title=1",), "every": True}, "--all, --where: are two answers"),
    "a mapping from nothing": ({"columns": {"x": "h1"}}, "--columns: no column 'x' in old.csv"),
    "a mapping to nothing": ({"columns": {"title": "colour"}}, "--columns: 'colour' is no column"),
    "a mapping to what is ours": ({"columns": {"title": "attempts"}}, "'attempts' is no column"),
    "two to one": ({"columns": {"title": "h1", "url": "h1"}}, "--columns: no column 'url'"),
    "nothing to resume": ({"table": "x.ps"}, "-o: rows can only be adopted into a table that"),
    "somebody's own file": ({"table": "mine.csv"}, "mine.csv: has other columns than"),
}  # fmt: skip


@pytest.mark.parametrize(("options", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_in_one_sentence(
    folder: Path, options: dict[str, Any], words: str
) -> None:
    """And nothing is written or altered."""
    write("url,title\nhttp://a.test/1,One\n")
    write("", "empty.csv")
    write(b"\0" * 64, "zeros.csv")
    write("my,own\n", "mine.csv")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(UrlcrawlerError) as refused, looking(**{"old": "old.csv", **options}):
        pass
    assert words in str(refused.value)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_table_that_a_crawl_is_writing_is_refused() -> None:
    """Before anything is read."""
    table = TableFile(Path("table.csv"), Csv(Table([]).columns))
    try:
        with pytest.raises(UrlcrawlerError, match="another crawl is writing it"):
            adopt(write("url\nhttp://a.test/1\n"))
    finally:
        table.release()


def test_nothing_is_written_when_nothing_fits(folder: Path) -> None:
    """Not even an empty table."""
    adopt(write("url\nhttp://x.test/\n"))
    assert sorted(path.name for path in folder.iterdir()) == ["old.csv", "urls.txt"]


def test_a_full_disk_leaves_whole_rows_and_another_run_goes_on() -> None:
    """It says how many rows are there."""
    old = write("url,title\n" + "".join(f"{url},T\n" for url in (URLS[0], URLS[2], URLS[4])))
    pwrite, calls = os.pwrite, []

    def full(descriptor: int, data: bytes, offset: int) -> int:
        calls.append(data)
        if len(calls) == 4:  # the header and two rows before
            pwrite(descriptor, data[:7], offset)
            raise OSError(errno.ENOSPC, "No space left on device")
        return pwrite(descriptor, data, offset)

    with (
        mock.patch("os.pwrite", full),
        pytest.raises(CannotWriteError, match=r"table\.csv: cannot be written: No space .* 2 rows"),
    ):
        adopt(old)
    assert set(rows()) == {1, 3}
    adopt(old)
    assert set(rows()) == {1, 3, 5}


def test_values_of_json_keep_their_types() -> None:
    """In a table in JSON Lines too."""
    old = {"url": "http://a.test/1", "status": 200, "words": 3.0, "title": 5, "json_ld": [{"a": 1}]}
    adopt(write(json.dumps(old) + "\n", "old.jsonl"), table="table.jsonl")
    row = json.loads(Path("table.jsonl").read_text())
    found = {name: row[name] for name in ("status", "words", "title", "json_ld")}
    assert found == {"status": 200, "words": 3, "title": "5", "json_ld": [{"a": 1}]}
