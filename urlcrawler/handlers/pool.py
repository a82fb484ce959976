"""Connections of Twisted that are used again, when `trust` has nothing against it."""

from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.web.client import HTTPConnectionPool

from urlcrawler.handlers.protocol import ClientProtocol
from urlcrawler.handlers.trust import KEPT, MOST_IDLE, REST, Trust, is_readable
from urlcrawler.room import Room


class ConnectionPool(HTTPConnectionPool):
    """Use a connection again when nothing has come on it since its last answer.

    `_factory`, `_newConnection`, `_putConnection`, `_removeConnection`, `_connections` (by origin)
    and `_timeouts` (of all idle ones) are private, and the class is meant for subclasses all the
    same; `tests/crawl/test_whole_answers.py` fails when one of them goes.
    """

    def __init__(
        self, reactor: Any, *, most_idle: int, most_head: int, room: Room, trust: Trust
    ) -> None:
        """Keep no connections.

        Args:
            most_idle: connections of all origins together.
            most_head: bytes of the head of an answer.
            room: for the bodies under way.
            trust: whether connections are used again.
        """
        super().__init__(reactor, persistent=True)  # type: ignore[no-untyped-call]
        self.maxPersistentPerHost, self.cachedConnectionTimeout = MOST_IDLE, KEPT
        self._most_idle = most_idle
        self._build = partial(ClientProtocol, most_head=most_head, room=room)
        self._trust = trust

    def _factory(self, idle: Any, metadata: str) -> Any:  # type: ignore[override]
        return _Factory(partial(self._build, idle))

    def getConnection(self, key: Any, endpoint: Any) -> "Deferred[Any]":  # noqa: N802
        """Return a connection for one request: the one that is idle for longest, or a new one."""
        idle = self._connections.get(key, [])
        while idle and idle[0].state != "QUIESCENT":  # the server has closed it
            self._drop(key, idle[0])
        if idle and self._may_use(key, idle[0]):
            connection: Deferred[Any] = super().getConnection(key, endpoint)
            self._tidy(key)
            return connection
        return self._newConnection(key, endpoint)

    def _may_use(self, key: Any, connection: Any) -> bool:
        is_rested = monotonic() - connection.idle_since >= REST
        return (
            is_rested
            and self._trust.allows_reuse(key)
            and not _has_something_to_say(connection)  # it will, and will be closed for it
        )

    def _newConnection(self, key: Any, endpoint: Any) -> "Deferred[Any]":  # noqa: N802
        def made(connection: Any) -> Any:
            connection.surplus = lambda: self._distrust(key)
            return connection

        made_connection: Deferred[Any] = super()._newConnection(key, endpoint)
        return made_connection.addCallback(made)

    def _putConnection(self, key: Any, connection: Any) -> None:  # noqa: N802
        is_full = len(self._connections.get(key, [])) >= self._trust.most_idle(key)
        if is_full or len(self._timeouts) >= self._most_idle:
            connection.transport.loseConnection()  # this one, as others have rested for longer
            return
        connection.idle_since = monotonic()
        super()._putConnection(key, connection)  # type: ignore[no-untyped-call]

    def _removeConnection(self, key: Any, connection: Any) -> None:  # noqa: N802
        """Close a connection that has been idle for KEPT seconds, if the server has not before."""
        if connection.state == "QUIESCENT":
            self._trust.note_silence(key)
        self._close(key, connection)

    def _close(self, key: Any, connection: Any) -> None:
        super()._removeConnection(key, connection)  # type: ignore[no-untyped-call]
        self._tidy(key)

    def _drop(self, key: Any, connection: Any) -> None:
        """Close an idle connection before its time, which would ring all the same."""
        self._timeouts[connection].cancel()
        self._close(key, connection)

    def _tidy(self, key: Any) -> None:
        """Forget an origin without idle connections: a list may have a million of them."""
        if not self._connections.get(key):
            self._connections.pop(key, None)

    def _distrust(self, key: Any) -> None:
        self._trust.distrust(key, _name(key))
        for connection in list(self._connections.get(key, [])):
            self._drop(key, connection)


def _name(key: Any) -> str:
    """Return the origin of Twisted's key: scheme, host, port and whatever else tells them apart."""
    scheme, host, port = (part.decode() if isinstance(part, bytes) else part for part in key[:3])
    return f"{scheme}://{host}:{port}"


class _Factory(Factory):
    """Builds the protocol of a connection."""

    noisy = False

    def __init__(self, build: Callable[[], ClientProtocol]) -> None:
        self._build = build

    def buildProtocol(self, addr: Any) -> ClientProtocol:  # noqa: N802
        return self._build()


def _has_something_to_say(connection: Any) -> bool:
    transport = connection.transport
    while transport is not None and not hasattr(transport, "socket"):
        transport = getattr(transport, "transport", None)  # below TLS
    return transport is None or is_readable(transport.fileno())
