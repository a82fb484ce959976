"""The records that are tried once more when all others are done."""

from array import array
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from urlcrawler.inputs.index import ListIndex
from urlcrawler.outcomes import ERRORS

_ERRORS = list(ERRORS)


class Deferred(NamedTuple):
    """What is known of a record that waits for its last round.

    Attributes:
        attempts: how often it was requested.
        error: slug of why it failed.
        status: HTTP status of the last answer; None when there was none.
    """

    attempts: int
    error: str
    status: int | None


class LastRound:
    """Its records: 4 bytes each, and 4 bytes for each record of the list."""

    def __init__(self, index: ListIndex) -> None:
        self._index = index
        self._positions = array("I")
        self._known: NDArray[np.uint32] | None = None  # by position: attempts, error, status

    def __bool__(self) -> bool:
        """Whether a record waits for it."""
        return bool(self._positions)

    def defer(self, position: int, attempts: int, error: str, status: int | None = None) -> None:
        """Let a record wait that was requested so often, in vain."""
        if self._known is None:
            self._known = np.zeros(len(self._index) + 1, np.uint32)
        packed = min(attempts, 255) << 24 | _ERRORS.index(error) << 16 | (status or 0)
        self._known[position] = packed
        self._positions.append(position)

    def attempts(self, position: int) -> int:
        """Return how often a record was requested before its last round; 0 before that."""
        return 0 if self._known is None else int(self._known[position]) >> 24

    def deferred(self, position: int) -> Deferred:
        """Return what is known of a record that was deferred."""
        packed = 0 if self._known is None else int(self._known[position])
        return Deferred(packed >> 24, _ERRORS[packed >> 16 & 0xFF], packed & 0xFFFF or None)

    def begin(self) -> tuple[NDArray[np.uint32], dict[int, int]]:
        """Chain the records host by host.

        Returns:
            the first of each, and how many there are by the number of the origin.
        """
        positions, self._positions = self._positions, array("I")
        of_each = self._index.origins[np.frombuffer(positions, np.uint32) - np.uint32(1)]
        numbers, counts = np.unique(of_each, return_counts=True)
        sizes = dict(zip(map(int, numbers), map(int, counts), strict=True))
        return self._index.chain(positions), sizes
