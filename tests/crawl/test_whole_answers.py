"""Nothing false looks true: half a page is no page, and no page is that of another URL."""

import asyncio
import gzip
import zlib
from collections import Counter
from collections.abc import Callable

import brotli
import pytest
from crawling import Crawl, Server, site_of

from urlcrawler.demo.messages import HTML, Handler, Request, Response, head
from urlcrawler.unpacking import zstd

PAGE = b"<!DOCTYPE html><title>Whole</title>" + b"<p>words and words</p>" * 1000
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}
ONCE = ("-s", "RETRY_TIMES=0", "-s", "RETRY_LAST_ROUND=0")


def crawl_one(crawl: Callable[..., Crawl], handler: Handler, *words: str) -> dict[str, str]:
    """Return the row of a page that *handler* answers for."""
    with site_of({"/*": handler, "/robots.txt": Server().robots}) as site:
        return crawl([f"http://127.0.0.1:{site.port}/"], *words).only()


def raw(answer: bytes, *, reset: bool = False) -> Handler:
    """Send these bytes and close, or reset, the connection."""

    async def send(request: Request) -> None:
        await request.connection.send(answer)
        if reset:
            await asyncio.sleep(0.1)  # a reset throws away what was not read yet
            request.connection.reset()

    return send


@pytest.mark.parametrize("coding", PACKED)
def test_a_packed_page_is_unpacked(crawl: Callable[..., Crawl], coding: str) -> None:
    """Each coding that is asked for."""
    body = PACKED[coding](PAGE)

    async def answer(request: Request) -> Response:
        assert coding in request.headers["accept-encoding"]
        return Response(body, 200, [("Content-Encoding", coding)])

    row = crawl_one(crawl, answer)
    assert (row["outcome"], row["title"], row["bytes"]) == ("ok", "Whole", str(len(PAGE)))


@pytest.mark.parametrize("coding", PACKED)
def test_half_a_packed_page_is_no_page(crawl: Callable[..., Crawl], coding: str) -> None:
    """Whole for HTTP, and cut off inside; it is asked for again, in vain."""
    body = PACKED[coding](PAGE)[:-9]

    async def answer(request: Request) -> Response:
        return Response(body, 200, [("Content-Encoding", coding)])

    row = crawl_one(crawl, answer)
    assert (row["outcome"], row["error"], row["attempts"]) == ("failed", "truncated", "4")
    assert (row["title"], row["reason"]) == ("", "the body ended before it was complete")


def test_a_page_that_was_cut_off_once_is_fetched_again(crawl: Callable[..., Crawl]) -> None:
    """What is truncated now may be whole in a second."""
    body = gzip.compress(PAGE)

    async def answer(request: Request) -> Response:
        part = body[: len(body) // 2] if request.visit() == 1 else body
        return Response(part, 200, [("Content-Encoding", "gzip")])

    row = crawl_one(crawl, answer)
    assert (row["outcome"], row["title"], row["attempts"]) == ("ok", "Whole", "2")


DAMAGED = {
    "gzip": bytearray(gzip.compress(PAGE)),
    "deflate": bytearray(zlib.compress(PAGE)),
    "zstd": bytearray(zstd.compress(PAGE, options={zstd.CompressionParameter.checksum_flag: 1})),
}


@pytest.mark.parametrize("coding", DAMAGED)
def test_a_packed_page_with_a_wrong_checksum_is_no_page(
    crawl: Callable[..., Crawl], coding: str
) -> None:
    """Something on its way has changed it."""
    body = DAMAGED[coding].copy()
    body[-1 if coding != "gzip" else -5] ^= 1

    async def answer(request: Request) -> Response:
        return Response(bytes(body), 200, [("Content-Encoding", coding)])

    assert crawl_one(crawl, answer, *ONCE)["error"] == "decode"


@pytest.mark.parametrize("coding", PACKED)
def test_a_bomb_goes_off_at_the_limit(crawl: Callable[..., Crawl], coding: str) -> None:
    """50 MB out of a few KB: unpacked no further than DOWNLOAD_MAXSIZE."""
    body = PACKED[coding](b" " * 50_000_000)

    async def answer(request: Request) -> Response:
        return Response(body, 200, [("Content-Encoding", coding)])

    row = crawl_one(crawl, answer)
    assert (row["outcome"], row["error"], row["attempts"]) == ("failed", "too-large", "1")


WHOLE_HEAD = head(200, [("Content-Type", HTML)])
LENGTH = head(200, [("Content-Type", HTML), ("Content-Length", str(len(PAGE)))])
CHUNKED = head(200, [("Content-Type", HTML), ("Transfer-Encoding", "chunked")])


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (raw(WHOLE_HEAD + PAGE), ""),  # ends with the connection, as it did in HTTP/1.0
        (raw(WHOLE_HEAD + PAGE[:9000], reset=True), "truncated"),
        (raw(LENGTH + PAGE), ""),
        (raw(LENGTH + PAGE[:-1]), "truncated"),
        (raw(LENGTH + PAGE[:-1], reset=True), "truncated"),
        (raw(CHUNKED + b"5\r\nabcde\r\n0\r\n\r\n"), ""),
        (raw(CHUNKED + b"5\r\nabcde\r\n0\r\n"), "truncated"),
        (raw(CHUNKED + b"5\r\nabcde\r\n"), "truncated"),
        (raw(CHUNKED + b"5\r\nabc"), "truncated"),
        (raw(CHUNKED + b"5\r\nabcde\r\nzz\r\n0\r\n\r\n"), "truncated"),
        (raw(head(204, [])), ""),
    ],
)  # fmt: skip
def test_a_body_ends_where_the_server_says(
    crawl: Callable[..., Crawl], handler: Handler, error: str
) -> None:
    """Or where it closes the connection; not where the connection breaks."""
    assert crawl_one(crawl, handler, *ONCE)["error"] == error


