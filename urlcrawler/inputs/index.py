"""Where each record is and which origin it belongs to: 16 bytes a record, 4 more an origin.

The list is read once. While reading, three 64-bit values are kept per record (byte offset, hash of
the request, hash of the origin); then numpy sorts the hashes, which finds duplicates and origins
without a single string in memory. Python's own `hash` is keyed by a random number at start, so a
list cannot be written to collide.
"""

import logging
from array import array
from collections.abc import Callable, Iterator
from time import monotonic
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from urlcrawler.exceptions import InvalidUrl, ListError
from urlcrawler.inputs.grouping import NO_REQUEST, equal_runs, flatnonzero, slices, sort_by_value
from urlcrawler.inputs.readers import Reader
from urlcrawler.inputs.records import Record
from urlcrawler.inputs.urls import Target, parse_target

logger = logging.getLogger(__name__)

# In the array of origins; numbers of real ones begin behind them.
INVALID, DUPLICATE, FIRST_ORIGIN = 0, 1, 2
# Instead of the hash of an origin, which is cut to 63 bits and so never negative.
_NO_ORIGIN, _REPEATED = -1, -2
_POSITIVE = 2**63 - 1
_MAX_RECORDS = 2**32 - 2  # positions are 32-bit
_REPORT_SECONDS = 5.0


class Resolved(NamedTuple):
    """A record and what it asks for: a target, or why there is none."""

    record: Record
    target: Target | InvalidUrl


