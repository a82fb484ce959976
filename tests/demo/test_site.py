"""Check that the local site does what its table of routes says, also where that is to misbehave."""

import asyncio
import errno
import gzip
import http.client
import json
import signal
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest

from urlcrawler.demo import names
from urlcrawler.demo.routes import ROUTES
from urlcrawler.demo.site import Request, Response, Site, listen

ROOT = Path(__file__).parents[2]
TIMEOUT = 3  # seconds for any one wait: a broken site must fail a test, not hang it
HTML = "text/html; charset=utf-8"
EVERYWHERE = "0.0.0.0"

many_addresses = pytest.mark.skipif(
    not names.answers_everywhere(), reason="this machine answers on 127.0.0.1 only, as macOS does"
)

T = TypeVar("T")


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def on_site(talk: Callable[[Site], T], routes: Mapping[str, Any] = ROUTES, **arguments: Any) -> T:
    """Start a site, talk to it from a thread, close it, and return what the talk returned."""

    async def main() -> T:
        site = Site(routes, **arguments)
        await site.start()
        try:
            return await asyncio.to_thread(talk, site)
        finally:
            await site.close()

    return asyncio.run(main())


def ask(site: Site, target: str, host: str = "127.0.0.1", **options: Any) -> Answer:
    """Send one request on a connection of its own."""
    with closing(http.client.HTTPConnection(host, site.port, timeout=TIMEOUT)) as connection:
        return ask_on(connection, target, **options)


def ask_on(
    connection: http.client.HTTPConnection, target: str, method: str = "GET", **options: Any
) -> Answer:
    """Send one request on an open connection."""
    connection.request(method, target, **options)
    response = connection.getresponse()
    return Answer(response.status, response.headers, response.read())


def get(target: str, **options: Any) -> Answer:
    """Ask a fresh site for one target."""
    return on_site(lambda site: ask(site, target, **options))


