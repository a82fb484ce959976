"""Certificates are checked, and the row says why one was refused."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from crawling import ENVIRONMENT, Crawl

pytestmark = pytest.mark.usefixtures("handler")

PAGE = b"<!DOCTYPE html><title>Secret</title>"
AUTHORITY = trustme.CA()
YESTERDAY = datetime.now(UTC) - timedelta(days=1)


def good() -> trustme.LeafCert:
    return AUTHORITY.issue_cert("127.0.0.1", "localhost")


@contextmanager
def tls_site(
    certificate: trustme.LeafCert,
    end: Callable[[ssl.SSLSocket], object] = lambda connection: connection.unwrap(),
    *,
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
) -> Iterator[int]:
    """Serve PAGE without a length to whoever comes, and *end* the connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = version
    certificate.configure_cert(context)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:

        def serve() -> None:
            while True:
                try:
                    plain, _ = server.accept()
                except OSError:
                    return
                try:
                    with context.wrap_socket(plain, server_side=True) as connection:
                        connection.settimeout(5)
                        path = connection.recv(65536).split()[1]
                        if path == b"/robots.txt":
                            connection.sendall(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
                            continue
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
                        connection.sendall(PAGE)
                        end(connection)
                except OSError:
                    continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The system of the crawl knows the authority of these tests."""
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setitem(ENVIRONMENT, "SSL_CERT_FILE", str(tmp_path / "authority.pem"))


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_page_of_a_server_with_a_good_certificate_is_read(
    crawl: Callable[..., Crawl], host: str
) -> None:
    """For a name, and for an address."""
    with tls_site(good()) as port:
        row = crawl([f"https://{host}:{port}/"]).only()
    assert (row["outcome"], row["title"]) == ("ok", "Secret")


CERTIFICATES = {
    "it has expired": lambda: AUTHORITY.issue_cert("127.0.0.1", not_after=YESTERDAY),
    "it is for other hosts": lambda: AUTHORITY.issue_cert("example.com"),
    "nobody who signed it is known here": lambda: trustme.CA().issue_cert("127.0.0.1"),
}


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("why", CERTIFICATES)
def test_a_bad_certificate_is_refused_and_the_row_says_why(
    crawl: Callable[..., Crawl], why: str
) -> None:
    """Once: it does not get better within the hour."""
    with tls_site(CERTIFICATES[why]()) as port:
        row = crawl([f"https://127.0.0.1:{port}/"], "-s", "ROBOTSTXT_OBEY=0").only()
    assert (row["outcome"], row["error"], row["attempts"]) == ("failed", "tls", "1")
    assert row["reason"] == f"no secure connection: the certificate was refused: {why}"


@pytest.mark.parametrize("why", CERTIFICATES)
def test_a_bad_certificate_is_accepted_on_request(crawl: Callable[..., Crawl], why: str) -> None:
    """DOWNLOAD_VERIFY_CERTIFICATES is a setting of Scrapy's, which is off there."""
    with tls_site(CERTIFICATES[why]()) as port:
        row = crawl([f"https://127.0.0.1:{port}/"], "-s", "DOWNLOAD_VERIFY_CERTIFICATES=0").only()
    assert (row["outcome"], row["title"]) == ("ok", "Secret")


@pytest.mark.usefixtures("trusting")
def test_a_connection_that_ends_without_goodbye_is_no_half_page(
    crawl: Callable[..., Crawl],
) -> None:
    """Many servers close below TLS; browsers show the page, and so do we."""
    with tls_site(good(), lambda connection: connection.shutdown(socket.SHUT_RDWR)) as port:
        row = crawl([f"https://127.0.0.1:{port}/"]).only()
    assert (row["outcome"], row["title"]) == ("ok", "Secret")


def test_a_host_with_a_bad_certificate_costs_a_few_connections(
    crawl: Callable[..., Crawl],
) -> None:
    """It is the same for all of its pages."""
    with tls_site(good()) as port:
        crawled = crawl([f"https://127.0.0.1:{port}/{n}" for n in range(500)])
    assert {row["error"] for row in crawled.rows} == {"tls", "host-down"}
    assert len(crawled.rows) == 500
    assert sum(row["error"] == "tls" for row in crawled.rows) < 20
