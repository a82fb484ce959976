"""Connections that are used again, after they have been silent for a while.

HTTP/1.1 does not say to which request an answer belongs: it is the next one on the connection. A
server that sends one too many would have each page of a crawl read as that of the URL before.
"""

import logging
import socket
from time import monotonic
from typing import Any

from scrapy.utils.datatypes import LocalCache
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.web.client import HTTPConnectionPool

from urlcrawler.handlers.protocol import ClientProtocol

logger = logging.getLogger(__name__)

# Seconds after an answer in which nothing more may come. What comes later can still be mistaken for
# the next answer; a longer rest takes more connections: with 16 idle ones a host can be asked 64
# times a second before it gets new ones.
REST = 0.25
MOST_IDLE = 16  # connections of an origin
KEPT = 5  # seconds that one stays idle: servers keep them no longer, and each is an open file
_MOST_KNOWN = 65_536  # origins of which it is remembered how they behave


class ConnectionPool(HTTPConnectionPool):
    """Use a connection again when nothing has come on it since its last answer.

    An origin that has sent more than was asked for gets a connection for each request from then on.

    `_factory`, `_newConnection`, `_putConnection`, `_removeConnection`, `_connections` (by origin)
    and `_timeouts` (of all idle ones) are private, and the class is meant for subclasses all the
    same; `tests/crawl/test_whole_answers.py` fails when one of them goes.
    """

    def __init__(self, reactor: Any, *, most_idle: int, most_head: int) -> None:
        """Keep no connections.

        Args:
            most_idle: connections of all origins together.
            most_head: bytes of the head of an answer.
        """
        super().__init__(reactor, persistent=True)  # type: ignore[no-untyped-call]
        self.maxPersistentPerHost, self.cachedConnectionTimeout = MOST_IDLE, KEPT
        self._most_idle = most_idle
        self._most_head = most_head
        self._chatty = LocalCache[Any, None](_MOST_KNOWN)  # origins that send too much

    def _factory(self, idle: Any, metadata: str) -> Any:  # type: ignore[override]
        return _Factory(idle, self._most_head)

    def getConnection(self, key: Any, endpoint: Any) -> "Deferred[Any]":  # noqa: N802
        """Return a connection for one request: the one that is idle for longest, or a new one."""
        idle = self._connections.get(key, [])
        while idle and _has_something_to_say(idle[0]):
            self._drop(key, idle[0])
        if idle and monotonic() - idle[0].idle_since >= REST:
            connection: Deferred[Any] = super().getConnection(key, endpoint)
            self._tidy(key)
            return connection
        return self._newConnection(key, endpoint)

    def _newConnection(self, key: Any, endpoint: Any) -> "Deferred[Any]":  # noqa: N802
        def made(connection: Any) -> Any:
            connection.surplus = lambda: self._distrust(key)
            return connection

        made_connection: Deferred[Any] = super()._newConnection(key, endpoint)
        return made_connection.addCallback(made)

    def _putConnection(self, key: Any, connection: Any) -> None:  # noqa: N802
        is_full = len(self._connections.get(key, [])) >= self.maxPersistentPerHost
        is_full = is_full or len(self._timeouts) >= self._most_idle
        if is_full or key in self._chatty:
            connection.transport.loseConnection()  # this one, as others have rested for longer
            return
        connection.idle_since = monotonic()
        super()._putConnection(key, connection)  # type: ignore[no-untyped-call]

    def _removeConnection(self, key: Any, connection: Any) -> None:  # noqa: N802
        super()._removeConnection(key, connection)  # type: ignore[no-untyped-call]
        self._tidy(key)

    def _drop(self, key: Any, connection: Any) -> None:
        """Close an idle connection before its time, which would ring all the same."""
        self._timeouts[connection].cancel()
        self._removeConnection(key, connection)

    def _tidy(self, key: Any) -> None:
        """Forget an origin without idle connections: a list may have a million of them."""
        if not self._connections.get(key):
            self._connections.pop(key, None)

    def _distrust(self, key: Any) -> None:
        if key in self._chatty:
            return
        logger.warning(
            "%(origin)s answers more often than it is asked; each request gets a connection of its "
            "own from now on",
            {"origin": _name(key)},
        )
        self._chatty[key] = None
        for connection in list(self._connections.get(key, [])):
            self._drop(key, connection)


def _name(key: Any) -> str:
    """Return the origin of Twisted's key: scheme, host, port and whatever else tells them apart."""
    scheme, host, port = (part.decode() if isinstance(part, bytes) else part for part in key[:3])
    return f"{scheme}://{host}:{port}"


class _Factory(Factory):
    """Builds the protocol of a connection."""

    noisy = False

    def __init__(self, idle: Any, most_head: int) -> None:
        self._idle = idle
        self._most_head = most_head

    def buildProtocol(self, addr: Any) -> ClientProtocol:  # noqa: N802
        return ClientProtocol(self._idle, self._most_head)


def _has_something_to_say(connection: Any) -> bool:
    """Return whether bytes, or the end, have come on an idle connection and wait to be read."""
    transport = connection.transport
    while transport is not None and not hasattr(transport, "socket"):
        transport = getattr(transport, "transport", None)  # below TLS
    if transport is None:
        return True
    try:
        transport.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
