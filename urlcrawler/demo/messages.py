"""Say what a request and a response of the local site are, and turn bytes into them and back."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from urlcrawler.demo.connection import Connection

HTML = "text/html; charset=utf-8"


@dataclass(slots=True)
class Request:
    """Hold one request as a handler sees it.

    Attributes:
        method: As sent, for example GET.
        target: Path and query as sent, still percent-encoded.
        path: The path, percent-decoded as UTF-8. Routes are looked up by it.
        query: The query, decoded. Of a repeated name the last value wins.
        host: The Host header in lower case, without the port and without IPv6 brackets.
        headers: Names in lower case. Of a repeated name the last value wins.
        keep_alive: Whether the client wants the connection to stay open.
        connection: The raw connection, for handlers that misbehave.
        visits: A counter that lives as long as the site, for handlers that have to remember.
    """

    method: str
    target: str
    path: str
    query: dict[str, str]
    host: str
    headers: dict[str, str]
    keep_alive: bool
    connection: Connection
    visits: Counter[tuple[str, str]]

    def number(self, name: str, default: float, top: float) -> float:
        """Return the query value `name` between 0 and `top`, or `default` if it is no number."""
        try:
            value = float(self.query[name])
        except (KeyError, ValueError):
            return default
        return default if math.isnan(value) else max(0.0, min(value, top))

    def visit(self) -> int:
        """Count one more visit of this exact target on this host, and return how many it has."""
        self.visits[self.host, self.target] += 1
        return self.visits[self.host, self.target]


@dataclass(slots=True)
class Response:
    """Hold one well-formed answer.

    Attributes:
        body: The bytes, or an iterator over pieces. Pieces are sent chunked, unless `headers`
            already has a Content-Length.
        status: The HTTP status.
        headers: Further headers, in order; names may repeat.
        content_type: The Content-Type header; none is sent when it is empty.
    """

    body: bytes | AsyncIterator[bytes] = b""
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    content_type: str = HTML


Handler = Callable[[Request], Awaitable[Response | None]]


def head(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    """Return a status line and headers as they go over the wire, blank line included."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def parse(raw: bytes, connection: Connection, visits: Counter[tuple[str, str]]) -> Request:
    """Parse the head of a request, given without its blank line.

    Raises ValueError when the bytes are not an HTTP request.
    """
    first, *lines = raw.decode("latin-1").split("\r\n")
    method, target, version = first.split(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(f"not HTTP/1: {version!r}")
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise ValueError(f"not a header: {line!r}")
        headers[name.lower()] = value.strip()
    host = headers.get("host", "")
    if target.startswith(("http://", "https://")):
        # RFC 9112 3.2.2, the form a proxy gets: lets a test give the site any host name.
        host, slash, rest = target.partition("://")[2].partition("/")
        target = slash + rest or "/"
    text = target if target.isascii() else target.encode("latin-1").decode("utf-8", "replace")
    path, _, query = text.partition("?")
    wish = headers.get("connection", "").lower()
    return Request(
        method=method,
        target=target,
        path=unquote(path),
        query=dict(parse_qsl(query, keep_blank_values=True)) if query else {},
        host=without_port(host),
        headers=headers,
        keep_alive=wish == "keep-alive" if version == "HTTP/1.0" else wish != "close",
        connection=connection,
        visits=visits,
    )


def without_port(host: str) -> str:
    """Return a Host header in lower case, without the port and without IPv6 brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()
