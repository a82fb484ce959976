"""What browsers take for a page is one; what they do not is said, and costs no other page."""

import re
from collections.abc import Callable

import pytest
from crawling import Crawl, Server, crawl_list, site_of

from urlcrawler.demo import names
from urlcrawler.demo.messages import Handler, Request

pytestmark = pytest.mark.usefixtures("handler")

BODY = b"<title>Odd</title>"
LENGTH = b"Content-Length: %d" % len(BODY)
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
OK = b"HTTP/1.1 200 OK"
TRANSFER = b"Transfer-Encoding: "


def answer(*lines: bytes, body: bytes = BODY) -> bytes:
    return b"\r\n".join([*lines, b"", body])


def chunked(body: bytes) -> bytes:
    return answer(OK, TRANSFER + b"chunked", body=body)


SIZE = b"%x" % len(BODY)
PAGES = {
    "plain": answer(OK, LENGTH),
    "no-reason": answer(b"HTTP/1.1 200", LENGTH),
    "space-for-a-reason": answer(b"HTTP/1.1 200 ", LENGTH),
    "line-feeds": answer(OK, LENGTH).replace(b"\r\n", b"\n"),
    "some-line-feeds": OK + b"\r\n" + LENGTH + b"\n\r\n" + BODY,
    "http-1.0": answer(b"HTTP/1.0 200 OK", LENGTH),
    "http-2": answer(b"HTTP/2 200", LENGTH),
    "http-1": answer(b"HTTP/1 200 OK", LENGTH),
    "http-3.7": answer(b"HTTP/3.7 200 OK", LENGTH),
    "http": answer(b"HTTP 200 OK", LENGTH),
    "lower-case": answer(b"http/1.1 200 ok", LENGTH),
    "icy": answer(b"ICY 200 OK", LENGTH),
    "spaces": answer(b"HTTP/1.1  200  OK", LENGTH),
    "tabs": answer(b"HTTP/1.1\t200\tOK", LENGTH),
    "glued": answer(b"HTTP/1.1 200OK", LENGTH),
    "empty-line-before": b"\r\n" + answer(OK, LENGTH),
    "empty-lines-before": b"\r\n\n\r\n" + answer(OK, LENGTH),
    "bytes-before": b"xx" + answer(OK, LENGTH),
    "space-before": b" " + answer(OK, LENGTH),
    "byte-order-mark": b"\xef\xbb\xbf" + answer(OK, LENGTH),
    "header-without-colon": answer(OK, b"what is this", LENGTH),
    "html-among-the-headers": answer(OK, b"<html>", LENGTH),
    "space-before-the-colon": answer(OK, b"Content-Length : %d" % len(BODY)),
    "space-before-a-header": answer(OK, b" X: y", LENGTH),
    "folded": answer(OK, b"X: y", b"  z", LENGTH),
    "folded-length": answer(OK, b"Content-Length:", b" %d" % len(BODY)),
    "header-without-name": answer(OK, b": y", LENGTH),
    "nul-in-a-header": answer(OK, b"X: a\0b", LENGTH),
    "nul-in-a-name": answer(OK, b"X\0: y", LENGTH),
    "latin-1": answer(OK, b"X: \xe9", LENGTH),
    "carriage-return": answer(OK, b"X: a\rb", LENGTH),
    "length-twice": answer(OK, LENGTH, LENGTH),
    "length-in-a-list": answer(OK, b"Content-Length: %d, %d" % (len(BODY), len(BODY))),
    "length-with-zeros": answer(OK, b"Content-Length: 000%d" % len(BODY)),
    "length-negative": answer(OK, b"Content-Length: -1"),
    "length-with-a-sign": answer(OK, b"Content-Length: +%d" % len(BODY)),
    "length-in-hex": answer(OK, b"Content-Length: 0x12"),
    "length-and-more": answer(OK, LENGTH + b"abc"),
    "length-as-text": answer(OK, b"Content-Length: abc"),
    "length-empty": answer(OK, b"Content-Length:"),
    "length-in-two": answer(OK, b"Content-Length: 1 8"),
    "length-as-a-fraction": answer(OK, LENGTH + b".0"),
    "no-length": answer(OK),
    "close": answer(OK, b"Connection: close"),
    "more-than-its-length": answer(OK, LENGTH) + b"more",
    "chunked-and-length": answer(OK, TRANSFER + b"chunked", b"Content-Length: 5", body=CHUNKS),
    "chunked-in-upper-case": answer(OK, TRANSFER + b"CHUNKED", body=CHUNKS),
    "chunked-twice": answer(OK, *[TRANSFER + b"chunked"] * 2, body=CHUNKS),
    "chunked-twice-in-a-line": answer(OK, TRANSFER + b"chunked, chunked", body=CHUNKS),
    "chunked-after-identity": answer(
        OK, TRANSFER + b"identity", TRANSFER + b"chunked", body=CHUNKS
    ),
    "chunked-by-http-1.0": answer(b"HTTP/1.0 200 OK", TRANSFER + b"chunked", body=CHUNKS),
    "identity": answer(OK, TRANSFER + b"identity", LENGTH),
    "transfer-unknown": answer(OK, TRANSFER + b"xchunked", LENGTH),
    "transfer-empty": answer(OK, TRANSFER, LENGTH),
    "chunk-extension": chunked(SIZE + b";a=b\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "chunk-zeros": chunked(b"000" + SIZE + b"\r\n" + BODY + b"\r\n000\r\n\r\n"),
    "chunk-trailer": chunked(SIZE + b"\r\n" + BODY + b"\r\n0\r\nX: y\r\n\r\n"),
    "continue-first": b"HTTP/1.1 100 Continue\r\n\r\n" + answer(OK, LENGTH),
    "hints-first": b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer(OK, LENGTH),
    "encoding-unknown": answer(OK, b"Content-Encoding: foo", LENGTH),
    "encoding-identity": answer(OK, b"Content-Encoding: identity", LENGTH),
    "encoding-empty": answer(OK, b"Content-Encoding:", LENGTH),
    "type-nonsense": answer(OK, b"Content-Type: ;;;=\xff", LENGTH),
    "target-of-a-page": answer(OK, b"Location: /elsewhere", LENGTH),
}
NO_PAGES = {
    "junk-line-before": (b"junk\r\n" + answer(OK, LENGTH), "protocol"),
    "no-head": (BODY, "reset"),
    "status-0": (answer(b"HTTP/1.1 000 X", LENGTH), "protocol"),
    "status-99": (answer(b"HTTP/1.1 99 X", LENGTH), "protocol"),
    "status-1000": (answer(b"HTTP/1.1 1000 X", LENGTH), "protocol"),
    "status-negative": (answer(b"HTTP/1.1 -200 X", LENGTH), "protocol"),
    "status-with-a-sign": (answer(b"HTTP/1.1 +200 X", LENGTH), "protocol"),
    "status-with-letters": (answer(b"HTTP/1.1 2OO OK", LENGTH), "protocol"),
    "status-in-arabic": (answer("HTTP/1.1 ٢٠٠ OK".encode(), LENGTH), "protocol"),
    "status-600": (answer(b"HTTP/1.1 600 X", LENGTH), "http-5xx"),
    "lengths-that-differ": (answer(OK, LENGTH, b"Content-Length: 5"), "protocol"),
    "length-beyond-measure": (answer(OK, b"Content-Length: " + b"9" * 20), "too-large"),
    "chunk-with-0x": (chunked(b"0x12\r\n" + BODY + b"\r\n0\r\n\r\n"), "truncated"),
    "chunk-with-a-sign": (chunked(b"+12\r\n" + BODY + b"\r\n0\r\n\r\n"), "truncated"),
    "chunk-negative": (chunked(b"-12\r\n" + BODY + b"\r\n0\r\n\r\n"), "truncated"),
    "chunk-with-an-underscore": (chunked(b"1_2\r\n" + BODY + b"\r\n0\r\n\r\n"), "truncated"),
    "chunk-beyond-measure": (chunked(b"f" * 18 + b"\r\n" + BODY), "truncated"),
    "chunk-without-an-end": (chunked(SIZE + b"\r\n" + BODY + b"0\r\n\r\n"), "truncated"),
    "chunk-extension-without-end": (chunked(SIZE + b";" + b"a" * 100_000), "truncated"),
    "switching-protocols": (answer(b"HTTP/1.1 101 X", LENGTH), "protocol"),
    "half-a-head": (OK + b"\r\n", "reset"),
    "half-a-line": (b"HTTP/1.", "reset"),
    "nothing": (b"", "reset"),
    "tls-alert": (b"\x15\x03\x01\x00\x02\x02\x46", "reset"),
    "ssh": (b"SSH-2.0-OpenSSH_9\r\n", "protocol"),
    "smtp": (b"220 mail ESMTP\r\n", "protocol"),
    "zeros": (bytes(5000), "reset"),
    "binary": (bytes(range(256)) * 20, "protocol"),
}


def send(data: bytes) -> Handler:
    async def send(request: Request) -> None:
        await request.connection.send(data)

    return send


@pytest.fixture(scope="module")
def odd(handler: str, tmp_path_factory: pytest.TempPathFactory) -> Crawl:
    """The crawl of all of them, each of an origin of its own, which may be known by one of them."""
    answers = PAGES | {name: data for name, (data, _) in NO_PAGES.items()}
    routes = {f"/{name}": send(data) for name, data in answers.items()}
    hosts = {name: names.shop(n) for n, name in enumerate(answers, 1)}
    addresses = {names.address_of(host) for host in hosts.values()}
    with site_of({**routes, "/robots.txt": Server().robots}, *addresses) as site:
        lines = [f"http://{hosts[name]}:{site.port}/{name}" for name in answers]
        words = ("-s", "RETRY_TIMES=0", "-s", "DOWNLOAD_TIMEOUT=5")
        return crawl_list(tmp_path_factory.mktemp("odd"), lines, *words)


def row_of(crawled: Crawl, name: str) -> dict[str, str]:
    return next(row for row in crawled.rows if row["url"].endswith(f"/{name}"))


@pytest.mark.parametrize("name", PAGES)
def test_what_a_browser_shows_is_a_page(odd: Crawl, name: str) -> None:
    """Whatever is wrong about it: the whole body, and nothing but the body."""
    row = row_of(odd, name)
    assert (row["outcome"], row["status"], row["bytes"]) == ("ok", "200", str(len(BODY)))


@pytest.mark.parametrize("name", NO_PAGES)
def test_what_it_does_not_show_is_none(odd: Crawl, name: str) -> None:
    """And the row says why; in no case with words out of a library."""
    row = row_of(odd, name)
    assert row["error"] == NO_PAGES[name][1]
    assert not re.search(r"[a-z]Error|Exception|\bNone\b|twisted", row["reason"])


def test_all_of_them_have_their_row(odd: Crawl) -> None:
    """N in, N out, and no traceback."""
    assert len(odd.rows) == len(PAGES) + len(NO_PAGES)
    assert (odd.exit_code, "Traceback" in odd.log) == (0, False)


@pytest.mark.parametrize("status", [204, 304])
def test_what_has_no_body_ends_with_its_head(crawl: Callable[..., Crawl], status: int) -> None:
    """Even when there is one."""
    data = answer(b"HTTP/1.1 %d No" % status, LENGTH)
    with site_of({"/*": send(data), "/robots.txt": Server().robots}) as site:
        row = crawl([f"http://127.0.0.1:{site.port}/"]).only()
    assert (row["status"], row["error"]) == (str(status), "")
