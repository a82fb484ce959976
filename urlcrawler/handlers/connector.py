"""What stands between aiohttp and a socket: addresses, idle connections, heads, ends of bodies.

aiohttp has a place of its own for the resolver and for sockets. Its pool and its protocol are not
meant to be subclassed, and there is no other place to see what comes on an idle connection, or that
a body was cut off. Run the tests of `tests/crawl/` that take a `handler` after an update: they fail
when `_get`, `_release`, `_start_tls_connection`, `_conns`, `_factory`, `_payload`, `_buffer` or
`_tail` go.
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler
from twisted.internet.interfaces import IResolutionReceiver
from zope.interface import implementer

from urlcrawler.exceptions import HeadTooLarge, PrivateAddress
from urlcrawler.handlers.guarded import MOST_HEADERS
from urlcrawler.handlers.lookup import GuardedResolver
from urlcrawler.handlers.trust import KEPT, REST, Trust, is_readable
from urlcrawler.room import Room


class Connector(aiohttp.TCPConnector):
    """Opens connections to addresses that are allowed, and uses them again as `trust` says."""

    def __init__(
        self,
        guard: GuardedResolver,
        *,
        most_idle: int,
        most_head: int,
        room: Room,
        trust: Trust,
        **options: Any,
    ) -> None:
        """Keep no connections.

        Args:
            guard: says which addresses are refused, and asks the resolver of the crawl.
            most_idle: connections of all origins together.
            most_head: bytes of the head of an answer.
            room: for the bodies under way.
            trust: whether connections are used again.
        """
        super().__init__(
            resolver=Resolver(guard),
            use_dns_cache=False,  # the resolver of the crawl has one
            socket_factory=partial(_open_socket, guard),
            keepalive_timeout=KEPT,
            limit=0,  # the downloader has its own
            **options,
        )
        self._trust = trust
        self._idle: set[Protocol] = set()
        self._most_idle = most_idle
        self._factory: Any = partial(Protocol, self._loop, most_head, room)

    async def _get(self, key: Any, traces: Any) -> Any:
        """Return an idle connection that may be used, or None for a new one to be opened."""
        idle, now = self._conns.get(key), monotonic()
        while idle and (not idle[0][0].is_connected() or now - idle[0][1] > KEPT):
            idle.popleft()[0].close()  # else aiohttp would, and take the next one unseen
        if not idle:
            self._conns.pop(key, None)
            return None
        protocol, since = idle[0]
        if now - since < REST or not self._trust.allows_reuse(key):
            return None
        if protocol.should_close or _is_readable(protocol):
            return None
        connection = await super()._get(key, traces)
        if connection:
            self._leave(connection.protocol)
        return connection

    def _release(self, key: Any, protocol: Any, *, should_close: bool = False) -> None:
        """Take a connection back: to be watched, to be used again, or to be closed."""
        protocol.room.give_back(protocol)
        if protocol._buffer or protocol._tail:
            self._distrust(key)
        is_full = len(self._conns.get(key, ())) >= self._trust.most_idle(key)
        is_full = is_full or len(self._idle) >= self._most_idle
        super()._release(key, protocol, should_close=should_close or is_full)
        if protocol.is_connected() and not self._closed:
            self._idle.add(protocol)
            protocol.on_surplus = partial(self._distrust, key)
            protocol.on_end = partial(self._ended, key, protocol, monotonic())
            if not self._trust.allows_reuse(key):  # aiohttp's own time may be twice as long
                self._loop.call_later(KEPT, self._expire, protocol)

    def _expire(self, protocol: Any) -> None:
        if protocol in self._idle:
            protocol.close()

    def _leave(self, protocol: Any) -> None:
        protocol.on_surplus = protocol.on_end = None
        self._idle.discard(protocol)

    def _ended(self, key: Any, protocol: Any, since: float) -> None:
        """Take in that an idle connection was closed: for its age, or by the server before."""
        self._leave(protocol)
        if monotonic() - since >= KEPT:
            self._trust.note_silence(key)

    async def _start_tls_connection(self, underlying_transport: Any, *args: Any, **kw: Any) -> Any:
        """Begin TLS behind a proxy, with a protocol of its own; the one before is heard no more."""
        before = underlying_transport.get_protocol()
        before.room.give_back(before)
        return await super()._start_tls_connection(underlying_transport, *args, **kw)

    def _distrust(self, key: Any) -> None:
        self._trust.distrust(key, f"{'https' if key.is_ssl else 'http'}://{key.host}:{key.port}")
        for protocol, _ in self._conns.pop(key, ()):
            self._leave(protocol)
            protocol.close()


class Protocol(ResponseHandler):
    """Reads answers of which the head is bounded, and takes nothing that was not asked for.

    Attributes:
        room: for the bodies under way.
        latency: seconds between the request that was sent last and the head of its answer. What
            comes before, and what waits in this process after it, is not the server's.
        on_surplus, on_end: called when bytes come on it, or its end, while it is idle; else None.
    """

    on_surplus: Callable[[], object] | None = None
    on_end: Callable[[], object] | None = None

    def __init__(self, loop: asyncio.AbstractEventLoop, most_head: int, room: Room) -> None:
        super().__init__(loop)
        self.room = room
        self._most_head = most_head
        self._head = 0  # bytes of the head of the answer that is being read
        self._has_head = False
        self._asked_at = self.latency = 0.0

    def set_response_params(self, **options: Any) -> None:
        """Begin to wait for an answer."""
        self._head, self._has_head = 0, False
        self._asked_at = monotonic()
        super().set_response_params(**options)

    def data_received(self, data: bytes) -> None:
        """Take in bytes of an answer; those that come between two requests belong to none."""
        if self.on_surplus:
            if data:  # aiohttp feeds itself with nothing now and then
                self.on_surplus()
            return
        if not self._has_head:
            self._head += len(data)
        if data:
            self.room.take(self, len(data))
        super().data_received(data)
        if not self._has_head and self._head > self._most_head:
            self.abort()  # which would forget an exception
            self.set_exception(HeadTooLarge(self._most_head, MOST_HEADERS))

    def feed_data(self, data: Any, size: int = 0) -> None:
        """Take in a head; behind those of 1xx comes another one.

        One may come in the same piece as the end of the answer before, with which the connection
        has become idle.
        """
        if self.on_surplus:
            self.on_surplus()
            return
        code = data[0].code
        self._has_head = not 100 <= code < 200 or code == 101
        self.latency = monotonic() - self._asked_at
        super().feed_data(data, size)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Take in the end; a body of unknown length is whole when the server has closed it."""
        if self.on_end:
            self.on_end()
        payload: Any = self._payload
        if isinstance(exc, ConnectionError) and payload is not None and not payload.is_eof():
            payload.set_exception(aiohttp.ClientPayloadError("the connection was reset"), exc)
        super().connection_lost(exc)
        self.room.give_back(self)

    def pause(self) -> None:
        """Read nothing from the server for now."""
        self._pause_reading_for_buffer()

    def go_on(self) -> None:
        """Read from the server again."""
        self._resume_reading_for_buffer()


