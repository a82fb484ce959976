"""Reads a list once, and finds in it who belongs to whom.

While reading, three 64-bit values are kept per record (byte offset, hash of the request, hash of
the origin); then numpy sorts the hashes, which finds duplicates and origins without a single string
in memory. Python's own `hash` is keyed by a random number at start, so a list cannot be written to
collide.
"""

import logging
from array import array
from time import monotonic
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from urlcrawler.exceptions import InvalidUrl, ListError
from urlcrawler.inputs.grouping import NO_REQUEST, equal_runs, flatnonzero, slices, sort_by_value
from urlcrawler.inputs.readers import Reader
from urlcrawler.inputs.urls import parse_target

logger = logging.getLogger(__name__)

# In the array of origins; numbers of real ones begin behind them.
INVALID, DUPLICATE, FIRST_ORIGIN = 0, 1, 2
# Instead of the hash of an origin, which is cut to 63 bits and so never negative.
_NO_ORIGIN, _REPEATED = -1, -2
_POSITIVE = 2**63 - 1
_MAX_RECORDS = 2**32 - 2  # positions are 32-bit
_REPORT_SECONDS = 5.0


class Arrays(NamedTuple):
    """What is known of the records of a list, by their place in it, from 0 on.

    Attributes:
        offsets: byte at which each begins.
        following: next position of the same origin; of a duplicate that of the first; else 0.
        origins: number of the origin of each; INVALID and DUPLICATE for those without.
        heads: position of the first record of each origin, from number FIRST_ORIGIN on.
    """

    offsets: NDArray[np.uint64]
    following: NDArray[np.uint32]
    origins: NDArray[np.uint32]
    heads: NDArray[np.uint32]


def build(reader: Reader, *, fetch_duplicates: bool, limit: int) -> Arrays:
    """Read the whole list, or its first *limit* records.

    Raises:
        ListError: the list holds no record, or cannot be read.
    """
    found, requests, origin_hashes = _scan(reader, limit)
    if not found:
        raise ListError(f"{reader.label}: the list is empty: it holds no record")
    offsets = np.frombuffer(found, np.uint64)
    following = np.zeros(len(offsets), np.uint32)
    if not fetch_duplicates:
        _find_duplicates(reader, offsets, requests, origin_hashes, following)
    # What is not needed any more goes before the next array comes: see the index's figure.
    del requests
    hashes = np.frombuffer(origin_hashes, np.int64)
    origins = np.where(hashes == _NO_ORIGIN, np.uint32(INVALID), np.uint32(FIRST_ORIGIN))
    origins[hashes == _REPEATED] = DUPLICATE
    order, begins = sort_by_value(hashes)
    del hashes, origin_hashes
    heads = _number_origins(order, begins, origins, following)
    return Arrays(offsets, following, origins, heads)


def _scan(reader: Reader, limit: int) -> tuple["array[int]", "array[int]", "array[int]"]:
    """Return per record its offset, the hash of its request and the hash of its origin."""
    offsets, requests, origins = array("Q"), array("q"), array("q")
    report = monotonic() + _REPORT_SECONDS
    for count, (offset, url) in enumerate(reader.scan(), 1):
        offsets.append(offset)
        try:
            target = parse_target(url or "")
        except InvalidUrl:
            requests.append(NO_REQUEST)
            origins.append(_NO_ORIGIN)
        else:
            asked = target if target.user else target.url
            requests.append(hash(asked) or 1)
            origins.append(hash(target.origin) & _POSITIVE)
        if count in (limit, _MAX_RECORDS):
            break
        if not count & 0xFFFF and monotonic() > report:
            logger.info("Reading the list: %(count)d records so far", {"count": count})
            report = monotonic() + _REPORT_SECONDS
    return offsets, requests, origins


def _find_duplicates(
    reader: Reader,
    offsets: NDArray[np.uint64],
    request_hashes: "array[int]",
    origin_hashes: "array[int]",
    following: NDArray[np.uint32],
) -> None:
    """Mark records that ask for the same as an earlier one, each verified in the list."""
    origins = np.frombuffer(origin_hashes, np.int64)
    for run in equal_runs(np.frombuffer(request_hashes, np.int64)):
        firsts: list[tuple[int, str]] = []  # more than one when two requests share a hash
        for index in map(int, np.sort(run)):
            url = reader.read(int(offsets[index]), index + 1).url
            same = next((at for at, other in firsts if _ask_the_same(reader, url, other)), 0)
            if same:
                following[index] = same
                origins[index] = _REPEATED
            else:
                firsts.append((index + 1, url))


def _ask_the_same(reader: Reader, url: str, other: str) -> bool:
    try:
        return url == other or parse_target(url) == parse_target(other)
    except InvalidUrl:
        raise ListError(f"{reader.label}: the list has changed while it was read") from None


def _number_origins(
    order: NDArray[np.uint32],
    begins: NDArray[np.bool_],
    origins: NDArray[np.uint32],
    following: NDArray[np.uint32],
) -> NDArray[np.uint32]:
    """Number the origins, chain the records of each, and return the first of each chain.

    Args:
        order: indexes of the records, sorted by origin.
        begins: for each place in *order*, whether a new origin begins there.
    """
    starts = flatnonzero(begins)
    firsts = order[starts]
    sizes = np.diff(starts, append=np.uint32(len(order)))
    # A record without a request stands in a group too; groups are one or the other.
    sizes[origins[firsts] < FIRST_ORIGIN] = 0

    # Largest first, equal ones in the order of the list: one sortable number an origin.
    count = int(np.count_nonzero(sizes))
    heads = sizes.astype(np.uint64)
    del sizes
    np.subtract(2**32 - 1, heads, out=heads)
    heads <<= np.uint64(32)
    heads |= firsts
    heads.sort()
    heads = heads[:count].astype(np.uint32)
    origins[heads] = np.arange(FIRST_ORIGIN, FIRST_ORIGIN + len(heads), dtype=np.uint32)
    number_of_group = origins[firsts]
    del starts, firsts

    group = -1
    for part in slices(len(order), overlap=1):
        indexes = order[part]
        groups = group + np.cumsum(begins[part])
        group = int(groups[-1]) - int(begins[part][-1])  # the next slice begins with it again
        numbers = number_of_group[groups]
        wanted = numbers >= FIRST_ORIGIN
        origins[indexes[wanted]] = numbers[wanted]
        chained = wanted[1:] & ~begins[part][1:]
        following[indexes[:-1][chained]] = indexes[1:][chained] + np.uint32(1)
    return heads + np.uint32(1)
