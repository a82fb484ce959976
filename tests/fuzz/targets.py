"""What must hold of any bytes: of a list, of a table that is resumed, of a file of headers.

Each target takes what a fuzzer makes up, and fails by raising anything. Its first byte chooses
between variants, the others are the file.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from scrapy.http import HtmlResponse

from urlcrawler.exceptions import ListError, OutputError
from urlcrawler.extract.document import Document
from urlcrawler.extract.fieldsfile import read_fields
from urlcrawler.inputs.formats import open_reader
from urlcrawler.inputs.hostheaders import read_host_headers
from urlcrawler.inputs.sources import open_source
from urlcrawler.items import Page
from urlcrawler.output.rows import Table
from urlcrawler.output.tablefile import TableFile
from urlcrawler.output.tables import FORMATS, Format

_SUFFIXES = (".txt", ".csv", ".tsv", ".jsonl", "")
_TABLE = Table(["note"])
# In memory where the system has such a place: a fuzzer opens thousands of files a second.
_FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder of its own in it


def read_list(data: bytes) -> None:
    """A list is refused with a sentence, or each of its records is read where the scan saw it."""
    variant, content = data[0], data[1:]
    with _folder() as folder:
        path = folder / f"list{_SUFFIXES[variant % len(_SUFFIXES)]}"
        path.write_bytes(content)
        try:
            source = open_source(str(path))
        except ListError:
            return
        try:
            reader = open_reader(source, "url" if variant & 0x80 else None)
            scanned = list(reader.scan())
            names = reader.columns
            last = -1
            for position, (offset, url) in enumerate(scanned, 1):
                assert last < offset
                last = offset
                record = reader.read(offset, position)
                assert record.position == position
                assert set(record.columns) <= set(names)
                if url:
                    assert (record.url, record.problem) == (url, None)
                _write_and_read(
                    Page(position, record.url, "invalid", columns=record.columns), names
                )
        except ListError:
            return
        finally:
            source.close()


def _write_and_read(page: Page, names: list[str]) -> None:
    """A row is read again as it was written, whatever the list has in its columns."""
    table = Table(names)
    row = table.row(page)
    for make in set(FORMATS.values()):
        format_ = make(table.columns)
        with tempfile.TemporaryFile(dir=_FOLDER) as file:
            file.write(format_.header() + format_.encode(row))
            file.seek(0)
            found = format_.read_header(file)
            assert found
            (line,) = format_.lines(file, found[1])
            assert not isinstance(line, int)
            assert (line.position, line.url) == (page.position, row["url"])


def resume_table(data: bytes) -> None:
    """A table is refused and left alone, or keeps its rows and loses no more than a torn tail."""
    variant, content = data[0], data[1:]
    format_ = FORMATS["jsonl" if variant & 1 else "csv"](_TABLE.columns)
    behind_rows = bool(variant & 2)
    with _folder() as folder:
        path = folder / "table"
        whole = format_.header() + b"".join(map(format_.encode, _ROWS)) if behind_rows else b""
        path.write_bytes(whole + content)
        try:
            rows = _positions(path, format_)
        except OutputError:
            assert path.read_bytes() == whole + content
            return
        left = path.read_bytes()
        if behind_rows:
            assert left.startswith(whole)
            assert rows[: len(_ROWS)] == [row["position"] for row in _ROWS]
        assert (whole + content).startswith(left) or left == format_.header()
        assert _positions(path, format_) == rows
        assert path.read_bytes() == left
        assert _positions(path, format_, add=True) == rows
        assert _positions(path, format_) == [*rows, 7]


def _positions(path: Path, format_: Format, *, add: bool = False) -> list[int]:
    table = TableFile(path, format_, locked=False)
    try:
        found = [line.position for line in table.lines()]
        if add:
            table.add(_TABLE.row(Page(7, "http://a.com/7", "ok", 200)), lambda: None)
        return found
    finally:
        table.release()


_ROWS = [
    _TABLE.row(Page(n, f"http://a.com/{n}", "ok", 200, columns={"note": 'a, "b"\nc'}))
    for n in (1, 2, 3)
]


def read_headers(data: bytes) -> None:
    """A file of headers is read, or refused with a sentence."""
    with _folder() as folder:
        path = folder / "headers.yaml"
        path.write_bytes(data)
        try:
            headers = read_host_headers(str(path), {"KEY": "k3y"})
        except ListError:
            return
        for host in ("shop.example", "a.b.shop.example", "::1", ""):
            for name, value in headers.of(host).items():
                assert "\n" not in f"{name}{value}"


_PAGE = HtmlResponse(
    "http://a.com/b", body=b"<h1 class='a b'>1.234</h1><p>03/04/2026</p>", encoding="utf-8"
)


def read_fields_file(data: bytes) -> None:
    """A fields file is refused with a sentence, or each of its columns has a value of a page."""
    with _folder() as folder:
        path = folder / "fields.yaml"
        path.write_bytes(data)
        try:
            fields = read_fields(str(path), taken=frozenset(["url"]))
        except ListError:
            return
        found = fields.of(Document(_PAGE))
        assert list(found.values) == list(fields.columns)


def _folder() -> "tempfile.TemporaryDirectory[str]":
    return _Folder(prefix=f"fuzz-{os.getpid()}-", dir=_FOLDER)


class _Folder(tempfile.TemporaryDirectory):  # type: ignore[type-arg]
    def __enter__(self) -> Path:  # type: ignore[override]
        return Path(super().__enter__())


TARGETS: dict[str, Callable[[bytes], None]] = {
    "list": read_list,
    "table": resume_table,
    "headers": read_headers,
    "fields": read_fields_file,
}
