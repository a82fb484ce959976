"""The hosts of a list, counted: 16 bytes an origin, and no name of them in memory."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from urlcrawler.inputs.index import ListIndex
from urlcrawler.inputs.shards import key_of
from urlcrawler.inputs.urls import Target


class Census:
    """The hosts, or groups of hosts that are polite together, by number.

    Attributes:
        group: returns the name of the group in which a host is polite.
        host_of_origin: the number of the host of each origin, in the order of the index.
    """

    def __init__(
        self, index: ListIndex, sizes: NDArray[np.uint32], group: Callable[[str], str]
    ) -> None:
        """Read one record of each origin.

        Args:
            sizes: for each origin how many records it has; without any it does not count.
        """
        self._index = index
        self.group = group
        origins = np.flatnonzero(sizes)
        keys = np.empty(len(origins), np.uint64)
        for place, origin in enumerate(origins):
            keys[place] = key_of(self._name(int(index.arrays.heads[origin])))
        self._keys, firsts, numbers = np.unique(keys, return_index=True, return_inverse=True)
        self._heads: NDArray[np.uint32] = index.arrays.heads[origins[firsts]]
        self.host_of_origin = np.zeros(len(sizes), np.uint32)
        self.host_of_origin[origins] = numbers

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._keys)

    def records(self, sizes: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Return for each host the sum of what its origins have in *sizes*."""
        sums = np.bincount(self.host_of_origin, sizes.astype(np.float64), len(self))
        return sums.astype(np.int64)

    def largest(self, values: NDArray[Any], most: int) -> NDArray[np.intp]:
        """Return the hosts with the largest *values*, equal ones in the order of the list."""
        return np.lexsort((self._heads, -values))[:most]

    def name(self, number: int) -> str:
        """Return the name of a host, read again from the list."""
        return self._name(int(self._heads[number]))

    def number(self, name: str) -> int | None:
        """Return the number of the host with this *name*, None when the list has none."""
        key = np.uint64(key_of(name))
        place = int(np.searchsorted(self._keys, key))
        return place if place < len(self) and self._keys[place] == key else None

    def _name(self, position: int) -> str:
        target = self._index.resolve(position).target
        return self.group(target.host if isinstance(target, Target) else "")
