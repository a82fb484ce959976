"""Nothing false looks true: half a page is no page, and no page is that of another URL."""

import asyncio
import gzip
import time
import zlib
from collections import Counter
from collections.abc import Callable

import brotli
import pytest
from crawling import Crawl, Server, crawl_list, needs_addresses, site_of

from urlcrawler.demo import names
from urlcrawler.demo.messages import HTML, Handler, Request, Response, head
from urlcrawler.handlers.trust import REST
from urlcrawler.unpacking import zstd

pytestmark = pytest.mark.usefixtures("handler")

PAGE = b"<!DOCTYPE html><title>Whole</title>" + b"<p>words and words</p>" * 1000
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}


def raw(answer: bytes, *, reset: bool = False) -> Handler:
    """Send these bytes and close, or reset, the connection."""

    async def send(request: Request) -> None:
        await request.connection.send(answer)
        if reset:
            await asyncio.sleep(0.1)  # a reset throws away what was not read yet
            request.connection.reset()

    return send


def packed(coding: str, body: bytes) -> Handler:
    """Answer with a body that says it is packed."""

    async def answer(request: Request) -> Response:
        assert coding in request.headers["accept-encoding"]
        return Response(body, 200, [("Content-Encoding", coding)])

    return answer


def damaged(coding: str) -> bytes:
    """Return PAGE with a wrong checksum."""
    options = {zstd.CompressionParameter.checksum_flag: 1}
    body = bytearray(
        zstd.compress(PAGE, options=options) if coding == "zstd" else PACKED[coding](PAGE)
    )
    body[-5 if coding == "gzip" else -1] ^= 1
    return bytes(body)


