"""Lists as plain files, wherever they are and however they are packed."""

import bz2
import codecs
import gzip
import io
import lzma
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from urlcrawler.exceptions import ListError
from urlcrawler.inputs.sources import Source, open_source, skip_bom, text_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LIST = b"http://a.com/\nhttp://b.com/\xc3\xa4\n" * 1000
PACK: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstd.compress,
}


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(name: str) -> tuple[bytes, str, str]:
    """Return what a list holds once it is open, its name and its suffix."""
    source = open_source(name)
    try:
        return source.file.read(), source.name, source.suffix
    finally:
        source.close()


def refusal(name: str) -> str:
    with pytest.raises(ListError) as caught:
        open_source(name)
    return str(caught.value)


# Compression


@pytest.mark.parametrize("packed", PACK)
def test_a_list_is_unpacked(in_folder: Path, packed: str) -> None:
    """Each compression is undone, and its suffix is no part of the name or the format."""
    (in_folder / f"urls.csv{packed}").write_bytes(PACK[packed](LIST))
    assert read(f"urls.csv{packed}") == (LIST, "urls", ".csv")


@pytest.mark.parametrize("packed", PACK)
@pytest.mark.parametrize("suffix", ["", ".txt", ".gz", ".zst"])
def test_the_bytes_tell_the_compression(in_folder: Path, packed: str, suffix: str) -> None:
    """A suffix that is missing or lies does not matter."""
    (in_folder / f"urls{suffix}").write_bytes(PACK[packed](LIST))
    assert read(f"urls{suffix}") == (LIST, "urls", ".txt" if suffix == ".txt" else "")


def test_a_list_packed_twice_is_unpacked_twice(in_folder: Path) -> None:
    """Both suffixes are taken off, so that the format is still known."""
    (in_folder / "urls.csv.gz.zst").write_bytes(zstd.compress(gzip.compress(LIST)))
    assert read("urls.csv.gz.zst") == (LIST, "urls", ".csv")


def test_parts_packed_one_by_one_are_one_list(in_folder: Path) -> None:
    """`cat a.gz b.gz` is a gzip file of both."""
    (in_folder / "urls.gz").write_bytes(gzip.compress(LIST) + gzip.compress(b"http://c.com/\n"))
    assert read("urls.gz")[0] == LIST + b"http://c.com/\n"


@pytest.mark.parametrize("packed", [packed for packed in PACK if packed])
@pytest.mark.parametrize("break_it", [lambda data: data[:-9], lambda data: data[:6] + b"?" * 99])
def test_a_broken_archive_is_refused(
    in_folder: Path, packed: str, break_it: Callable[[bytes], bytes]
) -> None:
    """Half a list is never taken for the list."""
    (in_folder / f"urls{packed}").write_bytes(break_it(PACK[packed](os.urandom(9999) + LIST)))
    assert refusal(f"urls{packed}").startswith(f"argument `file`: cannot unpack 'urls{packed}': ")


# Encodings


@pytest.mark.parametrize(
    ("bom", "encoding"), [(codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")]
)
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_utf16_becomes_utf8(in_folder: Path, bom: bytes, encoding: str, packed: str) -> None:
    """What a spreadsheet saves as "Unicode text" is read, across every block of the file."""
    text = "http://ä.com/😀\r\n" * 100_000
    (in_folder / f"urls.txt{packed}").write_bytes(PACK[packed](bom + text.encode(encoding)))
    assert read(f"urls.txt{packed}")[0].decode() == text


def test_lines_of_old_macs_become_lines(in_folder: Path) -> None:
    """CR alone ends a line where there is no LF: three records, not one."""
    (in_folder / "urls.txt").write_bytes(b"http://a.com/\rhttp://b.com/\rhttp://c.com/\r")
    assert read("urls.txt")[0].split() == [b"http://a.com/", b"http://b.com/", b"http://c.com/"]


def test_a_byte_order_mark_is_skipped() -> None:
    """The first record begins behind it; without one, at byte 0."""
    for bom in (b"", b"\xef\xbb\xbf"):
        file = io.BytesIO(bom + b"http://a.com/")
        assert skip_bom(file) == len(bom)
        assert file.read() == b"http://a.com/"


@pytest.mark.parametrize(
    ("line", "text"), [(b"caf\xc3\xa9", "café"), (b"caf\xe9 \x80", "café €"), (b"\x81", "�")]
)
def test_bytes_are_utf8_or_windows_1252(line: bytes, text: str) -> None:
    """Every line has a text, whatever its bytes."""
    assert text_of(line) == text


# What is no list

NOT_LISTS = {
    b"PK\x03\x04\x14\0": "zip archive or Excel workbook; unpack it, or save the sheet as CSV",
    b"%PDF-1.7\n": "a PDF; copy its URLs into a text file",
    b"SQLite format 3\0": "an SQLite database; export the table as CSV",
    b"\x89PNG\r\n\x1a\n\0\0\0": "not a text file",
}


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize(("data", "what"), NOT_LISTS.items())
def test_what_is_no_list_is_named(in_folder: Path, data: bytes, what: str, packed: str) -> None:
    """The user is told what the file is and what to do with it."""
    (in_folder / "urls.txt").write_bytes(PACK[packed](data))
    assert what in refusal("urls.txt")


def test_a_missing_file_says_where_it_was_looked_for(in_folder: Path) -> None:
    """A relative path may just be relative to another folder."""
    expected = f"argument `file`: no such file: 'nope.txt' (looked in {in_folder})"
    assert refusal("nope.txt") == expected


def test_a_folder_is_refused(in_folder: Path) -> None:
    """The list inside it must be named."""
    assert refusal(".") == "argument `file`: '.' is a folder. Name a list inside it"


def test_what_the_system_refuses_is_one_sentence(in_folder: Path) -> None:
    """An error of the system becomes a ListError that names the file."""
    assert refusal("x" * 300).endswith("File name too long")


# Pipes


def test_standard_input_is_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` reads it to its end, unpacks it, and calls it stdin."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(LIST))))
    assert read("-") == (LIST, "stdin", "")


def test_a_pipe_with_a_path_can_be_read_again(in_folder: Path) -> None:
    """`-a file=<(grep ...)` is spooled, because a pipe has no way back."""
    os.mkfifo("pipe")
    writer = threading.Thread(target=(in_folder / "pipe").write_bytes, args=[LIST])
    writer.start()
    source = open_source("pipe")
    writer.join()
    assert source.file.read() == LIST
    source.file.seek(14)
    assert source.file.readline() == b"http://b.com/\xc3\xa4\n"
    source.close()


# Names

NAMES = {
    "urls.txt": "urls",
    "urls": "urls",
    "urls.2024-01.csv.gz": "urls.2024-01",
    "my list (1) & more.csv": "my_list_1_more",
    "адреса.txt": "адреса",
    ".urls": "urls",
    "+.txt": "list",
    "URLS.CSV.GZ": "URLS",
    "folder/x.tsv": "x",
}


@pytest.mark.parametrize(("path", "name"), NAMES.items())
def test_the_name_of_a_list_makes_a_file_name(in_folder: Path, path: str, name: str) -> None:
    """The default table is named after the list, without folder, suffixes and odd characters."""
    (in_folder / path).parent.mkdir(exist_ok=True)
    (in_folder / path).write_bytes(LIST)
    assert read(path)[1] == name


def test_a_source_closes_its_file() -> None:
    """Nothing stays open after `close`."""
    file = io.BytesIO(LIST)
    Source("urls.txt", "urls", ".txt", file).close()
    assert file.closed
