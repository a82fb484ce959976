"""Compressed bodies, unpacked as far as they may be, and told apart from the first part of one.

Scrapy's functions for it return what they could unpack, as if that was all; the standard library's
unpack without a limit, or do not say where a stream ends.
"""

import sys
import zlib
from collections.abc import Callable
from typing import Protocol

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd as zstd
else:
    from backports import zstd as zstd

_PIECE = 65536  # bytes that are unpacked at once
MOST_STREAMS = 10_000  # in one body: of empty ones a body may have a million
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"  # what each further stream begins with

BROKEN = (zlib.error, brotli.error, zstd.ZstdError)  # what unpacking raises besides these:


class IncompleteError(Exception):
    """Raised for a stream without its end."""


class TooLargeError(Exception):
    """Raised when more comes out than there may be."""


def unpack(body: bytes, encoding: str, most: int = 0) -> bytes:
    """Return *body* unpacked; one without a byte is what it is.

    Args:
        encoding: a content coding: gzip, x-gzip, deflate, br or zstd.
        most: bytes that may come out; 0 is no limit.

    Raises:
        IncompleteError: it ends too early.
        TooLargeError: more than *most* bytes come out.
        zlib.error, brotli.error, zstd.ZstdError: it is damaged, or packed otherwise.
    """
    if not body:
        return body
    if encoding in ("gzip", "x-gzip"):
        return _streams(lambda: zlib.decompressobj(31), body, most, _GZIP)
    if encoding == "deflate":
        # zlib's header is a check; some servers send none.
        is_raw = body[0] & 15 != zlib.DEFLATED or int.from_bytes(body[:2]) % 31 != 0
        return _streams(lambda: zlib.decompressobj(-15 if is_raw else 15), body, most)
    if encoding == "zstd":
        return _streams(zstd.ZstdDecompressor, body, most, _ZSTD)
    return _brotli(body, most)


class _Decompressor(Protocol):
    """What zlib and zstd have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _streams(new: Callable[[], _Decompressor], body: bytes, most: int, magic: bytes = b"") -> bytes:
    """Unpack a stream and those that follow it; what else follows is no part of it."""
    out, place = bytearray(), 0
    for _ in range(MOST_STREAMS):
        place = _stream(new(), body, place, out, most)
        if not (magic and body.startswith(magic, place)):
            return bytes(out)
    raise TooLargeError(f"more than {MOST_STREAMS} streams, one after the other")


def _stream(stream: _Decompressor, body: bytes, place: int, out: bytearray, most: int) -> int:
    """Unpack one stream that begins at *place* into *out*; return where it ends.

    It is fed piece by piece: what is left over comes back as a copy.
    """
    while not stream.eof:
        waits: bytes = getattr(stream, "unconsumed_tail", b"")  # zlib gives back what it had no
        if not waits and getattr(stream, "needs_input", True):  # room for, zstd keeps it
            waits = body[place : place + _PIECE]
            place += len(waits)
            if not waits:
                raise IncompleteError("the compressed body ends too early")
        out += stream.decompress(waits, _PIECE)
        if most and len(out) > most:
            raise TooLargeError(f"more than {most} bytes unpacked")
    return place - len(stream.unused_data)


def _brotli(body: bytes, most: int) -> bytes:
    out, stream = bytearray(), brotli.Decompressor()
    piece = stream.process(body, output_buffer_limit=_PIECE)
    while piece or not stream.is_finished():
        out += piece
        if most and len(out) > most:
            raise TooLargeError(f"more than {most} bytes unpacked")
        if stream.is_finished():
            break
        piece = stream.process(b"", output_buffer_limit=_PIECE)
        if not piece and not stream.is_finished():
            raise IncompleteError("the compressed body ends too early")
    return bytes(out)
