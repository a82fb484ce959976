"""Shards: sets of whole hosts, so that each is crawled by itself and all together are polite.

The same list, with the same records done, gives the same plan in every process that makes it.
"""

import heapq
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from urlcrawler.inputs.building import FIRST_ORIGIN
from urlcrawler.inputs.grouping import slices
from urlcrawler.inputs.index import ListIndex
from urlcrawler.inputs.urls import Target

MOST = 65_535  # shards; their numbers are 16-bit


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several: `3/16`.

    Attributes:
        number: from 1 on.
        count: of how many.
    """

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @property
    def name(self) -> str:
        """The same as part of the name of a file."""
        return f"{self.number:0{len(str(self.count))}}-of-{self.count}"


def parse_shard(text: str) -> Shard | None:
    """Return the shard that *text* names; None when it names none."""
    found = re.fullmatch(r"(\d{1,5})(?:/|-of-)(\d{1,5})", text.strip())
    shard = Shard(int(found[1]), int(found[2])) if found else None
    return shard if shard and 1 <= shard.number <= shard.count <= MOST else None


class Plan:
    """Which records each shard has.

    Attributes:
        loads: records that each has to crawl; those that are no request of their own are not
            among them.
    """

    def __init__(
        self,
        index: ListIndex,
        count: int,
        group: Callable[[str], str],
        done: NDArray[np.bool_] | None = None,
    ) -> None:
        """Divide the records of *index*.

        Args:
            count: number of shards.
            group: returns the name of the group in which a host is polite.
            done: by position, from 0 on, whether a record has its row; None when none has.
        """
        self._index = index
        self._groups, group_of_origin = _group(index, group)
        weights = np.bincount(
            group_of_origin, index.sizes(done).astype(np.float64), len(self._groups)
        ).astype(np.int64)
        # Largest first onto the lightest: by hash alone the heaviest shard had 2.2 times the mean.
        order = np.lexsort((np.arange(len(weights)), -weights))
        shard_of_group = np.zeros(len(weights), np.uint16)
        lightest = [(0, number) for number in range(1, count + 1)]
        for place in order:
            load, number = lightest[0]
            shard_of_group[place] = number
            heapq.heapreplace(lightest, (load + int(weights[place]), number))
        self._shard_of_group = shard_of_group
        self._shard_of_origin = shard_of_group[group_of_origin]
        loads = {number: load for load, number in lightest}
        self.loads = [loads[number] for number in range(1, count + 1)]

    @classmethod
    def load(cls, path: Path, index: ListIndex) -> "Plan":
        """Return the plan that was saved, of the list of *index*: to name its hosts takes a while.

        Raises:
            OSError, ValueError: it is not there, not whole, or of another list.
        """
        plan = cls.__new__(cls)
        plan._index = index
        try:
            with np.load(path) as saved:
                plan._groups, plan._shard_of_group = saved["groups"], saved["shard_of_group"]
                plan._shard_of_origin = saved["shard_of_origin"]
                plan.loads = saved["loads"].tolist()
        except (EOFError, BadZipFile, KeyError) as error:
            raise ValueError("it is not whole") from error
        if len(plan._shard_of_origin) != len(index.heads):
            raise ValueError("it is of another list")
        return plan

    def save(self, path: Path) -> None:
        """Save it for processes that borrow the index.

        Raises:
            OSError: there is no room.
        """
        with path.open("wb") as file:
            np.savez(
                file,
                groups=self._groups,
                shard_of_group=self._shard_of_group,
                shard_of_origin=self._shard_of_origin,
                loads=np.array(self.loads, np.int64),
            )

    @property
    def count(self) -> int:
        """How many shards there are."""
        return len(self.loads)

    def members(self, shard: Shard) -> NDArray[np.bool_]:
        """Return for each record, in the order of the list, whether *shard* has it.

        What is no request of its own (invalid, a duplicate) goes round.
        """
        mine = np.zeros(len(self._index), np.bool_)
        for part in slices(len(mine), overlap=0):
            mine[part] = self._numbers(part) == shard.number
        return mine

    def records(self, done: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return how many records each shard has that are not *done*, the first at place 1."""
        counts = np.zeros(self.count + 1, np.int64)
        for part in slices(len(done), overlap=0):
            counts += np.bincount(self._numbers(part)[~done[part]], minlength=self.count + 1)
        return counts

    def _numbers(self, part: slice) -> NDArray[np.uint16]:
        """Return the number of the shard of each record in a part of the list."""
        origins = self._index.origins[part]
        places = np.arange(part.start, part.start + len(origins))
        numbers: NDArray[np.uint16] = (places % self.count + 1).astype(np.uint16)
        requested = origins >= FIRST_ORIGIN
        numbers[requested] = self._shard_of_origin[origins[requested] - FIRST_ORIGIN]
        return numbers

    def heads(self, shard: Shard) -> NDArray[np.uint32]:
        """Return those of the index, in their order, that *shard* has."""
        mine: NDArray[np.uint32] = self._index.heads[self._shard_of_origin == shard.number]
        return mine

    def groups(self, shard: Shard) -> NDArray[np.uint64]:
        """Return the keys (`key_of`) of its groups, sorted."""
        return np.sort(self._groups[self._shard_of_group == shard.number])


def key_of(group: str) -> int:
    """Return 64 bits that stand for the name of a group, the same in every process."""
    return int.from_bytes(blake2b(group.encode(), digest_size=8).digest(), "big")


def _group(
    index: ListIndex, group: Callable[[str], str]
) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
    """Return the keys of the groups, as they come, and the place of each origin's among them."""
    places: dict[int, int] = {}
    of_origin = np.zeros(len(index.heads), np.uint32)
    for number, head in enumerate(index.heads):
        target = index.resolve(int(head)).target
        host = target.host if isinstance(target, Target) else ""
        of_origin[number] = places.setdefault(key_of(group(host)), len(places))
    return np.fromiter(places, np.uint64, len(places)), of_origin
