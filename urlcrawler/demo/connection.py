"""Serve one connection of the local site, request by request."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from typing import TYPE_CHECKING, cast

from urlcrawler.demo.messages import Request, Response, head, parse

if TYPE_CHECKING:
    from urlcrawler.demo.site import Site

logger = logging.getLogger(__name__)

MAX_HEAD = 64 * 1024
MAX_BODY = 1024 * 1024
MAX_DELAY = 30.0
TLS_HANDSHAKE = b"\x16\x03"
WITHOUT_BODY = frozenset({204, 304})


class Connection(asyncio.Protocol):
    """Read requests, answer them one after the other, and stop as soon as the client leaves.

    A protocol, not streams: it must notice at once that a client gave up, or a request that is
    still being delayed would count as in flight and the site would report too high a peak.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.buffer = bytearray()
        self.task: asyncio.Task[None] | None = None
        self.room: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection, so that the site can cut it when it closes."""
        self.transport = cast(asyncio.Transport, transport)
        self.site.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up the request that was being answered."""
        # Also after a mere end of input: a crawler never closes one direction only.
        self.site.connections.discard(self)
        if self.task:
            self.task.cancel()

    def pause_writing(self) -> None:
        """Make `send()` wait: the client reads more slowly than a handler writes."""
        self.room = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """Let `send()` go on."""
        if self.room and not self.room.done():
            self.room.set_result(None)
        self.room = None

    def data_received(self, data: bytes) -> None:
        """Collect bytes, and stop reading from a client that sends too far ahead."""
        self.buffer += data
        if self.task is None:
            self._next()
        elif len(self.buffer) > MAX_HEAD:
            self.transport.pause_reading()

    async def send(self, data: bytes) -> None:
        """Write bytes as they are, and wait while the client does not read them."""
        self.transport.write(data)
        if self.room:
            await self.room

    def close(self) -> None:
        """Close the connection in the normal way, after what was written."""
        self.transport.close()

    def reset(self) -> None:
        """Close the connection with a TCP reset."""
        sock = self.transport.get_extra_info("socket")
        # Lingering for 0 seconds makes the kernel send RST instead of FIN.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _next(self) -> None:
        """Start to answer the next request, if all of it has arrived."""
        if self.buffer.startswith(TLS_HANDSHAKE):
            self._refuse(400)  # as other servers do, instead of waiting for the rest
            return
        end = self.buffer.find(b"\r\n\r\n", 0, MAX_HEAD)
        if end < 0:
            if len(self.buffer) >= MAX_HEAD:
                self._refuse(431)
            return
        try:
            request = parse(bytes(self.buffer[:end]), self, self.site.visits)
            length = int(request.headers.get("content-length", 0))
        except ValueError:
            self._refuse(400)
            return
        if not 0 <= length <= MAX_BODY or "transfer-encoding" in request.headers:
            self._refuse(413)
            return
        if len(self.buffer) < end + 4 + length:
            return
        # No route looks at the body of a request; it is read only to find the next request.
        del self.buffer[: end + 4 + length]
        self.task = asyncio.get_running_loop().create_task(self._answer(request))

    def _refuse(self, status: int) -> None:
        headers = [("Content-Length", "0"), ("Connection", "close")]
        self.transport.write(head(status, headers))
        self.close()

    async def _answer(self, request: Request) -> None:
        self.site.enter(request)
        try:
            if delay := request.number("delay", 0.0, MAX_DELAY):
                await asyncio.sleep(delay)
            response = await self.site.handler(request.path)(request)
            if response is not None:
                await self._respond(request, response)
        except Exception:
            logger.exception("The handler of %s failed", request.target)
            self._refuse(500)
        else:
            if response is None or not request.keep_alive:
                self.close()
        finally:
            self.site.leave(request)
            self.task = None
        if not self.transport.is_closing():
            self.transport.resume_reading()
            self._next()

    async def _respond(self, request: Request, response: Response) -> None:
        headers = list(response.headers)
        body = response.body
        chunked = False
        if response.content_type:
            headers.append(("Content-Type", response.content_type))
        if not request.keep_alive:
            headers.append(("Connection", "close"))
        if isinstance(body, bytes):
            if response.status not in WITHOUT_BODY:
                headers.append(("Content-Length", str(len(body))))
        elif not any(name == "Content-Length" for name, _ in headers):
            chunked = True
            headers.append(("Transfer-Encoding", "chunked"))
        start = head(response.status, headers)
        if request.method == "HEAD" or response.status in WITHOUT_BODY:
            await self.send(start)
        elif isinstance(body, bytes):
            await self.send(start + body)
        else:
            await self.send(start)
            async for piece in body:
                await self.send(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            if chunked:
                await self.send(b"0\r\n\r\n")
