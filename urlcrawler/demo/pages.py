"""Answer like a shop that works: product pages, statuses, redirects, busy and flaky hosts."""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncIterator
from functools import lru_cache
from urllib.parse import quote
from zlib import crc32

from urlcrawler.demo.messages import Handler, Request, Response
from urlcrawler.demo.site import not_found

PAGE_SIZE = 20_000  # bytes; about what a product page without its scripts has
MAX_PAGE_SIZE = 10_000_000
MIB = 1024 * 1024
REVIEW = (
    '<li class="review"><b class="stars">4</b> <a href="/page/{n}">Reader {n}</a>\n'
    "<p>Arrived in time, does what it says, and I would buy it again.</p></li>\n"
)
BRANDS = ("Acme", "Globex", "Initech", "Umbrella")
LOCATION_SAFE = "%/:=&?~#+!$,;'@()*[]"  # what a URL may contain besides letters and digits


async def page(request: Request) -> Response:
    """Answer with a product page that depends on the path only; `?size=` sets its bytes."""
    size = int(request.number("size", PAGE_SIZE, MAX_PAGE_SIZE))
    return Response(product(request.path, size))


@lru_cache(maxsize=256)
def product(path: str, size: int) -> bytes:
    """Return the HTML of a product page of exactly `size` bytes, or of the smallest possible."""
    seed = crc32(path.encode())
    name = html.escape(path.rpartition("/")[2] or "Home")
    start = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f"<title>Product {name}</title>\n"
        f'<meta name="description" content="Buy product {name} here">\n'
        f'<link rel="canonical" href="{html.escape(quote(path))}"></head>\n'
        f'<body><h1 class="name">Product {name}</h1>\n'
        f'<p class="price">{seed % 100_000 / 100:.2f}</p> <p class="sku">SKU-{seed:08x}</p>\n'
        f'<p class="brand">{BRANDS[seed % 4]}</p> <p class="stock">{seed % 50}</p>\n'
        f'<a class="next" href="/page/{seed % 1000}">Next</a>\n<ul class="reviews">\n'
    ).encode()
    end = b"</ul></body></html>\n"
    return start + reviews(max(0, size - len(start) - len(end))) + end


@lru_cache(maxsize=64)
def reviews(size: int) -> bytes:
    """Return a list of reviews of exactly `size` bytes, filled up with spaces."""
    row = REVIEW.format(n=1000).encode()
    rows = (REVIEW.format(n=1000 + n % 9000).encode() for n in range(size // len(row)))
    return b"".join(rows).ljust(size)


async def slow(request: Request) -> Response:
    """Answer with a product page after a second, or after `?delay=`."""
    if "delay" not in request.query:
        await asyncio.sleep(1)
    return await page(request)


async def huge(request: Request) -> Response:
    """Answer with `?mb=3` MiB of HTML, announced by Content-Length."""
    count = max(1, int(request.number("mb", 3, 1024)))

    async def pieces() -> AsyncIterator[bytes]:
        start = b"<!DOCTYPE html><title>Huge</title><ul>\n"
        yield start + reviews(MIB - len(start))
        for _ in range(count - 1):
            yield reviews(MIB)

    return Response(pieces(), headers=[("Content-Length", str(count * MIB))])


async def chunked(request: Request) -> Response:
    """Answer with a product page in chunks."""

    async def pieces() -> AsyncIterator[bytes]:
        body = product(request.path, PAGE_SIZE)
        for start in range(0, len(body), 4096):
            yield body[start : start + 4096]

    return Response(pieces())


async def drip(request: Request) -> Response:
    """Answer with a product page, in 20 chunks spread over `?seconds=2`."""
    pause = request.number("seconds", 2, 30) / 20

    async def pieces() -> AsyncIterator[bytes]:
        body = product(request.path, PAGE_SIZE)
        for start in range(0, PAGE_SIZE, PAGE_SIZE // 20):
            await asyncio.sleep(pause)
            yield body[start : start + PAGE_SIZE // 20]

    return Response(pieces())


async def etag(request: Request) -> Response:
    """Answer with a product page and its ETag, or with 304 to a client that has it."""
    headers = [("ETag", '"v1"'), ("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")]
    same_tag = request.headers.get("if-none-match") == '"v1"'
    if same_tag or request.headers.get("if-modified-since") == headers[1][1]:
        return Response(status=304, headers=headers)
    return Response(product(request.path, PAGE_SIZE), headers=headers)


async def status(request: Request) -> Response:
    """Answer /status/404 with status 404; `?retry_after=` adds that Retry-After."""
    code = request.path.rpartition("/")[2]
    if not (code.isdecimal() and 200 <= int(code) <= 599):
        return await not_found(request)
    body = b"" if int(code) in (204, 205, 304) else f"<title>Status {code}</title>".encode()
    after = request.query.get("retry_after")
    return Response(body, int(code), [("Retry-After", after)] if after else [])


async def flaky(request: Request) -> Response:
    """Answer 503 the first `?times=1` times that this target is asked for, then 200."""
    if request.visit() <= request.number("times", 1, 1_000_000):
        return Response(b"<title>Try again</title>", status=503)
    return await page(request)


async def limited(request: Request) -> Response:
    """Answer 429 with Retry-After the first time that this target is asked for, then 200."""
    if request.visit() == 1:
        return Response(b"<title>Too fast</title>", 429, [("Retry-After", "1")])
    return await page(request)


async def redirect(request: Request) -> Response:
    """Answer /redirect/3 with three 302 in a row, the last one to `?to=/page/1`."""
    hops = request.path.rpartition("/")[2]
    if not hops.isdecimal():
        return await not_found(request)
    to = request.query.get("to", "/page/1")
    if int(hops) > 1:
        return to_location(f"/redirect/{int(hops) - 1}?to={quote(to, safe='')}")
    return to_location(quote(to, safe=LOCATION_SAFE))


def to_location(location: str) -> Response:
    """Return a 302 to `location`."""
    return Response(status=302, headers=[("Location", location)])


def fixed(response: Response) -> Handler:
    """Return a handler that always gives the same answer."""

    async def handler(request: Request) -> Response:
        return response

    return handler
