"""Send too much, too slowly, or only a part, as servers on the open web do."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from functools import cache

import brotli

from urlcrawler.demo.messages import HTML, Handler, Request, Response, head
from urlcrawler.demo.pages import PAGE_SIZE, product, reviews
from urlcrawler.unpacking import zstd

ENDLESS = 200_000_000  # bytes after which even the endless page stops: a bug must not fill a disk
BOMB = 50_000_000  # bytes of a bomb, unpacked
PIECE = 65536
DRIPS = 1000  # pieces of what comes slowly, each a tenth of a second after the one before
OK = b"HTTP/1.1 200 OK\r\n"

PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "br": brotli.compress,
    "zstd": zstd.compress,
}


def bomb(coding: str) -> Handler:
    """Answer with some KB that become 50 MB."""

    async def answer(request: Request) -> Response:
        return Response(_bomb(coding), headers=[("Content-Encoding", coding)])

    return answer


@cache
def _bomb(coding: str) -> bytes:
    return PACKED[coding](b" " * BOMB)  # made when it is first asked for


def half(coding: str) -> Handler:
    """Answer with the first half of a packed page."""

    async def answer(request: Request) -> Response:
        body = PACKED[coding](product(request.path, PAGE_SIZE))
        return Response(body[: len(body) // 2], headers=[("Content-Encoding", coding)])

    return answer


async def endless(request: Request) -> Response:
    """Answer with HTML that does not end, without a Content-Length."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(ENDLESS // PIECE):
            yield reviews(PIECE)
            # A client that reads fast must not keep the site from serving the others.
            await asyncio.sleep(0)

    return Response(pieces())


def flood(line: bytes, *, start: bytes = OK) -> Handler:
    """Send a head that goes on and on with the same line."""

    async def send(request: Request) -> None:
        await request.connection.send(start)
        for _ in range(ENDLESS // PIECE):
            await request.connection.send(line * (PIECE // len(line)))
            await asyncio.sleep(0)

    return send


def drip(start: bytes, piece: bytes) -> Handler:
    """Send a beginning, and then a few bytes at a time, so that it never looks dead."""

    async def send(request: Request) -> None:
        await request.connection.send(start)
        for _ in range(DRIPS):
            await asyncio.sleep(0.1)
            await request.connection.send(piece)

    return send


def raw(data: bytes) -> Handler:
    """Send these bytes, whatever they are, and close the connection."""

    async def send(request: Request) -> None:
        await request.connection.send(data)

    return send


def reset_after(data: bytes) -> Handler:
    """Send these bytes, and reset the connection."""

    async def send(request: Request) -> None:
        await request.connection.send(data)
        await asyncio.sleep(0.1)  # a reset throws away what has not been read yet
        request.connection.reset()

    return send


FLOODS: dict[str, Handler] = {
    "/endless": endless,
    **{f"/{coding}-bomb": bomb(coding) for coding in PACKED},
    **{f"/half-{coding}": half(coding) for coding in PACKED},
    "/header-flood": flood(b"X-Header: and one more\r\n"),
    "/endless-header": flood(b"x", start=OK + b"X-Header: "),
    "/hints-flood": flood(b"HTTP/1.1 103 Early Hints\r\n\r\n", start=b""),
    "/slow-head": drip(OK, b"X-Header: and one more\r\n"),
    "/slow-body": drip(head(200, [("Content-Type", HTML)]), b"<p>and one more"),
    "/slow-chunks": drip(
        head(200, [("Content-Type", HTML), ("Transfer-Encoding", "chunked")]), b"1\r\nx\r\n"
    ),
    "/half-head": raw(OK + b"Content-Type: text/"),
    "/reset-head": reset_after(OK + b"Content-Type: text/"),
    "/line-feeds": raw(OK.replace(b"\r", b"") + b"Content-Length: 18\n\n<title>Odd</title>"),
    "/junk-before": raw(b"junk\r\n" + OK + b"Content-Length: 18\r\n\r\n<title>Odd</title>"),
    "/body-only": raw(b"<title>Odd</title>"),
    "/negative-length": raw(OK + b"Content-Length: -1\r\n\r\n<title>Odd</title>"),
    "/huge-length": raw(OK + b"Content-Length: 99999999999\r\n\r\n<title>Odd</title>"),
    "/huge-chunk": raw(OK + b"Transfer-Encoding: chunked\r\n\r\nffffffffff\r\nx"),
}
