"""Opens a list, wherever it is, as a plain file that can be read again at any byte."""

import bz2
import codecs
import gzip
import http.client
import io
import lzma
import os
import re
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from urlcrawler.exceptions import ListError
from urlcrawler.unpacking import zstd

_BLOCK = 1 << 20
_FETCH_TIMEOUT = 60.0  # seconds without a byte from the server that holds the list
_UNPACK: dict[bytes, Callable[[Any], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
    b"\x28\xb5\x2f\xfd": zstd.open,
}
_BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, zstd.ZstdError)
_NOT_LISTS = {
    b"PK\x03\x04": "a zip archive or Excel workbook; unpack it, or save the sheet as CSV",
    b"%PDF": "a PDF; copy its URLs into a text file, one a line",
    b"SQLite format 3": "an SQLite database; export the table as CSV",
}
PARQUET_MAGIC = b"PAR1"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SUFFIXES = {".gz", ".bz2", ".xz", ".zst"}
_UNSAFE_IN_NAME = re.compile(r"[^\w.-]+")


@dataclass(slots=True, weakref_slot=True)  # signals hold their receivers weakly
class Source:
    """A list as a plain, seekable binary file.

    Attributes:
        label: the list as the user named it, for messages.
        name: its name without folder and suffixes, for the default feed.
        suffix: lower-case suffix that names the format, with the dot; "" when there is none.
        file: positioned at byte 0. Compressed, piped and remote lists are unpacked into an
            unnamed temporary file, which the system removes with the process, even after a kill.
        is_converted: whether that is not the list itself, but JSON Lines that were made of it.
    """

    label: str
    name: str
    suffix: str
    file: IO[bytes]
    is_converted: bool = False

    def lines_at(self, offsets: list[int]) -> list[int | None]:
        """Return the number of the line that begins at each of *offsets*, which are in order;
        None where there are no lines.
        """
        if self.suffix == ".parquet" or self.is_converted:
            return [None] * len(offsets)
        lines: list[int | None] = []
        self.file.seek(0)
        number = at = 0
        for offset in offsets:
            while at < offset:
                block = self.file.read(min(_BLOCK, offset - at))
                if not block:
                    break
                number, at = number + block.count(b"\n"), at + len(block)
            lines.append(number + 1)
        return lines

    def close(self) -> None:
        """Close the file; a temporary one is gone with it."""
        self.file.close()

    def convert(self, as_json_lines: Callable[[IO[bytes], str], IO[bytes]]) -> None:
        """Read the list as the JSON Lines that *as_json_lines* makes of its file."""
        with self.file as file:
            self.file = as_json_lines(file, self.label)
        self.suffix, self.is_converted = ".jsonl", True


def open_source(file: str) -> Source:
    """Open the list named by *file*: a path, `-` for standard input, or an http(s) URL.

    Raises:
        ListError: no such file, not readable, broken compression, or not a list at all.
    """
    try:
        if file == "-" and sys.stdin is None:
            raise ListError("argument `file`: - is standard input, which is closed")
        if file == "-":
            return named(file, "stdin", spool(sys.stdin.buffer))
        if file.startswith(("http://", "https://")):
            fetched, parts = _fetch(file), urlsplit(file)
            host = (parts.hostname or "").replace(".", "_")
            return named(file, Path(unquote(parts.path)).name or host, fetched)
        return named(file, Path(file).name, _open_path(file))
    except OSError as error:
        raise ListError(f"argument `file`: cannot read {file!r}: {_why(error)}") from error


def spool(stream: Any) -> IO[bytes]:
    """Copy *stream* into an unnamed temporary file and return that, positioned at byte 0."""
    copy = tempfile.TemporaryFile(prefix="urlcrawler-list-")  # noqa: SIM115 - outlives the call
    try:
        shutil.copyfileobj(stream, copy, 1 << 20)
        copy.seek(0)
    except BaseException:
        copy.close()
        raise
    return copy


