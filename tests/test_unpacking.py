"""Compressed bodies: whole, or not at all."""

import gzip
import zlib
from collections.abc import Callable
from time import process_time

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from urlcrawler.unpacking import BROKEN, IncompleteError, TooLargeError, unpack, zstd


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "br": ("br", brotli.compress),
    "zstd": ("zstd", zstd.compress),
}
packed = pytest.mark.parametrize(("coding", "pack"), PACKED.values(), ids=PACKED)
bodies = st.binary() | st.builds(bytes.__mul__, st.binary(min_size=1), st.integers(1, 20_000))


@packed
@given(data=bodies)
def test_what_was_packed_comes_out(
    coding: str, pack: Callable[[bytes], bytes], data: bytes
) -> None:
    """Of any size, with a limit that it just keeps, and without one."""
    assert unpack(pack(data), coding) == data
    assert unpack(pack(data), coding, max(1, len(data))) == data


@packed
@given(data=bodies, place=st.floats(0, 1, exclude_max=True))
def test_a_part_never_passes_for_the_whole(
    coding: str, pack: Callable[[bytes], bytes], data: bytes, place: float
) -> None:
    """Wherever it is cut; nothing at all is the page of a server that sends nothing."""
    whole = pack(data)
    part = whole[: int(len(whole) * place)]
    if not part:
        assert unpack(part, coding) == b""
        return
    with pytest.raises((IncompleteError, *BROKEN)):
        unpack(part, coding)


@packed
@given(data=bodies.filter(len))
def test_no_more_comes_out_than_may(
    coding: str, pack: Callable[[bytes], bytes], data: bytes
) -> None:
    """One byte too many is too many."""
    if len(data) > 1:
        with pytest.raises(TooLargeError):
            unpack(pack(data), coding, len(data) - 1)


@given(data=st.binary(), coding=st.sampled_from(["gzip", "deflate", "br", "zstd"]))
def test_anything_may_come(data: bytes, coding: str) -> None:
    """It is unpacked, or one of these is raised."""
    try:
        unpack(data, coding, 1_000_000)
    except (IncompleteError, TooLargeError, *BROKEN):
        pass


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_streams_may_follow_one_another(coding: str) -> None:
    """As both formats allow; zeros and other remains after the last are no part of it."""
    pack = PACKED[coding][1]
    assert unpack(pack(b"one") + pack(b"two"), coding) == b"onetwo"
    assert unpack(pack(b"one") + bytes(100), coding) == b"one"


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_body_of_empty_streams_is_given_up(coding: str) -> None:
    """A million of them, each unpacked from a copy of the rest, would take minutes."""
    body = PACKED[coding][1](b"") * 300_000
    began = process_time()
    with pytest.raises(TooLargeError, match="10000 streams"):
        unpack(body, coding)
    assert process_time() - began < 5  # a fifth of a second; it was half an hour
    assert unpack(PACKED[coding][1](b"ab") * 9_000, coding) == b"ab" * 9_000
