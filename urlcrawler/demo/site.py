"""Run the local site: sockets, the table of routes, and the counters."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import json
import socket
from collections import Counter
from collections.abc import Mapping, Sequence

from urlcrawler.demo.connection import Connection
from urlcrawler.demo.messages import Handler, Request, Response, head

__all__ = ["Handler", "Request", "Response", "Site", "head"]

BACKLOG = 1024  # a benchmark opens hundreds of connections at the same moment
STATS = "/__stats__"
LOOPBACK_V4 = ipaddress.IPv4Network("127.0.0.0/8")
LOOPBACK_V6 = ipaddress.IPv6Address("::1")
TRIES = 20  # for a port that is free on every address


class Site:
    """Serve a table of routes over HTTP/1.1, on one port of every address in `hosts`.

    A key of `routes` is an exact path ("/ok") or a prefix that ends in "*" ("/page/*"); an exact
    path wins over a prefix, and a longer prefix over a shorter one. An unknown path is a 404.
    On every route `?delay=0.2` delays the answer by so many seconds, at most 30.

    Attributes:
        port: The port, the same on every address; known once `start()` has returned.
        counts: Requests so far, by (host, path). `/__stats__` shows them and is not counted.
        in_flight: Requests being answered now, by host.
        peak_in_flight: The highest `in_flight` so far, by host.
        visits: What handlers remember of earlier requests.
        connections: The connections that are open now.

    Raises ValueError when an address is not a loopback address: pages that misbehave on purpose
    must not be reachable from another machine.
    """

    def __init__(
        self,
        routes: Mapping[str, Handler],
        hosts: Sequence[str] = ("127.0.0.1",),
        port: int = 0,
    ) -> None:
        self.hosts = [checked(host) for host in hosts]
        if not self.hosts:
            raise ValueError("argument `hosts`: empty. Give at least one address: 127.0.0.1")
        self.port = port
        self.counts: Counter[tuple[str, str]] = Counter()
        self.in_flight: Counter[str] = Counter()
        self.peak_in_flight: Counter[str] = Counter()
        self.visits: Counter[tuple[str, str]] = Counter()
        self.connections: set[Connection] = set()
        self._exact = {STATS: self._stats, **routes}
        prefixes = [(key[:-1], handler) for key, handler in routes.items() if key.endswith("*")]
        self._prefixes = sorted(prefixes, key=lambda pair: len(pair[0]), reverse=True)
        self._servers: list[asyncio.Server] = []

    async def start(self) -> None:
        """Listen on every address. Raises OSError when the port asked for is taken."""
        loop = asyncio.get_running_loop()
        sockets = listen(self.hosts, self.port)
        self.port = sockets[0].getsockname()[1]
        for sock in sockets:
            server = await loop.create_server(lambda: Connection(self), sock=sock, backlog=BACKLOG)
            self._servers.append(server)

    async def close(self) -> None:
        """Stop listening, cut every connection, and return when no handler runs any more."""
        for server in self._servers:
            server.close()
        tasks = [connection.task for connection in self.connections if connection.task]
        for task in tasks:
            task.cancel()
        for connection in list(self.connections):
            connection.transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()

    def handler(self, path: str) -> Handler:
        """Return the handler of a decoded path."""
        if path in self._exact:
            return self._exact[path]
        for prefix, handler in self._prefixes:
            if path.startswith(prefix):
                return handler
        return not_found

    def enter(self, request: Request) -> None:
        """Count a request that has arrived."""
        if request.path == STATS:
            return
        self.counts[request.host, request.path] += 1
        self.in_flight[request.host] += 1
        now = self.in_flight[request.host]
        if now > self.peak_in_flight[request.host]:
            self.peak_in_flight[request.host] = now

    def leave(self, request: Request) -> None:
        """Count a request as answered, or as given up."""
        if request.path != STATS:
            self.in_flight[request.host] -= 1

    async def _stats(self, request: Request) -> Response:
        stats = {
            "requests": {f"{host} {path}": n for (host, path), n in self.counts.items()},
            "total": self.counts.total(),
            "peak": self.peak_in_flight,
        }
        return Response(json.dumps(stats).encode(), content_type="application/json")


async def not_found(request: Request) -> Response:
    """Answer 404."""
    return Response(b"<title>Not found</title>", status=404)


def checked(host: str) -> str:
    """Return `host` if it is a loopback address, or raise ValueError."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        pass  # a name: it could stand for any address
    else:
        if address in LOOPBACK_V4 or address == LOOPBACK_V6:
            return host
    raise ValueError(
        f"argument `hosts`: not a loopback address: {host!r}. Use 127.x.y.z (a number) or ::1"
    )


def listen(hosts: Sequence[str], port: int) -> list[socket.socket]:
    """Return one listening socket per address, all on the same port; port 0 finds a free one."""
    for tries_left in reversed(range(TRIES)):
        sockets: list[socket.socket] = []
        chosen = port
        try:
            for host in hosts:
                family = socket.AF_INET6 if ":" in host else socket.AF_INET
                sock = socket.socket(family, socket.SOCK_STREAM)
                sockets.append(sock)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind((host, chosen))
                # With SO_REUSEADDR a clash may only show here, not in bind().
                sock.listen(BACKLOG)
                chosen = sock.getsockname()[1]
        except OSError as error:
            for sock in sockets:
                sock.close()
            if port or not tries_left or error.errno != errno.EADDRINUSE:
                raise
        else:
            return sockets
    raise AssertionError("unreachable: the last try returns or raises")
