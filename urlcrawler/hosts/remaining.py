"""What of the list is still to be given out."""

from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from urlcrawler.hosts.lastround import LastRound
from urlcrawler.inputs.building import FIRST_ORIGIN
from urlcrawler.inputs.index import ListIndex, Resolved


class Remaining:
    """The chains of records that the index keeps, by origin, without those that are done.

    Attributes:
        last_round: records that wait until all others are done.
    """

    def __init__(
        self, index: ListIndex, done: Callable[[int], bool], sizes: NDArray[np.uint32]
    ) -> None:
        """Begin with all that is not *done*; of each origin there are so many (`index.sizes`)."""
        self._index = index
        self._done = done
        several = np.flatnonzero(sizes > 1)
        # Of a long list most origins may have one record: these are not kept.
        self._sizes = sizes[: several[-1] + 1].copy() if len(several) else sizes[:0]
        self._sizes_of_round: dict[int, int] | None = None  # once the last round has begun
        self._heads = index.heads
        self._next = 0  # place in the heads of the next origin
        self.last_round = LastRound(index)

    def __bool__(self) -> bool:
        """Whether an origin has not been begun, or a last round has not."""
        return self._next < len(self._heads) or bool(self.last_round)

    def next_head(self, *, may_begin_last_round: bool) -> int:
        """Return the first record of the next origin, 0 when there is none now."""
        while True:
            if self._next >= len(self._heads):
                if not (may_begin_last_round and self.last_round):
                    return 0
                (self._heads, self._sizes_of_round), self._next = self.last_round.begin(), 0
            position = self._undone(int(self._heads[self._next]))
            self._next += 1
            if position:
                return position

    def names(self, position: int) -> tuple[str, str]:
        """Return the host and the origin of a record."""
        target = self._index.resolve(position).target
        return getattr(target, "host", ""), getattr(target, "origin", "")

    def size(self, position: int) -> int:
        """Return how many records the origin has that begins with *position*."""
        number = int(self._index.origins[position - 1])
        if self._sizes_of_round is not None:
            return self._sizes_of_round.get(number, 1)
        number -= FIRST_ORIGIN
        return int(self._sizes[number]) if number < len(self._sizes) else 1

    def take(self, chains: deque[int]) -> tuple[Resolved, int]:
        """Take the first record out of *chains*; return it with the attempts that it has had."""
        position = chains.popleft()
        if following := self._undone(self._index.following(position)):
            chains.append(following)
        return self._index.resolve(position), self.last_round.attempts(position)

    def _undone(self, position: int) -> int:
        """Return *position*, or the next of its origin that is not done yet."""
        while position and self._done(position):
            position = self._index.following(position)
        return position