def flood(line: bytes, count: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + line * count + b"Content-Length: 2\r\n\r\nok"


WHOLE_HEAD = head(200, [("Content-Type", HTML)])
LENGTH = head(200, [("Content-Type", HTML), ("Content-Length", str(len(PAGE)))])
CHUNKED = head(200, [("Content-Type", HTML), ("Transfer-Encoding", "chunked")])
HINTS = b"HTTP/1.1 103 Early Hints\r\n\r\n"

ANSWERS: dict[str, tuple[Handler, str]] = {
    **{f"{name}-whole": (packed(name, pack(PAGE)), "") for name, pack in PACKED.items()},
    **{
        f"{name}-half": (packed(name, pack(PAGE)[:-9]), "truncated")
        for name, pack in PACKED.items()
    },
    **{
        f"{name}-damaged": (packed(name, damaged(name)), "decode")
        for name in PACKED
        if name != "br"
    },
    # 50 MB out of a few KB: unpacked no further than DOWNLOAD_MAXSIZE.
    **{
        f"{name}-bomb": (packed(name, pack(b" " * 50_000_000)), "too-large")
        for name, pack in PACKED.items()
    },
    "closed": (raw(WHOLE_HEAD + PAGE), ""),  # ends with the connection, as it did in HTTP/1.0
    "reset": (raw(WHOLE_HEAD + PAGE[:9000], reset=True), "truncated"),
    "length": (raw(LENGTH + PAGE), ""),
    "length-short": (raw(LENGTH + PAGE[:-1]), "truncated"),
    "length-reset": (raw(LENGTH + PAGE[:-1], reset=True), "truncated"),
    "chunks": (raw(CHUNKED + b"5\r\nabcde\r\n0\r\n\r\n"), ""),
    "chunks-without-last-line": (raw(CHUNKED + b"5\r\nabcde\r\n0\r\n"), "truncated"),
    "chunks-without-last": (raw(CHUNKED + b"5\r\nabcde\r\n"), "truncated"),
    "chunks-half": (raw(CHUNKED + b"5\r\nabc"), "truncated"),
    "chunks-bad": (raw(CHUNKED + b"5\r\nabcde\r\nzz\r\n0\r\n\r\n"), "truncated"),
    "no-content": (raw(head(204, [])), ""),
    "many-headers": (raw(flood(b"X-Header: value\r\n", 900)), ""),
    "too-many-headers": (raw(flood(b"X-Header: value\r\n", 2000)), "too-large"),
    "long-header": (raw(flood(b"X: " + b"v" * 100_000 + b"\r\n", 1)), ""),  # as some policies are
    "long-headers": (raw(flood(b"X: " + b"v" * 100_000 + b"\r\n", 3)), "too-large"),
    "endless-header": (raw(flood(b"X: " + b"v" * 10_000_000 + b"\r\n", 1)), "too-large"),
    "endless-line": (raw(b"HTTP/1.1 200 OK\r\n" + b"x" * 10_000_000), "too-large"),
    "endless-status": (raw(b"HTTP/1.1 " + b"2" * 10_000_000), "too-large"),
    "hints": (raw(HINTS * 3 + flood(b"", 0)), ""),
    "too-many-hints": (raw(HINTS * 2000 + flood(b"", 0)), "too-large"),
}


@pytest.fixture(scope="module")
def answered(handler: str, tmp_path_factory: pytest.TempPathFactory) -> Crawl:
    """The crawl of all of them."""
    routes = {f"/{name}": handler for name, (handler, _) in ANSWERS.items()}
    with site_of({**routes, "/robots.txt": Server().robots}) as site:
        lines = [f"http://127.0.0.1:{site.port}/{name}" for name in ANSWERS]
        return crawl_list(tmp_path_factory.mktemp("answers"), lines)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_part_is_never_a_page(answered: Crawl, name: str) -> None:
    """A body ends where the server says, or where it closes the connection; a stream where it
    ends; a head is bounded in bytes and lines. What may be whole the next time is asked for again.
    """
    row = next(row for row in answered.rows if row["url"].endswith(f"/{name}"))
    error = ANSWERS[name][1]
    assert row["error"] == error, row["reason"]
    assert row["attempts"] == ("4" if error in ("truncated", "decode") else "1")
    if name.endswith("-whole"):
        assert (row["title"], row["bytes"]) == ("Whole", str(len(PAGE)))
    if error:
        assert row["title"] == ""
    assert ("DOWNLOAD_HEAD_MAXSIZE" in row["reason"]) == (
        error == "too-large" and not name.endswith("-bomb")
    )


def test_a_page_that_was_cut_off_once_is_fetched_again(crawl: Callable[..., Crawl]) -> None:
    """What is truncated now may be whole in a second."""
    body = gzip.compress(PAGE)

    async def answer(request: Request) -> Response:
        part = body[: len(body) // 2] if request.visit() == 1 else body
        return Response(part, 200, [("Content-Encoding", "gzip")])

    with site_of({"/*": answer, "/robots.txt": Server().robots}) as site:
        row = crawl([f"http://127.0.0.1:{site.port}/"]).only()
    assert (row["outcome"], row["title"], row["attempts"]) == ("ok", "Whole", "2")


def titled(path: str) -> bytes:
    body = f"<!DOCTYPE html><title>{path}</title>".encode()
    return head(200, [("Content-Type", HTML), ("Content-Length", str(len(body)))]) + body


# Seconds until a second answer comes, and from which page on. A server that has behaved for all the
# time that it was watched, and begins then with answers that are later than REST, is believed.
LATE = [
    (delay, first)
    for delay in (0.0, 0.05, 0.2, 0.5, 1.0, 3.0)
    for first in (1, 10, 100)
    if first < 100 or delay < REST
]


@needs_addresses
def test_an_answer_that_nobody_asked_for_is_nobodys_page(crawl: Callable[..., Crawl]) -> None:
    """Each answer is followed by another one, on a connection that stays open."""
    hosts = {names.shop(n): variant for n, variant in enumerate(LATE, 1)}
    counts: Counter[str] = Counter()

    async def answer(request: Request) -> Response | None:
        delay, first = hosts[request.host]
        counts[request.host] += 1
        await asyncio.sleep(0.25)
        own, late = titled(request.path), titled("late")
        if counts[request.host] < first:
            return Response(own.split(b"\r\n\r\n")[1])
        await request.connection.send(own + (b"" if delay else late))
        await asyncio.sleep(delay)
        await request.connection.send(late)
        return None

    addresses = [names.address_of(host) for host in hosts]
    with site_of({"/*": answer, "/robots.txt": Server().robots}, *addresses) as site:
        lines = [f"http://{host}:{site.port}/{n}" for n in range(110) for host in hosts]
        words = ("-s", "CONCURRENT_REQUESTS_PER_DOMAIN=2", "-s", "AUTOTHROTTLE_ENABLED=0")
        crawled = crawl(lines, *words)
    wrong = [
        (row["url"], row["title"]) for row in crawled.rows if not row["url"].endswith(row["title"])
    ]
    assert wrong == []
    assert Counter(row["outcome"] for row in crawled.rows) == {"ok": 110 * len(LATE)}


def test_an_answer_that_comes_with_the_end_of_another_is_nobodys_page(
    crawl: Callable[..., Crawl],
) -> None:
    """The head first, then the end of the body and a second answer in one piece."""

    async def answer(request: Request) -> None:
        own = titled(request.path)
        await request.connection.send(own[:-10])
        await asyncio.sleep(0.02)
        await request.connection.send(own[-10:] + titled("late"))
        await asyncio.sleep(10)  # the connection stays open

    with site_of({"/*": answer, "/robots.txt": Server().robots}) as site:
        words = ("-s", "AUTOTHROTTLE_ENABLED=0", "-s", "CONCURRENT_REQUESTS_PER_DOMAIN=4")
        words = (*words, "-s", "DOWNLOAD_DELAY=0.08")  # for longer than origins are watched
        crawled = crawl([f"http://127.0.0.1:{site.port}/{n}" for n in range(80)], *words)
    assert all(row["url"].endswith(row["title"]) for row in crawled.rows)
    assert Counter(row["outcome"] for row in crawled.rows) == {"ok": 80}
    assert "answers more often than it is asked" in crawled.log


def test_what_is_cut_off_is_asked_for_as_often_as_the_row_says(
    crawl: Callable[..., Crawl],
) -> None:
    """No handler asks again by itself: not after a disconnect, and not for half a body."""
    asked: Counter[str] = Counter()

    async def answer(request: Request) -> None:
        asked[request.path] += 1
        if request.path == "/half":
            await request.connection.send(LENGTH + PAGE[:-1])

    with site_of({"/*": answer, "/robots.txt": Server().robots}) as site:
        lines = [f"http://127.0.0.1:{site.port}/{name}" for name in ("half", "drop")]
        crawled = crawl(lines)
    assert [row["error"] for row in crawled.rows] == ["truncated", "reset"]
    assert asked == {"/half": 4, "/drop": 4}
    assert {row["attempts"] for row in crawled.rows} == {"4"}


@pytest.mark.parametrize("status", [204, 304])
def test_what_has_no_body_may_say_how_long_it_would_be(
    crawl: Callable[..., Crawl], status: int
) -> None:
    """A page of 20 MB that has not changed is not too large."""
    data = b"HTTP/1.1 %d No\r\nContent-Length: 20000000\r\n\r\n" % status
    with site_of({"/*": raw(data), "/robots.txt": Server().robots}) as site:
        row = crawl([f"http://127.0.0.1:{site.port}/"]).only()
    assert (row["status"], row["error"]) == (str(status), "")


def test_connections_are_used_again(crawl: Callable[..., Crawl]) -> None:
    """When the first ones have been silent for as long as they were watched."""
    first_used: dict[object, float] = {}
    times: list[float] = []

    async def answer(request: Request) -> Response:
        times.append(time.monotonic())
        first_used.setdefault(request.connection, times[-1])
        await asyncio.sleep(0.1)
        return Response(titled(request.path).split(b"\r\n\r\n")[1])

    with site_of({"/*": answer, "/robots.txt": Server().robots}) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(450)]
        crawled = crawl(lines, "-s", "CONCURRENT_REQUESTS_PER_DOMAIN=4")
    assert Counter(row["outcome"] for row in crawled.rows) == {"ok": 450}
    late = times[-1] - 2
    assert sum(when > late for when in times) > 40
    assert sum(when > late for when in first_used.values()) < 15


def test_connections_that_are_closed_early_ring_no_more(crawl: Callable[..., Crawl]) -> None:
    """The crawl goes on for longer than an idle connection is kept, and says nothing about it."""

    async def answer(request: Request) -> Response | None:
        if request.path != "/8":
            await request.connection.send(titled(request.path))
            await asyncio.sleep(0.1)
            await request.connection.send(titled("late"))
            return None
        await asyncio.sleep(6)
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