def flood(line: bytes, count: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + line * count + b"Content-Length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (flood(b"X-Header: value\r\n", 900), ""),
        (flood(b"X-Header: value\r\n", 2000), "too-large"),
        (flood(b"X-Header: " + b"v" * 100_000 + b"\r\n", 1), ""),  # as some policies are
        (flood(b"X-Header: " + b"v" * 100_000 + b"\r\n", 3), "too-large"),
        (flood(b"X-Header: " + b"v" * 10_000_000 + b"\r\n", 1), "too-large"),
        (b"HTTP/1.1 200 OK\r\n" + b"x" * 10_000_000, "too-large"),
        (b"HTTP/1.1 " + b"2" * 10_000_000, "too-large"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 3 + flood(b"", 0), ""),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 2000 + flood(b"", 0), "too-large"),
    ],
)
def test_the_head_of_an_answer_is_bounded(
    crawl: Callable[..., Crawl], answer: bytes, error: str
) -> None:
    """In bytes and in lines, those of answers before the answer included."""
    row = crawl_one(crawl, raw(answer), *ONCE)
    assert row["error"] == error
    assert ("DOWNLOAD_HEAD_MAXSIZE" in row["reason"]) == bool(error)


def titled(path: str) -> bytes:
    body = f"<!DOCTYPE html><title>{path}</title>".encode()
    return head(200, [("Content-Type", HTML), ("Content-Length", str(len(body)))]) + body


@pytest.mark.parametrize("delay", [0.0, 0.01, 0.05, 0.2])
@pytest.mark.parametrize("from_the", ["first", "tenth"])
def test_an_answer_that_nobody_asked_for_is_nobodys_page(
    crawl: Callable[..., Crawl], delay: float, from_the: str
) -> None:
    """Each answer is followed by another one, on a connection that stays open."""
    count = [0]

    async def twice(request: Request) -> None:
        count[0] += 1
        answer = titled(request.path)
        if from_the == "tenth" and count[0] < 10:
            await request.connection.send(answer)
            return
        if delay:
            await request.connection.send(answer)
            await asyncio.sleep(delay)
            await request.connection.send(titled("late"))
        else:
            await request.connection.send(answer + titled("late"))

    with site_of({"/*": twice, "/robots.txt": Server().robots}) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(60)]
        crawled = crawl(lines, "-s", "CONCURRENT_REQUESTS_PER_DOMAIN=2")
    wrong = [
        (row["url"], row["title"]) for row in crawled.rows if not row["url"].endswith(row["title"])
    ]
    assert wrong == []
    assert Counter(row["outcome"] for row in crawled.rows) == {"ok": 60}


def test_connections_are_used_again(crawl: Callable[..., Crawl]) -> None:
    """When they have been silent for a quarter of a second."""
    connections = set()

    async def answer(request: Request) -> Response:
        connections.add(id(request.connection))
        await asyncio.sleep(0.1)
        return Response(titled(request.path).split(b"\r\n\r\n")[1])

    with site_of({"/*": answer, "/robots.txt": Server().robots}) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(300)]
        crawled = crawl(lines, "-s", "CONCURRENT_REQUESTS_PER_DOMAIN=4")
    assert Counter(row["outcome"] for row in crawled.rows) == {"ok": 300}
    assert len(connections) < 40


def test_connections_that_are_closed_early_ring_no_more(crawl: Callable[..., Crawl]) -> None:
    """The crawl goes on for longer than an idle connection is kept, and says nothing about it."""

    async def answer(request: Request) -> Response | None:
        if request.path == "/1":
            await request.connection.send(titled(request.path))
            await asyncio.sleep(0.1)
            await request.connection.send(titled("late"))
            return None
        await asyncio.sleep(6 if request.path == "/8" else 0)
        return Response(PAGE)

    with site_of({"/*": answer, "/robots.txt": Server().robots}) as site:
        crawled = crawl([f"http://127.0.0.1:{site.port}/{n}" for n in range(9)])
    assert Counter(row["outcome"] for row in crawled.rows) == {"ok": 9}
    assert "answers more often than it is asked" in crawled.log
    assert "Traceback" not in crawled.log


@pytest.mark.parametrize("status", [404, 429, 503])
def test_a_status_is_not_lost_to_a_body_that_cannot_be_unpacked(
    crawl: Callable[..., Crawl], status: int
) -> None:
    """It says all there is to say, Retry-After included."""
    headers = [("Content-Encoding", "gzip"), ("Retry-After", "1")]
    server = Server(
        lambda request, n: Response(b"no gzip", status, headers) if n == 1 else Response(PAGE)
    )
    with site_of(server.routes) as site:
        row = crawl([f"http://127.0.0.1:{site.port}/"]).only()
    if status == 404:
        assert (row["outcome"], row["status"], row["error"]) == ("http_error", "404", "http-4xx")
    else:
        assert row["outcome"] == "ok"
        assert server.gaps()[0] > 0.9


def test_credentials_of_a_redirect_go_into_a_header(crawl: Callable[..., Crawl]) -> None:
    """Not into the URL of a robots.txt, and not into the row."""
    seen: list[str | None] = []

    def answer(request: Request, number: int) -> Response:
        if request.path == "/":
            target = f"http://me:s3cret@127.0.0.1:{site.port}/target"
            return Response(b"", 302, [("Location", target)])
        seen.append(request.headers.get("authorization"))
        return Response(PAGE)

    with site_of(Server(answer).routes) as site:
        row = crawl([f"http://127.0.0.1:{site.port}/"]).only()
    assert row["outcome"] == "ok"
    assert seen == ["Basic bWU6czNjcmV0"]
    assert "s3cret" not in str(row)