class Resolver(AbstractResolver):
    """Asks the resolver of the crawl, which leaves out what may not be connected to."""

    def __init__(self, guard: GuardedResolver) -> None:
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of *host*.

        Raises:
            OSError: it has none, or none that may be connected to.
        """
        found = _Found()
        self._guard.resolveHostName(found, host, port)
        addresses = await found.complete
        if not addresses:
            raise OSError(None, f"no address of {host} is known")
        self._guard.note_addresses(host, port, addresses)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Do nothing: the resolver is that of the crawl."""


@implementer(IResolutionReceiver)
class _Found:
    def __init__(self) -> None:
        self._addresses: list[str] = []
        self.complete: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()

    def resolutionBegan(self, resolution: Any) -> None:  # noqa: N802 - Twisted's names
        pass

    def addressResolved(self, address: Any) -> None:  # noqa: N802
        self._addresses.append(address.host)

    def resolutionComplete(self) -> None:  # noqa: N802
        if not self.complete.done():  # whoever asked may have given up
            self.complete.set_result(self._addresses)


def _open_socket(guard: GuardedResolver, address_info: Any) -> socket.socket:
    """Return the socket for a connection: no address gets past this, however it is spelled.

    Raises:
        PrivateAddress: there must be no connection.
        ValueError: it is no address, but something that a socket would look up.
    """
    family, type_, protocol, _, (address, port, *_) = address_info
    if not guard.is_proxy(address, port) and (kind := guard.refusal(address)):
        raise PrivateAddress(address, address, kind)
    return socket.socket(family, type_, protocol)


def _is_readable(protocol: Any) -> bool:
    with suppress(OSError, AttributeError):
        return is_readable(protocol.transport.get_extra_info("socket").fileno())
    return True
