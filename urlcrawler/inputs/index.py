"""Where each record is and which host it belongs to: 16 bytes a record, 4 more a host.

The list is read once. While reading, three 64-bit values are kept per record (byte offset, hash of
the request, hash of the host); then numpy sorts the hashes, which finds duplicates and hosts
without a single string in memory. Python's own `hash` is keyed by a random number at start, so a
list cannot be written to collide.
"""

import logging
from array import array
from collections.abc import Iterator
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

# In the array of hosts; numbers of real hosts begin behind them.
INVALID, DUPLICATE, FIRST_HOST = 0, 1, 2
# Instead of the hash of a host, which is cut to 63 bits and so never negative.
_NO_HOST, _REPEATED = -1, -2
_POSITIVE = 2**63 - 1
_MAX_RECORDS = 2**32 - 2  # positions are 32-bit
_REPORT_SECONDS = 5.0


class Resolved(NamedTuple):
    """A record and what it asks for: a target, or why there is none."""

    record: Record
    target: Target | InvalidUrl


class ListIndex:
    """The index of a list, and the way back from a position to its record.

    Positions are 1-based. Hosts are numbered by falling number of records, so that a crawl that
    opens them in order begins with those that take longest.

    Attributes:
        heads: position of the first record of each host, from number FIRST_HOST on.
        columns: names of the other columns of the list.
    """

    def __init__(self, reader: Reader, *, fetch_duplicates: bool = False, limit: int = 0) -> None:
        """Read the whole list (or its first *limit* records) once.

        Raises:
            ListError: the list holds no record, or cannot be read.
        """
        self._reader = reader
        self._offsets, requests, hosts = self._scan(limit)
        if not self._offsets:
            raise ListError(f"{reader.label}: the list is empty: it holds no record")
        self.columns = reader.columns
        self._next = np.zeros(len(self._offsets), np.uint32)
        if not fetch_duplicates:
            self._find_duplicates(requests, hosts)
        # What is not needed any more goes before the next array comes: see the module's figure.
        del requests
        hashes = np.frombuffer(hosts, np.int64)
        self._hosts = np.where(hashes == _NO_HOST, np.uint32(INVALID), np.uint32(FIRST_HOST))
        self._hosts[hashes == _REPEATED] = DUPLICATE
        order, begins = sort_by_value(hashes)
        del hashes, hosts
        self.heads = self._number_hosts(order, begins)

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
        """Return the next position of the same host, 0 when there is none."""
        return int(self._next[position - 1])

    def chain(self, positions: "array[int]") -> NDArray[np.uint32]:
        """Chain *positions* anew, host by host in the order of the list; return the first of each.

        Their place in the chains that were there before is lost.
        """
        indexes = np.sort(np.frombuffer(positions, np.uint32)) - np.uint32(1)
        indexes = indexes[np.argsort(self._hosts[indexes], kind="stable")]
        begins = np.ones(len(indexes), np.bool_)
        begins[1:] = self._hosts[indexes[1:]] != self._hosts[indexes[:-1]]
        self._next[indexes] = 0
        chained = ~begins[1:]
        self._next[indexes[:-1][chained]] = indexes[1:][chained] + np.uint32(1)
        return indexes[begins] + np.uint32(1)

    def without_request(self) -> Iterator[tuple[Record, InvalidUrl | int]]:
        """Yield the records that are not requested, in the order of the list.

        Each with its error, or for a duplicate with the position of the first.
        """
        for part in slices(len(self), overlap=0):
            for found in np.flatnonzero(self._hosts[part] < FIRST_HOST):
                position = part.start + int(found) + 1
                if self._hosts[position - 1] == DUPLICATE:
                    yield self.record(position), int(self._next[position - 1])
                else:
                    record, target = self.resolve(position)
                    if not isinstance(target, InvalidUrl):
                        target = InvalidUrl("bad-record", "the list has changed since it was read")
                    yield record, target

    def _scan(self, limit: int) -> tuple["array[int]", "array[int]", "array[int]"]:
        """Return per record its offset, the hash of its request and the hash of its host."""
        offsets, requests, hosts = array("Q"), array("q"), array("q")
        report = monotonic() + _REPORT_SECONDS
        for count, (offset, url) in enumerate(self._reader.scan(), 1):
            offsets.append(offset)
            try:
                target = parse_target(url or "")
            except InvalidUrl:
                requests.append(NO_REQUEST)
                hosts.append(_NO_HOST)
            else:
                asked = target if target.user else target.url
                requests.append(hash(asked) or 1)
                hosts.append(hash(target.host) & _POSITIVE)
            if count in (limit, _MAX_RECORDS):
                break
            if not count & 0xFFFF and monotonic() > report:
                logger.info("Reading the list: %(count)d records so far", {"count": count})
                report = monotonic() + _REPORT_SECONDS
        return offsets, requests, hosts

    def _find_duplicates(self, request_hashes: "array[int]", host_hashes: "array[int]") -> None:
        """Mark records that ask for the same as an earlier one, each verified in the list."""
        hosts = np.frombuffer(host_hashes, np.int64)
        for run in equal_runs(np.frombuffer(request_hashes, np.int64)):
            firsts: list[tuple[int, str]] = []  # more than one when two requests share a hash
            for index in map(int, np.sort(run)):
                url = self.record(index + 1).url
                same = next((at for at, other in firsts if self._ask_the_same(url, other)), 0)
                if same:
                    self._next[index] = same
                    hosts[index] = _REPEATED
                else:
                    firsts.append((index + 1, url))

    def _ask_the_same(self, url: str, other: str) -> bool:
        try:
            return url == other or parse_target(url) == parse_target(other)
        except InvalidUrl:
            label = self._reader.label
            raise ListError(f"{label}: the list has changed while it was read") from None

    def _number_hosts(
        self, order: NDArray[np.uint32], begins: NDArray[np.bool_]
    ) -> NDArray[np.uint32]:
        """Number the hosts, chain the records of each, and return the first of each chain.

        Args:
            order: indexes of the records, sorted by host.
            begins: for each place in *order*, whether a new host begins there.
        """
        starts = flatnonzero(begins)
        firsts = order[starts]
        sizes = np.diff(starts, append=np.uint32(len(order)))
        # A record without a request stands in a group too; groups are one or the other.
        sizes[self._hosts[firsts] < FIRST_HOST] = 0

        # Largest first, equal ones in the order of the list: one sortable number a host.
        count = int(np.count_nonzero(sizes))
        heads = sizes.astype(np.uint64)
        del sizes
        np.subtract(2**32 - 1, heads, out=heads)
        heads <<= np.uint64(32)
        heads |= firsts
        heads.sort()
        heads = heads[:count].astype(np.uint32)
        self._hosts[heads] = np.arange(FIRST_HOST, FIRST_HOST + len(heads), dtype=np.uint32)
        number_of_group = self._hosts[firsts]
        del starts, firsts

        group = -1
        for part in slices(len(order), overlap=1):
            indexes = order[part]
            groups = group + np.cumsum(begins[part])
            group = int(groups[-1]) - int(begins[part][-1])  # the next slice begins with it again
            numbers = number_of_group[groups]
            wanted = numbers >= FIRST_HOST
            self._hosts[indexes[wanted]] = numbers[wanted]
            chained = wanted[1:] & ~begins[part][1:]
            self._next[indexes[:-1][chained]] = indexes[1:][chained] + np.uint32(1)
        return heads + np.uint32(1)
