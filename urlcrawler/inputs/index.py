"""Where each record is and which origin it belongs to: 16 bytes a record, 4 more an origin."""

from array import array
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from urlcrawler.exceptions import InvalidUrl
from urlcrawler.inputs.building import DUPLICATE, FIRST_ORIGIN, Arrays, build
from urlcrawler.inputs.grouping import slices
from urlcrawler.inputs.readers import Reader
from urlcrawler.inputs.records import Record
from urlcrawler.inputs.urls import Target, parse_target


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
        reader: of the list.
        arrays: what the index consists of; of a shard it has the heads of all.
    """

    def __init__(
        self,
        reader: Reader,
        *,
        fetch_duplicates: bool = False,
        limit: int = 0,
        arrays: Arrays | None = None,
    ) -> None:
        """Read the whole list (or its first *limit* records) once, unless *arrays* are known.

        Raises:
            ListError: the list holds no record, or cannot be read.
        """
        self.reader = reader
        arrays = arrays or build(reader, fetch_duplicates=fetch_duplicates, limit=limit)
        self._offsets, self._next, self.origins, self.heads = self.arrays = arrays
        self.columns = reader.columns

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self._offsets)

    def record(self, position: int) -> Record:
        """Return the record at *position*, read again from the list."""
        return self.reader.read(int(self._offsets[position - 1]), position)

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
        sizes = np.zeros(len(self.arrays.heads), np.uint32)  # a shard has fewer heads
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
