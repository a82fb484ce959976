"""What Twisted's HTTP/1.1 client takes for an answer and is none, or not the whole, or not ours.

Its protocol and parser are private, and Scrapy's handler puts subclasses of them into the pool in
the same way (`HTTPConnectionPool._factory`); nothing public stands between a socket and an answer.
`tests/crawl/test_whole_answers.py` fails when any of these names goes.
"""

import re
from collections.abc import Callable
from typing import Any

from scrapy.core.downloader.handlers.http11 import (
    _LenientHTTP11ClientProtocol,
    _LenientHTTPClientParser,
)
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web._newclient import HEADER, STATUS, HTTP11ClientProtocol, ParseError
from twisted.web.http import _DataLoss, _IdentityTransferDecoder

from urlcrawler.exceptions import HeadTooLarge
from urlcrawler.handlers.guarded import MOST_HEADERS
from urlcrawler.room import Room

# A few bytes of something else may come before it, any version, and no reason behind it. ICY is the
# same with a name of its own.
_STATUS = re.compile(
    rb".{0,4}?(?:HTTP(?:/(?P<version>\d+(?:\.\d+)?))?|ICY)[ \t]+(?P<code>[1-9]\d\d)(?!\d)"
    rb"(?P<reason>.*)",
    re.IGNORECASE | re.DOTALL,
)
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2


class Parser(_LenientHTTPClientParser):
    """Read one answer, of which the head is bounded and the body has an end.

    As tolerant as browsers are (Chromium: http_stream_parser.cc and http_response_headers.cc in
    net/http), because a page that a browser shows is a page.

    Attributes:
        most: bytes that the head may have, those of all answers 1xx before it included.
        is_plain: whether there is no TLS, where many servers end without saying so.
    """

    most = 0
    is_plain = True
    _bytes = _lines = 0

    def lineReceived(self, line: bytes) -> None:  # noqa: N802 - Twisted's names
        """Take in a line of the head.

        Raises:
            HeadTooLarge: there are too many, or they are too long.
        """
        self._bytes += len(line) + 1
        self._lines += 1
        if self._bytes > self.most or self._lines > MOST_HEADERS:
            raise HeadTooLarge(self.most, MOST_HEADERS)
        if self.state == STATUS and not line.strip():
            return  # RFC 9112, 2.2
        if self.state == HEADER and self._partialHeader is None and line[:1] in (b" ", b"\t"):
            return  # goes on with a header that did not begin
        super().lineReceived(line)

    def statusReceived(self, status: bytes) -> None:  # noqa: N802
        """Take in the first line, as tidy as Twisted wants it.

        Raises:
            ParseError: it is none.
        """
        found = _STATUS.match(status)
        if not found or found["code"] == b"101":  # nobody has asked for another protocol
            raise ParseError("no status line", status[:100])  # type: ignore[no-untyped-call]
        version = found["version"] or b"1.0"
        version += b"" if b"." in version else b".0"
        tidy = b"HTTP/%b %b %b" % (version, found["code"], found["reason"])
        super().statusReceived(tidy)  # type: ignore[no-untyped-call]

    def headerReceived(self, name: bytes, value: bytes) -> None:  # noqa: N802
        """Take in a header; one whose name is none is no header."""
        name = name.rstrip()
        if _TOKEN.fullmatch(name):
            super().headerReceived(name, value)  # type: ignore[no-untyped-call]

    def allHeadersReceived(self) -> None:  # noqa: N802
        """Decide where the body ends. What cannot be said that way was not said."""
        codings = self._words(b"Transfer-Encoding")
        self.connHeaders.removeHeader(b"Transfer-Encoding")
        if b"chunked" in codings:
            self.connHeaders.setRawHeaders(b"Transfer-Encoding", [b"chunked"])
        if not all(length.isdigit() for length in self._words(b"Content-Length") or [b"?"]):
            self.connHeaders.removeHeader(b"Content-Length")
        super().allHeadersReceived()  # type: ignore[no-untyped-call]

    def _words(self, name: bytes) -> list[bytes]:
        lines = self.connHeaders.getRawHeaders(name) or []
        return [word.strip().lower() for line in lines for word in line.split(b",")]

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: N802
        """Take in that a line does not end.

        Raises:
            HeadTooLarge: always.
        """
        raise HeadTooLarge(self.most, MOST_HEADERS)

    def connectionLost(self, reason: Failure | None = None) -> None:  # noqa: N802
        """A body that ends with the connection is whole when the server has closed it."""
        decoder: Any = self.bodyDecoder
        if isinstance(decoder, _IdentityTransferDecoder) and decoder.contentLength is None:
            lost: Any = reason
            is_closed = lost is None or lost.check(ConnectionDone)
            if self.is_plain and not is_closed:
                cut_short: Any = _CutShort()
                self.bodyDecoder = cut_short
        super().connectionLost(reason)


class _CutShort:
    """Stands in for the decoder of a body that was cut off by a reset."""

    def noMoreData(self) -> None:  # noqa: N802
        raise _DataLoss("the connection was reset")


class ClientProtocol(_LenientHTTP11ClientProtocol):
    """Send requests one after the other, and take nothing that none of them has asked for.

    Attributes:
        most_head: bytes that the head of an answer may have.
        surplus: called when the server has sent what nobody asked for.
        idle_since: when the last answer was complete; the pool keeps it.
    """

    most_head = 0
    idle_since = 0.0
    surplus: Callable[[], object]

    def __init__(self, quiescentCallback: Any, most_head: int, room: Room) -> None:  # noqa: N803
        HTTP11ClientProtocol.__init__(self, quiescentCallback)  # type: ignore[no-untyped-call]
        self.most_head = most_head
        self._room = room
        self.surplus = lambda: None

    def request(self, request: Any) -> Any:
        """Send *request*; return a Deferred of its answer."""
        answer = super().request(request)
        parser: Any = self._parser
        parser.__class__ = Parser  # it has no state that its ancestor has not
        parser.most = parser.MAX_LENGTH = self.most_head
        parser.is_plain = not ISSLTransport.providedBy(self.transport)
        return answer

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        """Take in bytes of an answer; those that come between two requests belong to none."""
        if self.state == "QUIESCENT":
            self.surplus()
            self.transport.abortConnection()  # type: ignore[union-attr]
            return
        self._room.take(self, len(data))
        super().dataReceived(data)  # type: ignore[no-untyped-call]

    def _finishResponse_WAITING(self, rest: bytes) -> None:  # noqa: N802
        """Finish with an answer; what follows in the same piece belongs to no request either."""
        if rest.strip():
            self.surplus()
            request: Any = self._currentRequest
            request.persistent = False
        self._room.give_back(self)
        super()._finishResponse_WAITING(rest)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        """Take in the end of the connection."""
        super().connectionLost(reason)  # type: ignore[no-untyped-call]
        self._room.give_back(self)

    def pause(self) -> None:
        """Read nothing from the server for now."""
        self.transport.pauseProducing()  # type: ignore[union-attr]

    def go_on(self) -> None:
        """Read from the server again."""
        transport: Any = self.transport
        if transport is not None and not transport.disconnecting:
            transport.resumeProducing()
