"""How hosts are treated, as the settings say."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scrapy.settings import BaseSettings

from urlcrawler.hosts.manners import Manners
from urlcrawler.inputs.shards import key_of


def manners_of(settings: BaseSettings) -> Manners:
    """Return how a host is treated of which nobody has said anything else."""
    return Manners(
        ceiling=settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN"),
        start=settings.getfloat("AUTOTHROTTLE_TARGET_CONCURRENCY"),
        adaptive=settings.getbool("AUTOTHROTTLE_ENABLED"),
        delay=settings.getfloat("DOWNLOAD_DELAY"),
        max_delay=settings.getfloat("AUTOTHROTTLE_MAX_DELAY"),
        backoff=settings.getfloat("BACKOFF_START"),
        max_pause=settings.getfloat("RETRY_AFTER_MAX"),
    )


class OwnManners(Mapping[str, Manners]):
    """How single hosts are treated: those of DOWNLOAD_SLOTS, and those that another shard has.

    Of a slot `concurrency` is the ceiling, `delay` the least one. A host of another shard, to which
    a page here redirects, may be asked by all of them, so each has its part of the ceiling.
    """

    def __init__(
        self,
        settings: BaseSettings,
        manners: Manners,
        groups: NDArray[np.uint64] | None,
        count: int,
    ) -> None:
        """Take what there is to know.

        Args:
            manners: of all others.
            groups: keys (`shards.key_of`) of the groups of this shard, sorted; None without shards.
            count: how many shards there are.
        """
        self._of_slots = {
            name: replace(
                manners,
                ceiling=int(slot.get("concurrency", manners.ceiling)),
                delay=float(slot.get("delay", manners.delay)),
            )
            for name, slot in settings.getdict("DOWNLOAD_SLOTS").items()
        }
        self._groups = groups
        self._abroad = replace(manners, ceiling=max(1, manners.ceiling // count))

    def __getitem__(self, name: str) -> Manners:
        if name in self._of_slots:
            return self._of_slots[name]
        if self._groups is not None:
            key = np.uint64(key_of(name))
            place = int(np.searchsorted(self._groups, key))
            if place == len(self._groups) or self._groups[place] != key:
                return self._abroad
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._of_slots)

    def __len__(self) -> int:
        return len(self._of_slots)
