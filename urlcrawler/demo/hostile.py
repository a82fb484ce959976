"""Misbehave on purpose, in the ways that servers on the open web do."""

from __future__ import annotations

import asyncio
import gzip

from urlcrawler.demo.messages import HTML, Request, Response, head
from urlcrawler.demo.pages import MAX_PAGE_SIZE, PAGE_SIZE, product


def plain_head(length: int) -> bytes:
    """Return the head of a 200 that announces `length` bytes of HTML."""
    return head(200, [("Content-Type", HTML), ("Content-Length", str(length))])


def page_of(request: Request) -> bytes:
    """Return the product page that belongs to the path."""
    return product(request.path, PAGE_SIZE)


async def hang() -> None:
    """Wait until the client leaves; the site then cancels the handler."""
    await asyncio.get_running_loop().create_future()


async def never(request: Request) -> None:
    """Accept the request and never answer."""
    await hang()


async def drop(request: Request) -> None:
    """Close without a byte."""


async def reset(request: Request) -> None:
    """Reset the connection instead of answering."""
    request.connection.reset()


async def reset_body(request: Request) -> None:
    """Reset the connection in the middle of a body that has no Content-Length."""
    body = page_of(request)
    await request.connection.send(head(200, [("Content-Type", HTML)]) + body[: len(body) // 2])
    # A reset throws away what has not been read yet: let the client read the half first.
    await asyncio.sleep(0.1)
    request.connection.reset()


async def stall_body(request: Request) -> None:
    """Send the head and half of the body, then stall."""
    body = page_of(request)
    await request.connection.send(plain_head(len(body)) + body[: len(body) // 2])
    await hang()


async def short_body(request: Request) -> None:
    """Announce 1000 bytes more than the body has, and close after it."""
    body = page_of(request)
    await request.connection.send(plain_head(len(body) + 1000) + body)


async def garbage(request: Request) -> None:
    """Send bytes that are not HTTP, and close."""
    await request.connection.send(b"\x16\x03\x01\x00 this is not HTTP\r\n\r\n" * 10)


async def bad_chunk(request: Request) -> None:
    """Send one good chunk, then a chunk whose size is not a number, and close."""
    start = head(200, [("Content-Type", HTML), ("Transfer-Encoding", "chunked")])
    await request.connection.send(start + b"5\r\n<html\r\nzz\r\nno size\r\n0\r\n\r\n")


async def cut_chunk(request: Request) -> None:
    """Send chunks without the last, empty one, and close."""
    start = head(200, [("Content-Type", HTML), ("Transfer-Encoding", "chunked")])
    await request.connection.send(start + b"10\r\n<title>Cut</titl\r\n")


async def two_lengths(request: Request) -> None:
    """Send two Content-Length headers that contradict each other."""
    body = page_of(request)
    headers = [("Content-Type", HTML), ("Content-Length", "5"), ("Content-Length", str(len(body)))]
    await request.connection.send(head(200, headers) + body)


async def two_answers(request: Request) -> None:
    """Send the answer, and 50 ms later, on the same open connection, one nobody asked for."""
    body = page_of(request)
    late = b"<title>Late</title>"
    await request.connection.send(plain_head(len(body)) + body)
    await asyncio.sleep(0.05)
    await request.connection.send(plain_head(len(late)) + late)
    await hang()


async def header_bytes(request: Request) -> Response:
    """Answer correctly, with a header that is Latin-1 and not UTF-8."""
    return Response(page_of(request), headers=[("X-Shop", "Café")])


async def bad_gzip(request: Request) -> Response:
    """Answer with the first half of a gzip stream."""
    body = gzip.compress(page_of(request), mtime=0)
    return Response(body[: len(body) // 2], headers=[("Content-Encoding", "gzip")])


async def bad_crc(request: Request) -> Response:
    """Answer with a whole gzip stream whose checksum is wrong."""
    body = gzip.compress(page_of(request), mtime=0)
    return Response(body[:-8] + b"\0\0\0\0" + body[-4:], headers=[("Content-Encoding", "gzip")])


async def not_gzip(request: Request) -> Response:
    """Answer with a plain page that claims to be gzip."""
    return Response(page_of(request), headers=[("Content-Encoding", "gzip")])


async def punycode_charset(request: Request) -> Response:
    """Answer with `?size=200000` bytes of punycode, which take 17 s to decode."""
    size = int(request.number("size", 200_000, MAX_PAGE_SIZE))
    # Every further "a" is one more character to insert, and each insertion copies the whole text.
    start = "<title>Punycode</title>🫖".encode("punycode")
    return Response(start.ljust(size, b"a"), content_type="text/html; charset=punycode")


async def many_attributes(request: Request) -> Response:
    """Answer with one tag of `?n=40000` attributes, which freezes some parsers."""
    count = int(request.number("n", 40_000, MAX_PAGE_SIZE / 10))
    attributes = " ".join(f"a{n}=1" for n in range(count))
    return Response(f"<!DOCTYPE html><title>Attributes</title><p {attributes}>".encode())
