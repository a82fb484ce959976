"""Pages that are kept: WARC files beside the table, from which they can be extracted again.

A page is on the disk before its row is written. So a row never speaks of a page that is gone, and
what a kill leaves behind is at worst a page that has no row, which is fetched once more.
"""

import asyncio
import json
import logging
import os
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from scrapy.http import Response
from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from urlcrawler.exceptions import OutputError
from urlcrawler.meta import HOST_HEADERS

logger = logging.getLogger(__name__)

LARGEST = 1 << 30  # bytes of a file, as the standard recommends (annex C of WARC 1.1)
_SECRET = {b"authorization", b"cookie", b"proxy-authorization"}
# The body is kept as it is after unpacking, so these would not be true.
_CHANGED = {b"content-encoding", b"transfer-encoding", b"content-length"}
_PIECE = 1 << 20


class KeptPage(NamedTuple):
    """A page out of a WARC file.

    Attributes:
        row: what the crawl knew of it: `items.BASE_COLUMNS`, and `columns` of the list.
        url, status, headers, body: the answer.
    """

    row: dict[str, Any]
    url: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes


def read_pages(path: Path) -> Iterator[KeptPage]:
    """Yield the pages of a file that `PageArchive` has written; records of others are passed over.

    Raises:
        OutputError: it is no WARC file, or is damaged.
    """
    try:
        with path.open("rb") as file:
            answers: dict[str, tuple[str, int, list[tuple[str, str]], bytes]] = {}
            for record in ArchiveIterator(file):
                if record.rec_type == "response":
                    headers = record.http_headers
                    answers = {  # the metadata of one is the next but one
                        record.rec_headers.get_header("WARC-Record-ID"): (
                            record.rec_headers.get_header("WARC-Target-URI"),
                            int(headers.get_statuscode()),
                            list(headers.headers),
                            record.content_stream().read(),
                        )
                    }
                elif record.rec_type == "metadata":
                    answer = answers.pop(record.rec_headers.get_header("WARC-Refers-To"), None)
                    if answer:
                        yield KeptPage(json.loads(record.content_stream().read()), *answer)
    except (OSError, ValueError, ArchiveLoadFailed) as error:
        raise OutputError(f"{path}: is no WARC file of kept pages: {error}") from error


class _Kept(NamedTuple):
    response: Response
    row: Mapping[str, Any]
    done: "asyncio.Future[None]"


