"""Lists on a web server, as a crawl on a scrapyd server gets them."""

import gzip
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from urlcrawler.exceptions import ListError
from urlcrawler.inputs.sources import open_source

LIST = b"http://a.com/\nhttp://b.com/\n" * 1000
BODIES = {
    "/lists/urls.csv?v=1": LIST,
    "/urls.csv.gz": gzip.compress(LIST),
    "/": LIST,
    "/a%20b.txt": LIST,
}
HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
RAW = {
    "/short": HEAD + b"Content-Length: 30000\r\n\r\n" + LIST,
    "/cut-chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nffff\r\n" + LIST,
    "/not-http": b"220 ftp ready\r\n",
    "/nothing": b"",
}


class Handler(BaseHTTPRequestHandler):
    """Serve the tables above; what is in neither is a 404."""

    def do_GET(self) -> None:
        if self.path in RAW:
            self.wfile.write(RAW[self.path])
        elif self.path in BODIES:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(BODIES[self.path])
        elif self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/urls.csv.gz")
            self.end_headers()
        else:
            self.send_error(404)

    def log_message(self, *args: Any) -> None: ...


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "name", "suffix"),
    [
        ("/lists/urls.csv?v=1", "urls", ".csv"),
        ("/urls.csv.gz", "urls", ".csv"),
        ("/moved", "moved", ""),
        ("/", "127_0_0_1", ""),
        ("/a%20b.txt", "a_b", ".txt"),
    ],
)
def test_a_list_is_fetched(server: str, path: str, name: str, suffix: str) -> None:
    """Redirects are followed, compression is undone, the name is the URL's last part."""
    source = open_source(server + path)
    assert (source.file.read(), source.name, source.suffix) == (LIST, name, suffix)
    source.close()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/nope", "/nope answered 404 Not Found"),
        ("/short", "2000 more expected"),
        ("/cut-chunk", "sent no complete list"),
        ("/not-http", "sent no complete list"),
        ("/nothing", "closed connection without response"),
    ],
)
def test_a_list_that_does_not_arrive_is_refused(server: str, path: str, words: str) -> None:
    """Half a list is never taken for the list, and the sentence says what happened."""
    with pytest.raises(ListError, match="argument `file`: ") as caught:
        open_source(server + path)
    assert words in str(caught.value)


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    """A refused connection names the URL of the list."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/urls.txt"
    with pytest.raises(ListError, match="Connection refused") as caught:
        open_source(url)
    assert str(caught.value).startswith(f"argument `file`: cannot read {url!r}: ")


@pytest.mark.parametrize("url", ["http://", "http://127.0.0.1:x/", "http://a b/", "http://[::1/"])
def test_a_list_needs_a_url_that_works(url: str) -> None:
    """What cannot be requested is refused without a traceback."""
    with pytest.raises(ListError, match="argument `file`: "):
        open_source(url)