def _open_path(file: str) -> IO[bytes]:
    path = Path(file).expanduser()
    if not path.exists():
        raise ListError(f"argument `file`: no such file: {file!r} (looked in {os.getcwd()})")
    if path.is_dir():
        raise ListError(f"argument `file`: {file!r} is a folder. Name a list inside it")
    handle = path.open("rb")
    if handle.seekable():
        return handle
    with handle:  # <(grep ...) is a pipe with a path
        return spool(handle)


def _fetch(url: str) -> IO[bytes]:
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "urlcrawler"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=_FETCH_TIMEOUT) as answer:  # noqa: S310
            file = spool(answer)
            if answer.length:  # what is still to come when the connection has ended
                file.close()
                raise http.client.IncompleteRead(b"", answer.length)
            return file
    except urllib.error.HTTPError as error:
        error.close()
        raise ListError(f"argument `file`: {url} answered {error.code} {error.reason}") from error
    except (ValueError, http.client.InvalidURL) as error:
        raise ListError(f"argument `file`: not a URL that can be fetched: {url!r}") from error
    except http.client.HTTPException as error:
        raise ListError(f"argument `file`: {url} sent no complete list: {error!r}") from error


def named(label: str, filename: str, file: IO[bytes]) -> Source:
    """Return *file* unpacked, with what its name tells about it.

    Raises:
        ListError: its compression is broken, or it is not a list at all.
    """
    path = Path(filename)
    try:
        file = _unpack(label, file)
        head = _head(file)
        for magic, what in _NOT_LISTS.items():
            if head.startswith(magic):
                raise ListError(f"argument `file`: {label!r} is {what}")
        while path.suffix.lower() in _SUFFIXES:
            path = path.with_suffix("")
        if head.startswith(PARQUET_MAGIC):
            path = path.with_suffix(".parquet")
        elif head.startswith(_UTF16):
            with file:
                file = spool(codecs.EncodedFile(file, "utf-8", "utf-16", errors="replace"))
        elif b"\0" in head:
            raise ListError(f"argument `file`: {label!r} is not a text file")
        if not head.startswith(PARQUET_MAGIC) and _has_mac_lines(file):
            with file:
                file = _with_line_feeds(file)
    except BaseException:
        file.close()
        raise
    name = _UNSAFE_IN_NAME.sub("_", path.stem).strip("._") or "list"
    return Source(label, name, path.suffix.lower(), file)


def _unpack(label: str, file: IO[bytes]) -> IO[bytes]:
    """Return what is in *file*, unpacked as often as it is packed."""
    head = _head(file)
    for _ in range(3):  # .txt.gz.zst exists; a quine that unpacks to itself does too
        unpack = next((open_ for magic, open_ in _UNPACK.items() if head.startswith(magic)), None)
        if unpack is None:
            break
        try:
            with file, unpack(file) as stream:
                file = spool(stream)
        except _BROKEN as error:
            if isinstance(error, OSError) and error.errno:
                raise  # the disk, not the list
            raise ListError(f"argument `file`: cannot unpack {label!r}: {error}") from error
        head = _head(file)
    return file


def _head(file: IO[bytes]) -> bytes:
    head = file.read(16)
    file.seek(0)
    return head


def _has_mac_lines(file: IO[bytes]) -> bool:
    """Return whether lines end with CR alone, as in Excel's "CSV (Macintosh)"."""
    start = file.read(1 << 16)
    file.seek(0)
    return b"\n" not in start and b"\r" in start.strip()


def _with_line_feeds(file: IO[bytes]) -> IO[bytes]:
    copy = spool(io.BytesIO())
    for part in iter(lambda: file.read(1 << 20), b""):
        copy.write(part.replace(b"\r", b"\n"))
    copy.seek(0)
    return copy


def _why(error: OSError) -> str:
    reason = getattr(error, "reason", None) or error.strerror or error
    return str(reason).removeprefix("[Errno -2] ")


def text_of(line: bytes) -> str:
    """Return *line* decoded: UTF-8, and where it is not, Windows-1252 as old lists have it."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace")


def skip_bom(file: IO[bytes]) -> int:
    """Position *file* after a byte order mark, if it begins with one, and return that place."""
    start = len(codecs.BOM_UTF8) if _head(file).startswith(codecs.BOM_UTF8) else 0
    return file.seek(start)