class PageArchive:
    """Writes pages, in a thread of its own; those that come together are made durable together."""

    def __init__(self, folder: Path, largest: int = LARGEST, prefix: str = "") -> None:
        """Go on in *folder*, after what an interrupted run has left there.

        Args:
            largest: bytes of a file, after which another one is begun.
            prefix: of the names of its files, where several processes write into the folder.

        Raises:
            OutputError: it cannot be written.
        """
        self.folder = folder
        self._largest = largest
        self._prefix = prefix
        self._waiting: list[_Kept] = []
        self._writing: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pages")
        self._file: Any = None
        self._failure: OSError | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            files = sorted(folder.glob(f"{prefix}[0-9][0-9][0-9][0-9][0-9].warc.gz"))
            self._number = int(files[-1].name[len(prefix) :].split(".")[0]) if files else 0
            if files:
                _cut_torn(files[-1])
            self._open(again=bool(files))
        except (OSError, ValueError) as error:
            raise OutputError(f"{folder}: pages cannot be kept there: {error}") from error

    async def keep(self, response: Response, row: Mapping[str, Any]) -> None:
        """Write a page and what is known of it; return when both are durable.

        Raises:
            OSError: they are not.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Kept(response, row, done))
        if self._writing is None:
            self._writing = asyncio.ensure_future(self._write_all())
        await done

    async def _write_all(self) -> None:
        loop = asyncio.get_running_loop()
        while batch := self._waiting:
            self._waiting = []
            try:
                await loop.run_in_executor(self._thread, self._write, batch)
            except OSError as error:
                for kept in batch:
                    if not kept.done.done():
                        kept.done.set_exception(error)
            else:
                for kept in batch:
                    if not kept.done.done():
                        kept.done.set_result(None)
        self._writing = None

    def _write(self, batch: list[_Kept]) -> None:
        if self._failure:
            raise self._failure
        try:
            for response, row, _ in batch:
                if self._file.tell() >= self._largest:
                    os.fsync(self._file.fileno())
                    self._file.close()
                    self._open()
                self._append(_records(response, row))
            os.fsync(self._file.fileno())
        except OSError as error:
            # Nothing is written behind a part of a record. The next run takes it away.
            self._failure = error
            raise

    def _append(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]

    def _open(self, *, again: bool = False) -> None:
        self._number += not again
        path = self.folder / f"{self._prefix}{self._number:05}.warc.gz"
        self._file = path.open("ab", buffering=0)
        if not self._file.tell():
            info = BytesIO()
            writer = _Writer(info, gzip=True, warc_version="1.1")
            facts = {"software": "urlcrawler", "format": "WARC File Format 1.1"}
            writer.write_record(writer.create_warcinfo_record(path.name, facts))
            self._append(info.getvalue())
            os.fsync(self._file.fileno())
            folder = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def close(self) -> None:
        """Close the file, when nothing is being written any more."""
        self._thread.shutdown()
        self._file.close()


class _Writer(WARCWriter):  # type: ignore[misc]
    """Writes records out of memory; warcio puts each into a temporary file that it leaves open."""

    _create_temp_file = staticmethod(BytesIO)  # private; test_kept_pages.py fails without it


def _records(response: Response, row: Mapping[str, Any]) -> bytes:
    """Return three records: what was asked, what was answered, and what is known besides."""
    buffer = BytesIO()
    writer = _Writer(buffer, gzip=True, warc_version="1.1")
    asked, url = response.request, response.url
    assert asked is not None  # noqa: S101 - Scrapy sets it before callbacks
    own = {name.encode("latin-1").lower() for name in asked.meta.get(HOST_HEADERS, ())}
    request_headers = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, values in asked.headers.items()
        for value in values
        if name.lower() not in _SECRET | own
    ]
    answer_headers = [
        (
            ("X-Archive-Orig-" if name.lower() in _CHANGED else "") + name.decode("latin-1"),
            value.decode("latin-1"),
        )
        for name, values in response.headers.items()
        for value in values
    ]
    answer_headers.append(("Content-Length", str(len(response.body))))
    request_headers.insert(0, ("Host", urlsplit(url).netloc.rpartition("@")[2]))
    line = f"{asked.method} {_target(url)} HTTP/1.1"
    address = {"WARC-IP-Address": str(response.ip_address)} if response.ip_address else {}
    answered = writer.create_warc_record(
        url,
        "response",
        payload=BytesIO(response.body),
        http_headers=StatusAndHeaders(str(response.status), answer_headers, protocol="HTTP/1.1"),
        warc_headers_dict=address,
    )
    writer.write_request_response_pair(
        writer.create_warc_record(
            url,
            "request",
            payload=BytesIO(asked.body),
            http_headers=StatusAndHeaders(line, request_headers, is_http_request=True),
        ),
        answered,
    )
    writer.write_record(
        writer.create_warc_record(
            url,
            "metadata",
            payload=BytesIO(json.dumps(row, ensure_ascii=True).encode()),
            warc_content_type="application/json",
            warc_headers_dict={"WARC-Refers-To": answered.rec_headers.get_header("WARC-Record-ID")},
        )
    )
    return buffer.getvalue()


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def mend(folder: Path) -> None:
    """Take away what a kill has left behind the last whole page of each process.

    Raises:
        OutputError: it stays.
    """
    last = {path.name[:-13]: path for path in sorted(folder.glob("*.warc.gz"))}  # 00001.warc.gz
    try:
        for path in last.values():
            _cut_torn(path)
    except OSError as error:
        raise OutputError(f"{folder}: pages cannot be kept there: {error}") from error


def _cut_torn(path: Path) -> None:
    """Shorten a file to its complete records: each is a member of gzip."""
    end = 0
    with path.open("rb") as file:
        unpack = zlib.decompressobj(31)
        place = 0
        while piece := file.read(_PIECE):
            place += len(piece)
            try:
                while piece:
                    unpack.decompress(piece)
                    piece = unpack.unused_data
                    if unpack.eof:
                        end = place - len(piece)
                        unpack = zlib.decompressobj(31)
            except zlib.error:
                break
    size = path.stat().st_size
    if end < size:
        logger.info(
            "%(path)s: %(bytes)d bytes of a page that was not finished are taken away",
            {"path": path, "bytes": size - end},
        )
        os.truncate(path, end)