@contextmanager
def dial(site: Site, sent: bytes) -> Iterator[socket.socket]:
    """Open a connection and send these bytes."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=TIMEOUT) as sock:
        sock.sendall(sent)
        yield sock


def read_all(sock: socket.socket) -> bytes:
    """Read until the server closes."""
    return b"".join(iter(lambda: sock.recv(65536), b""))


def read_until(error: type[OSError], sock: socket.socket) -> bytes:
    """Read until this error ends it."""
    raw = b""
    try:
        while piece := sock.recv(65536):
            raw += piece
    except error:
        return raw
    pytest.fail(f"closed after {len(raw)} bytes, without {error.__name__}")


def head_of(path: str) -> bytes:
    """Return a GET as it goes over the wire."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def exchange(sent: bytes) -> bytes:
    """Send bytes to a fresh site and read until it closes."""

    def talk(site: Site) -> bytes:
        with dial(site, sent) as sock:
            return read_all(sock)

    return on_site(talk)


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds, for a limited time."""
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.005)


# The table


@pytest.mark.parametrize(
    ("target", "status", "content_type", "fact"),
    [
        ("/robots.txt", 200, "text/plain", b"User-agent: *\nDisallow: /private/\n"),
        ("/", 200, HTML, b'<h1 class="name">Product Home</h1>'),
        ("/ok", 200, HTML, b"<title>OK</title>"),
        ("/page/1", 200, HTML, b"<title>Product 1</title>"),
        ("/page/1", 200, HTML, b'<p class="price">'),
        ("/page/1", 200, HTML, b'<p class="sku">SKU-'),
        ("/page/caf%C3%A9", 200, HTML, "<title>Product café</title>".encode()),
        ("/slow?delay=0.01", 200, HTML, b"<title>Product slow</title>"),
        ("/private/secret", 200, HTML, b"<title>Secret</title>"),
        ("/%C3%A9", 200, HTML, "<title>é</title>".encode()),
        ("/nowhere", 404, HTML, b"Not found"),
        ("/status/200", 200, HTML, b"Status 200"),
        ("/status/204", 204, HTML, b""),
        ("/status/304", 304, HTML, b""),
        ("/status/418", 418, HTML, b"Status 418"),
        ("/status/599", 599, HTML, b"Status 599"),
        ("/status/600", 404, HTML, b"Not found"),
        ("/status/x", 404, HTML, b"Not found"),
        ("/blocked", 403, HTML, b"Just a moment..."),
        ("/latin1", 200, "text/html; charset=iso-8859-1", b"<title>Caf\xe9</title>"),
        ("/wrong-charset", 200, HTML, b"<title>Caf\xe9</title>"),
        ("/no-charset", 200, "text/html", "<title>Café 漢字</title>".encode()),
        ("/meta-charset", 200, "text/html", '<meta charset="windows-1251">'.encode("cp1251")),
        ("/meta-charset", 200, "text/html", "<title>Привет</title>".encode("cp1251")),
        ("/shift-jis", 200, "text/html; charset=shift_jis", "日本語".encode("shift_jis")),
        ("/utf16", 200, "text/html", "Café 漢字".encode("utf-16-le")),
        ("/quotes", 200, HTML, b"<title>He said \"one, two\",\n\tand 'three'</title>"),
        ("/formula", 200, HTML, b"<title>=1+1</title>"),
        ("/nul", 200, HTML, b"<title>before\0after</title>"),
        ("/surrogate", 200, HTML, b"<title>before&#xD800;after</title>"),
        ("/emoji", 200, HTML, "🫖".encode()),
        ("/pdf", 200, "application/pdf", b"%PDF-1.4"),
        ("/image", 200, "image/png", b"\x89PNG\r\n\x1a\n"),
        ("/json", 200, "application/json", b'{"name": "Kettle", "price": 19.9}'),
        ("/xml", 200, "application/xml", b"<name>Kettle</name>"),
        ("/plain", 200, "text/plain", b"Just text\n"),
        ("/empty", 200, HTML, b""),
        ("/javascript", 200, HTML, b'<div id="app"></div>'),
        ("/no-title", 200, HTML, b"<p>Hello</p>"),
        ("/many-attributes?n=3", 200, HTML, b"<p a0=1 a1=1 a2=1>"),
        ("/header-bytes", 200, HTML, b"</html>"),
    ],
)
def test_a_route_answers_as_the_table_says(
    target: str, status: int, content_type: str, fact: bytes
) -> None:
    """Every well-formed route has this status, this type, and this in its body."""
    answer = get(target)
    assert (answer.status, answer.headers["Content-Type"]) == (status, content_type)
    assert fact in answer.body


@pytest.mark.parametrize("target", ["/empty", "/status/204", "/status/304"])
def test_an_empty_answer_has_no_body(target: str) -> None:
    """Not one byte follows the head, so the next answer on the connection stays readable."""
    raw = exchange(head_of(target)[:-2] + b"Connection: close\r\n\r\n")
    assert raw.endswith(b"\r\n\r\n")
    assert raw.count(b"\r\n\r\n") == 1


def test_a_page_without_a_title_has_none() -> None:
    """The tag is missing altogether, not empty."""
    assert b"<title" not in get("/no-title").body


def test_a_page_in_utf16_starts_with_a_byte_order_mark() -> None:
    """Nothing else says what the encoding is."""
    assert get("/utf16").body.startswith(b"\xff\xfe<\0")


def test_a_page_depends_on_its_path_only() -> None:
    """Two sites give the same bytes for one path, and other bytes for another path."""
    first, again, other = get("/page/7").body, get("/page/7").body, get("/page/8").body
    assert first == again
    assert first != other


@pytest.mark.parametrize(("target", "size"), [("/page/1", 20_000), ("/page/1?size=1234", 1234)])
def test_a_page_has_the_size_asked_for(target: str, size: int) -> None:
    """A page has 20,000 bytes, or exactly as many as `?size=` says."""
    assert len(get(target).body) == size


def test_a_huge_page_has_the_megabytes_asked_for() -> None:
    """A page of N MiB announces its length and keeps to it."""
    answer = get("/huge?mb=2")
    assert len(answer.body) == int(answer.headers["Content-Length"]) == 2 * 1024 * 1024


def test_a_chunked_page_is_a_page() -> None:
    """A correctly chunked answer has no Content-Length and arrives whole."""
    answer = get("/chunked")
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert len(answer.body) == 20_000


def test_a_dripping_page_takes_as_long_as_it_is_told() -> None:
    """The body is spread over `?seconds=`, and complete."""
    start = time.monotonic()
    assert len(get("/drip?seconds=0.3").body) == 20_000
    assert time.monotonic() - start >= 0.3


@pytest.mark.parametrize("target", ["/page/1?delay=0.2", "/nowhere?delay=0.2", "/drop?delay=0.2"])
def test_any_answer_can_be_delayed(target: str) -> None:
    """`?delay=` counts in seconds, on routes that answer and on others."""
    start = time.monotonic()
    exchange(head_of(target)[:-2] + b"Connection: close\r\n\r\n")
    assert time.monotonic() - start >= 0.2


@pytest.mark.parametrize("value", ["", "x", "nan", "-1"])
def test_a_delay_that_makes_no_sense_is_ignored(value: str) -> None:
    """A delay that is not a number of seconds does not stop the answer."""
    assert get(f"/ok?delay={value}").status == 200


@pytest.mark.parametrize(
    ("encoding", "unpack"), [("gzip", gzip.decompress), ("deflate", zlib.decompress)]
)
def test_a_compressed_page_can_be_unpacked(encoding: str, unpack: Callable[[bytes], bytes]) -> None:
    """/gzip and /deflate are what their Content-Encoding says."""
    answer = get(f"/{encoding}")
    assert answer.headers["Content-Encoding"] == encoding
    assert b"<title>Packed</title>" in unpack(answer.body)


def test_retry_after_is_what_the_query_says() -> None:
    """`?retry_after=` becomes the header, whatever its form."""
    assert get("/status/429?retry_after=7").headers["Retry-After"] == "7"


def test_a_page_that_did_not_change_is_a_304() -> None:
    """A client that sends the ETag back gets no body."""
    assert get("/etag").headers["ETag"] == '"v1"'
    assert get("/etag", headers={"If-None-Match": '"v1"'}).status == 304


# Routes with a memory


def test_a_flaky_page_fails_as_often_as_it_is_told() -> None:
    """503 the first N times for one target, then 200."""
    statuses = on_site(lambda site: [ask(site, "/flaky/1?times=2").status for _ in range(4)])
    assert statuses == [503, 503, 200, 200]


def test_a_limited_page_is_refused_once_per_target() -> None:
    """429 with Retry-After: 1 the first time that each target is asked for, then 200."""

    def talk(site: Site) -> list[tuple[int, str | None]]:
        answers = [ask(site, f"/limited/{name}") for name in ("a", "b", "a", "b")]
        return [(answer.status, answer.headers["Retry-After"]) for answer in answers]

    assert on_site(talk) == [(429, "1"), (429, "1"), (200, None), (200, None)]


def test_sites_do_not_share_their_memory() -> None:
    """What one site remembers is forgotten with it."""
    assert [get("/limited/a").status, get("/limited/a").status] == [429, 429]


# Redirects


def test_a_redirect_has_the_hops_asked_for() -> None:
    """/redirect/3 leads in three steps to the target, query and all."""

    def talk(site: Site) -> list[str]:
        locations = ["/redirect/3?to=%2Fpage%2F2%3Fa%3Db%26c"]
        while len(locations) < 4:
            answer = ask(site, locations[-1])
            assert answer.status == 302
            locations.append(answer.headers["Location"])
        return locations

    assert on_site(talk)[-1] == "/page/2?a=b&c"


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/redirect/1", "/page/1"),
        ("/redirect/1?to=http%3A%2F%2F127.1.0.1%3A8%2Fok", "http://127.1.0.1:8/ok"),
        ("/redirect/1?to=%C3%A9", "%C3%A9"),
        ("/loop", "/loop"),
        ("/redirect-file", "file:///etc/passwd"),
        ("/redirect-bad", "http://[::1"),
        ("/redirect-nowhere", None),
    ],
)
def test_a_redirect_leads_where_the_table_says(target: str, location: str | None) -> None:
    """Every redirect is a 302 with this Location, or with none."""
    answer = get(target)
    assert (answer.status, answer.headers["Location"]) == (302, location)


# HTTP


def test_a_connection_serves_more_than_one_request() -> None:
    """HTTP/1.1 keeps the connection open, over answers of every well-formed kind."""

    def talk(site: Site) -> list[int]:
        with closing(http.client.HTTPConnection("127.0.0.1", site.port, timeout=3)) as connection:
            connection.connect()
            sock = connection.sock
            targets = ["/ok", "/status/204", "/chunked", "/huge?mb=1", "/nowhere", "/gzip"]
            statuses = [ask_on(connection, target).status for target in targets]
            assert connection.sock is sock
        return statuses

    assert on_site(talk) == [200, 204, 200, 200, 404, 200]


def test_a_connection_is_closed_when_the_client_says_so() -> None:
    """`Connection: close` ends the connection after the answer, and the answer says it."""
    raw = exchange(b"GET /ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert b"\r\nConnection: close\r\n" in raw
    assert raw.endswith(b"</html>\n")


def test_an_http_1_0_client_gets_its_connection_closed() -> None:
    """HTTP/1.0 without keep-alive means one request per connection."""
    assert exchange(b"GET /ok HTTP/1.0\r\n\r\n").endswith(b"</html>\n")


def test_pipelined_requests_are_answered_in_order() -> None:
    """Three requests in one packet get three answers, the slow first one first."""
    raw = exchange(
        head_of("/page/1?delay=0.1&size=0")
        + head_of("/json")
        + b"GET /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    places = [raw.index(text) for text in (b"Product 1", b"Kettle", b"Just text")]
    assert places == sorted(places)


def test_a_client_that_sends_far_ahead_is_answered_in_the_end() -> None:
    """5,000 pipelined requests, more than the site keeps in memory, get 5,000 answers."""
    ahead = head_of("/status/204?" + "x" * 100)
    last = b"GET /ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    raw = exchange(head_of("/ok?delay=0.1") + ahead * 5_000 + last)
    assert raw.count(b"HTTP/1.1 204 No Content\r\n") == 5_000
    assert raw.endswith(b"</html>\n")


@pytest.mark.parametrize("path", ["/page/1", "/chunked", "/huge", "/status/404"])
def test_head_gets_the_head_alone(path: str) -> None:
    """HEAD has the headers of GET and no body."""
    raw = exchange(f"HEAD {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    assert raw.endswith(b"\r\n\r\n")
    assert b"\r\nContent-Length: " in raw or b"\r\nTransfer-Encoding: chunked" in raw


def test_the_body_of_a_request_is_skipped() -> None:
    """A POST is answered, and its body is not taken for the next request."""

    def talk(site: Site) -> list[int]:
        with closing(http.client.HTTPConnection("127.0.0.1", site.port, timeout=3)) as connection:
            post = ask_on(connection, "/ok", "POST", body=b"GET /x HTTP/1.1\r\n\r\n" * 20_000)
            return [post.status, ask_on(connection, "/ok").status, site.counts.total()]

    assert on_site(talk) == [200, 200, 2]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"hello\r\n\r\n", b"400"),
        (b"GET /ok HTTP/2\r\n\r\n", b"400"),
        (b"GET /ok HTTP/1.1\r\nno colon\r\n\r\n", b"400"),
        (b"GET /ok HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"400"),
        (b"GET /ok HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n", b"413"),
        (b"x" * 65536, b"431"),
    ],
)
def test_a_broken_client_is_refused(sent: bytes, status: bytes) -> None:
    """A request that cannot be read gets its status and no second chance."""
    assert exchange(sent).startswith(b"HTTP/1.1 " + status + b" ")


def test_a_request_may_arrive_in_pieces() -> None:
    """A head that arrives byte by byte is one request."""

    def talk(site: Site) -> bytes:
        with dial(site, b"") as sock:
            for byte in head_of("/ok"):
                sock.sendall(bytes([byte]))
            return sock.recv(65536)

    assert on_site(talk).startswith(b"HTTP/1.1 200 OK\r\n")


def test_raw_utf8_in_a_path_is_understood() -> None:
    """A client that does not percent-encode gets the same page."""
    raw = exchange("GET /é HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    assert raw.startswith(b"HTTP/1.1 200 OK\r\n")


def test_the_longest_prefix_wins() -> None:
    """An exact path beats a prefix, and a longer prefix beats a shorter one."""

    def named(name: str) -> Callable[[Request], Any]:
        async def handler(request: Request) -> Response:
            return Response(name.encode())

        return handler

    routes = {key: named(key) for key in ("/a/*", "/a/b/*", "/a/b/c")}
    targets = ["/a/x", "/a/b/x", "/a/b/c", "/a/b/cc"]
    bodies = on_site(lambda site: [ask(site, target).body for target in targets], routes)
    assert bodies == [b"/a/*", b"/a/b/*", b"/a/b/c", b"/a/b/*"]


def test_a_handler_sees_the_request() -> None:
    """Method, target, path, query, host and headers arrive decoded."""
    seen: list[Request] = []

    async def handler(request: Request) -> Response:
        seen.append(request)
        return Response()

    def talk(site: Site) -> None:
        ask(site, "/%C3%A9?a=1&a=2&b=%26", headers={"X-One": "1", "Host": "A.Test:80"})

    on_site(talk, {"/é": handler})
    request = seen[0]
    assert (request.method, request.target, request.path) == ("GET", "/%C3%A9?a=1&a=2&b=%26", "/é")
    assert (request.query, request.host) == ({"a": "2", "b": "&"}, "a.test")
    assert request.headers["x-one"] == "1"


def test_a_handler_that_fails_is_a_500(caplog: pytest.LogCaptureFixture) -> None:
    """A bug in a route is an answer and a log line, and the site goes on."""

    async def handler(request: Request) -> Response:
        raise RuntimeError("bug")

    statuses = on_site(
        lambda site: [ask(site, "/bug").status, ask(site, "/x").status], {"/bug": handler}
    )
    assert statuses == [500, 404]
    assert "The handler of /bug failed" in caplog.text


def test_a_proxied_request_names_its_host_in_the_target() -> None:
    """`GET http://a.test/ok`, as a proxy gets it, is /ok on a.test."""

    def talk(site: Site) -> dict[tuple[str, str], int]:
        sent = b"GET http://a.test/ok HTTP/1.1\r\nHost: b.test\r\nConnection: close\r\n\r\n"
        with dial(site, sent) as sock:
            read_all(sock)
        return dict(site.counts)

    assert on_site(talk) == {("a.test", "/ok"): 1}


# Counters


@many_addresses
def test_requests_are_counted_by_host_and_path() -> None:
    """/__stats__ shows every request, by the host it named, and does not count itself."""

    def talk(site: Site) -> Any:
        for target, host in [("/ok", "127.0.0.1"), ("/ok?a", "127.0.0.1"), ("/x", "127.0.0.2")]:
            ask(site, target, host)
        ask(site, "/__stats__")
        return json.loads(ask(site, "/__stats__").body)

    assert on_site(talk, hosts=["127.0.0.1", "127.0.0.2"]) == {
        "requests": {"127.0.0.1 /ok": 2, "127.0.0.2 /x": 1},
        "total": 3,
        "peak": {"127.0.0.1": 1, "127.0.0.2": 1},
    }


def test_the_peak_is_what_was_in_flight_together() -> None:
    """Three requests at once are a peak of three, also after a quieter time."""

    def talk(site: Site) -> tuple[int, int]:
        with dial(site, head_of("/never")), dial(site, head_of("/never")):
            with dial(site, head_of("/never")):
                wait_for(lambda: site.in_flight["127.0.0.1"] == 3)
            wait_for(lambda: site.in_flight["127.0.0.1"] == 2)
        wait_for(lambda: site.in_flight["127.0.0.1"] == 0)
        ask(site, "/ok")
        return site.peak_in_flight["127.0.0.1"], site.counts["127.0.0.1", "/never"]

    assert on_site(talk) == (3, 3)


@pytest.mark.parametrize("path", ["/never", "/ok?delay=30", "/stall-body", "/drip?seconds=30"])
def test_a_client_that_leaves_is_no_longer_in_flight(path: str) -> None:
    """A request ends when its client gives up, not when its answer would have been ready."""

    def talk(site: Site) -> None:
        with dial(site, head_of(path)):
            wait_for(lambda: site.in_flight["127.0.0.1"] == 1)
        wait_for(lambda: site.in_flight["127.0.0.1"] == 0)

    on_site(talk)


# Routes that misbehave


def test_never_answers_nothing() -> None:
    """/never keeps the connection open and silent."""

    def talk(site: Site) -> None:
        with dial(site, head_of("/never")) as sock:
            sock.settimeout(0.2)
            assert read_until(TimeoutError, sock) == b""

    on_site(talk)


def test_drop_closes_without_a_byte() -> None:
    """/drop ends the connection in the normal way, with nothing in it."""
    assert exchange(head_of("/drop")) == b""


def test_reset_resets() -> None:
    """/reset is an RST, not a FIN."""
    with pytest.raises(ConnectionResetError):
        exchange(head_of("/reset"))


def test_reset_body_resets_after_half_a_body() -> None:
    """/reset-body sends a body without a length and breaks off."""

    def talk(site: Site) -> bytes:
        with dial(site, head_of("/reset-body")) as sock:
            return read_until(ConnectionResetError, sock)

    raw = on_site(talk)
    assert len(raw.partition(b"\r\n\r\n")[2]) == 10_000
    assert b"Content-Length" not in raw


def test_stall_body_stalls_after_half_a_body() -> None:
    """/stall-body announces 20,000 bytes and sends 10,000."""

    def talk(site: Site) -> bytes:
        with dial(site, head_of("/stall-body")) as sock:
            sock.settimeout(0.5)
            return read_until(TimeoutError, sock)

    raw = on_site(talk)
    assert b"\r\nContent-Length: 20000\r\n" in raw
    assert len(raw.partition(b"\r\n\r\n")[2]) == 10_000


@pytest.mark.parametrize("path", ["/short-body", "/cut-chunk"])
def test_a_body_that_is_cut_is_incomplete(path: str) -> None:
    """The connection is closed before the body is as long as announced."""
    with pytest.raises(http.client.IncompleteRead):
        get(path)


@pytest.mark.parametrize(
    ("path", "error"),
    [("/garbage", http.client.BadStatusLine), ("/bad-chunk", http.client.IncompleteRead)],
)
def test_what_is_not_http_cannot_be_read(path: str, error: type[Exception]) -> None:
    """An HTTP client fails on it."""
    with pytest.raises(error):
        get(path)


def test_two_lengths_contradict_each_other() -> None:
    """/two-lengths has a Content-Length of 5 and one of 20,000."""
    raw = exchange(head_of("/two-lengths"))
    assert b"\r\nContent-Length: 5\r\nContent-Length: 20000\r\n" in raw


def test_two_answers_leaves_one_for_the_next_request() -> None:
    """The second request on that connection is given an answer that is not its own."""

    def talk(site: Site) -> list[bytes]:
        with closing(http.client.HTTPConnection("127.0.0.1", site.port, timeout=3)) as connection:
            first = ask_on(connection, "/two-answers").body
            time.sleep(0.2)
            return [first, ask_on(connection, "/ok").body]

    first, second = on_site(talk)
    assert len(first) == 20_000
    assert second == b"<title>Late</title>"


def test_header_bytes_are_not_utf8() -> None:
    """/header-bytes has a header that only Latin-1 can read."""
    raw = exchange(head_of("/header-bytes")[:-2] + b"Connection: close\r\n\r\n")
    assert b"\r\nX-Shop: Caf\xe9\r\n" in raw


@pytest.mark.parametrize(
    ("path", "error"),
    [("/bad-gzip", EOFError), ("/bad-crc", gzip.BadGzipFile), ("/not-gzip", gzip.BadGzipFile)],
)
def test_bad_gzip_cannot_be_unpacked(path: str, error: type[Exception]) -> None:
    """The answer is correct HTTP; only what it holds is not the gzip it claims to be."""
    answer = get(path)
    assert answer.headers["Content-Encoding"] == "gzip"
    with pytest.raises(error):
        gzip.decompress(answer.body)


def test_a_gzip_bomb_is_small_until_it_is_unpacked() -> None:
    """Less than 100 KB arrive, and become 50 MB."""
    body = get("/gzip-bomb").body
    assert len(body) < 100_000
    assert len(gzip.decompress(body)) == 50_000_000


def test_the_endless_page_goes_on() -> None:
    """5 MB arrive without a Content-Length, and there is more."""

    def talk(site: Site) -> bytes:
        with dial(site, head_of("/endless")) as sock:
            raw = bytearray()
            while len(raw) < 5_000_000:
                raw += sock.recv(65536)
            assert sock.recv(1)
            return bytes(raw[:1000])

    assert b"Content-Length" not in on_site(talk)


def test_the_endless_page_waits_for_its_reader() -> None:
    """What a client does not read is not written: the memory of the site stays flat."""

    def talk(site: Site) -> int:
        with dial(site, head_of("/endless")) as sock:
            sock.recv(65536)
            time.sleep(0.3)
            return max(one.transport.get_write_buffer_size() for one in set(site.connections))

    assert on_site(talk) < 1_000_000


def test_the_endless_page_does_not_hold_up_the_others() -> None:
    """Another page is served while one client drinks from /endless and one does not read."""

    def talk(site: Site) -> int:
        with dial(site, head_of("/endless")), dial(site, head_of("/endless")) as sock:
            sock.recv(65536)
            return ask(site, "/ok").status

    assert on_site(talk) == 200


def test_punycode_is_slow_to_decode_because_of_its_length() -> None:
    """A short one decodes to its title and one insertion per byte."""
    answer = get("/punycode-charset?size=100")
    assert answer.headers["Content-Type"] == "text/html; charset=punycode"
    text = answer.body.decode("punycode")
    assert text.startswith("<title>Punycode</title>🫖🫖")
    assert len(text) > 90


# Addresses and the process


@many_addresses
def test_one_port_serves_every_address() -> None:
    """A free port is found that is free on all of them."""
    hosts = ["127.0.0.1", "127.0.0.2", "127.1.2.3"]
    statuses = on_site(lambda site: [ask(site, "/ok", host).status for host in hosts], hosts=hosts)
    assert statuses == [200, 200, 200]


def test_ipv6_loopback_is_served() -> None:
    """::1 works, and its host is counted without brackets."""
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")

    def talk(site: Site) -> dict[tuple[str, str], int]:
        ask(site, "/ok", "::1")
        return dict(site.counts)

    assert on_site(talk, hosts=["::1"]) == {("::1", "/ok"): 1}


@pytest.mark.parametrize(
    "host", [EVERYWHERE, "192.0.2.1", "128.0.0.1", "::", "::ffff:127.0.0.1", "localhost", ""]
)
def test_an_address_that_others_can_reach_is_refused(host: str) -> None:
    """Only 127.0.0.0/8 and ::1 are served; a name could mean any address."""
    with pytest.raises(ValueError, match=r"argument `hosts`: not a loopback address: '.*'\. Use "):
        Site(ROUTES, hosts=["127.0.0.1", host])


def test_a_site_needs_an_address() -> None:
    """No address at all is an error, not a site that nobody can reach."""
    with pytest.raises(ValueError, match="argument `hosts`: empty"):
        Site(ROUTES, hosts=[])


def test_a_port_that_is_taken_is_an_error() -> None:
    """A port that was asked for is not replaced by another one."""

    def talk(site: Site) -> None:
        with pytest.raises(OSError, match="in use"):
            on_site(lambda second: None, port=site.port)

    on_site(talk)


def test_a_clash_on_another_address_means_another_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """A free port of the first address that is taken on the second is given up."""
    tried = []

    class Clashing(socket.socket):
        def bind(self, address: Any) -> None:
            tried.append(address)
            if len(tried) in (2, 4):
                raise OSError(errno.EADDRINUSE, "in use")
            super().bind(address)

    monkeypatch.setattr(socket, "socket", Clashing)
    sockets = listen(["127.0.0.1", "127.0.0.2"], 0)
    ports = {sock.getsockname()[1] for sock in sockets}
    for sock in sockets:
        sock.close()
    assert len(tried) == 6
    assert ports == {tried[-1][1]}


def test_closing_does_not_wait_for_clients() -> None:
    """close() cuts requests that are being answered and connections that are idle."""

    async def main() -> float:
        site = Site(ROUTES)
        await site.start()
        idle = await asyncio.open_connection("127.0.0.1", site.port)
        busy = await asyncio.open_connection("127.0.0.1", site.port)
        busy[1].write(head_of("/never"))
        while not site.in_flight["127.0.0.1"]:
            await asyncio.sleep(0.005)
        start = time.monotonic()
        await site.close()
        for _, writer in (idle, busy):
            writer.transport.abort()
        return time.monotonic() - start

    async def bounded() -> float:
        async with asyncio.timeout(TIMEOUT):
            return await main()

    assert asyncio.run(bounded()) < 1


@contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start the site as a process, and wait until it is gone."""
    command = [sys.executable, "-W", "error", "-m", "urlcrawler.demo", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def ready_port(child: subprocess.Popen[str]) -> int:
    """Wait until the process serves."""
    assert child.stdout
    word, port = child.stdout.readline().split()
    assert word == "ready"
    return int(port)


@many_addresses
def test_the_process_serves_and_ends_with_its_standard_input() -> None:
    """`ready <port>` is printed, pages are served, and EOF means exit code 0, silently."""
    with process("--hosts", "127.0.0.1,127.1.0.1") as child:
        port = ready_port(child)
        with closing(http.client.HTTPConnection("127.1.0.1", port, timeout=3)) as connection:
            assert ask_on(connection, "/ok").status == 200
            assert child.stdin
            child.stdin.close()
            assert child.wait(TIMEOUT) == 0
        assert child.stderr
        assert child.stderr.read() == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_ends_on_a_signal(number: signal.Signals) -> None:
    """SIGTERM and SIGINT mean exit code 0, silently."""
    with process() as child:
        ready_port(child)
        child.send_signal(number)
        assert child.wait(TIMEOUT) == 0
        assert child.stderr
        assert child.stderr.read() == ""


@many_addresses
def test_the_process_counts_addresses() -> None:
    """`--host-count 300` serves 127.1.0.1 up to 127.1.1.44, on one port."""
    with process("--host-count", "300") as child:
        port = ready_port(child)
        for host in ("127.1.0.1", "127.1.0.255", "127.1.1.44"):
            with socket.create_connection((host, port), timeout=TIMEOUT):
                pass
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.1.1.45", port), timeout=TIMEOUT)


def test_the_process_refuses_an_address_that_others_can_reach() -> None:
    """The exit code is 2, and the message says what to type instead."""
    with process("--hosts", EVERYWHERE) as child:
        _, error = child.communicate(timeout=TIMEOUT)
        assert child.returncode == 2
        assert "not a loopback address: '0.0.0.0'. Use 127.x.y.z (a number) or ::1" in error
