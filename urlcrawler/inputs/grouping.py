"""Equal values in arrays of millions, without a second array as long as the first.

Every step works in slices: numpy would otherwise make 64-bit copies in between, and these are what
a long list has no room for.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

NO_REQUEST = 0  # a value that belongs to no group
_SLICE = 1 << 16


def sort_by_value(hashes: NDArray[np.int64]) -> tuple[NDArray[np.uint32], NDArray[np.bool_]]:
    """Return the indexes sorted by hash, and where among them a new hash begins."""
    order = np.argsort(hashes, kind="stable").astype(np.uint32)
    begins = np.ones(len(order), np.bool_)
    for part in slices(len(order), overlap=1):
        in_order = hashes[order[part]]
        begins[part][1:] = in_order[1:] != in_order[:-1]
    return order, begins


def flatnonzero(flags: NDArray[np.bool_]) -> NDArray[np.uint32]:
    """Do what numpy's does, without an array of 64-bit numbers in between."""
    found = np.empty(int(np.count_nonzero(flags)), np.uint32)
    filled = 0
    for part in slices(len(flags), overlap=0):
        places = np.flatnonzero(flags[part])
        found[filled : filled + len(places)] = places + part.start
        filled += len(places)
    return found


def equal_runs(hashes: NDArray[np.int64]) -> Iterator[NDArray[np.uint32]]:
    """Yield the indexes of each value that is there more than once, NO_REQUEST excepted."""
    order = np.argsort(hashes).astype(np.uint32)
    begin, inside = 0, False
    for part in slices(len(order), overlap=1):
        in_order = hashes[order[part]]
        equal = (in_order[1:] == in_order[:-1]) & (in_order[1:] != NO_REQUEST)
        for change in np.flatnonzero(np.diff(equal, prepend=inside)):
            if inside:
                yield order[begin : part.start + int(change) + 1]
            begin, inside = part.start + int(change), not inside
    if inside:
        yield order[begin:]


def slices(length: int, overlap: int) -> Iterator[slice]:
    """Yield slices of at most _SLICE + *overlap*, so that no step doubles a long array."""
    for start in range(0, length, _SLICE):
        yield slice(start, min(start + _SLICE + overlap, length))