class ListIndex:
    """The index of a list, and the way back from a position to its record.

    Positions are 1-based. Origins are numbered by falling number of records, so that a crawl that
    opens them in order begins with those that take longest.

    Attributes:
        heads: position of the first record of each origin, from number FIRST_ORIGIN on.
        origins: number of the origin of each record; INVALID and DUPLICATE for those without.
        columns: names of the other columns of the list.
    """

    def __init__(self, reader: Reader, *, fetch_duplicates: bool = False, limit: int = 0) -> None:
        """Read the whole list (or its first *limit* records) once.

        Raises:
            ListError: the list holds no record, or cannot be read.
        """
        self._reader = reader
        self._offsets, requests, origins = self._scan(limit)
        if not self._offsets:
            raise ListError(f"{reader.label}: the list is empty: it holds no record")
        self.columns = reader.columns
        self._next = np.zeros(len(self._offsets), np.uint32)
        if not fetch_duplicates:
            self._find_duplicates(requests, origins)
        # What is not needed any more goes before the next array comes: see the module's figure.
        del requests
        hashes = np.frombuffer(origins, np.int64)
        self.origins = np.where(hashes == _NO_ORIGIN, np.uint32(INVALID), np.uint32(FIRST_ORIGIN))
        self.origins[hashes == _REPEATED] = DUPLICATE
        order, begins = sort_by_value(hashes)
        del hashes, origins
        self.heads = self._number_origins(order, begins)
        self._origin_count = len(self.heads)  # a shard has fewer heads

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self._offsets)

    def record(self, position: int) -> Record:
        """Return the record at *position*, read again from the list."""
        return self._reader.read(self._offsets[position - 1], position)

    def resolve(self, position: int) -> Resolved:
        """Return the record at *position* and what it asks for."""
        record = self.record(position)
        if record.problem is not None:
            return Resolved(record, InvalidUrl("bad-record", record.problem))
        try:
            return Resolved(record, parse_target(record.url))
        except InvalidUrl as error:
            return Resolved(record, error)

    def following(self, position: int) -> int:
        """Return the next position of the same origin, 0 when there is none."""
        return int(self._next[position - 1])

    def sizes(self, done: NDArray[np.bool_] | None = None) -> NDArray[np.uint32]:
        """Return for each origin, from number FIRST_ORIGIN on, how many records are to be crawled.

        Args:
            done: by position, from 0 on, whether a record has its row; None when none has.
        """
        sizes = np.zeros(self._origin_count, np.uint32)
        for part in slices(len(self), overlap=0):
            wanted = self.origins[part] >= FIRST_ORIGIN
            if done is not None:
                wanted &= ~done[part]
            np.add.at(sizes, self.origins[part][wanted] - FIRST_ORIGIN, 1)
        return sizes

    def chain(self, positions: "array[int]") -> NDArray[np.uint32]:
        """Chain *positions* anew by origin, in the order of the list; return the first of each.

        Their place in the chains that were there before is lost.
        """
        indexes = np.sort(np.frombuffer(positions, np.uint32)) - np.uint32(1)
        indexes = indexes[np.argsort(self.origins[indexes], kind="stable")]
        begins = np.ones(len(indexes), np.bool_)
        begins[1:] = self.origins[indexes[1:]] != self.origins[indexes[:-1]]
        self._next[indexes] = 0
        chained = ~begins[1:]
        self._next[indexes[:-1][chained]] = indexes[1:][chained] + np.uint32(1)
        return indexes[begins] + np.uint32(1)

    def without_request(
        self, done: Callable[[int], bool] = lambda position: False
    ) -> Iterator[tuple[Record, InvalidUrl | int]]:
        """Yield the records that are not requested and not *done*, in the order of the list.

        Each with its error, or for a duplicate with the position of the first.
        """
        for part in slices(len(self), overlap=0):
            for found in np.flatnonzero(self.origins[part] < FIRST_ORIGIN):
                position = part.start + int(found) + 1
                if done(position):
                    continue
                if self.origins[position - 1] == DUPLICATE:
                    yield self.record(position), int(self._next[position - 1])
                else:
                    record, target = self.resolve(position)
                    if not isinstance(target, InvalidUrl):
                        target = InvalidUrl("bad-record", "the list has changed since it was read")
                    yield record, target

    def _scan(self, limit: int) -> tuple["array[int]", "array[int]", "array[int]"]:
        """Return per record its offset, the hash of its request and the hash of its origin."""
        offsets, requests, origins = array("Q"), array("q"), array("q")
        report = monotonic() + _REPORT_SECONDS
        for count, (offset, url) in enumerate(self._reader.scan(), 1):
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

    def _find_duplicates(self, request_hashes: "array[int]", origin_hashes: "array[int]") -> None:
        """Mark records that ask for the same as an earlier one, each verified in the list."""
        origins = np.frombuffer(origin_hashes, np.int64)
        for run in equal_runs(np.frombuffer(request_hashes, np.int64)):
            firsts: list[tuple[int, str]] = []  # more than one when two requests share a hash
            for index in map(int, np.sort(run)):
                url = self.record(index + 1).url
                same = next((at for at, other in firsts if self._ask_the_same(url, other)), 0)
                if same:
                    self._next[index] = same
                    origins[index] = _REPEATED
                else:
                    firsts.append((index + 1, url))

    def _ask_the_same(self, url: str, other: str) -> bool:
        try:
            return url == other or parse_target(url) == parse_target(other)
        except InvalidUrl:
            label = self._reader.label
            raise ListError(f"{label}: the list has changed while it was read") from None

    def _number_origins(
        self, order: NDArray[np.uint32], begins: NDArray[np.bool_]
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
        sizes[self.origins[firsts] < FIRST_ORIGIN] = 0

        # Largest first, equal ones in the order of the list: one sortable number an origin.
        count = int(np.count_nonzero(sizes))
        heads = sizes.astype(np.uint64)
        del sizes
        np.subtract(2**32 - 1, heads, out=heads)
        heads <<= np.uint64(32)
        heads |= firsts
        heads.sort()
        heads = heads[:count].astype(np.uint32)
        self.origins[heads] = np.arange(FIRST_ORIGIN, FIRST_ORIGIN + len(heads), dtype=np.uint32)
        number_of_group = self.origins[firsts]
        del starts, firsts

        group = -1
        for part in slices(len(order), overlap=1):
            indexes = order[part]
            groups = group + np.cumsum(begins[part])
            group = int(groups[-1]) - int(begins[part][-1])  # the next slice begins with it again
            numbers = number_of_group[groups]
            wanted = numbers >= FIRST_ORIGIN
            self.origins[indexes[wanted]] = numbers[wanted]
            chained = wanted[1:] & ~begins[part][1:]
            self._next[indexes[:-1][chained]] = indexes[1:][chained] + np.uint32(1)
        return heads + np.uint32(1)
