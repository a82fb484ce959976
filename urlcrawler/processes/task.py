"""A shard as a task of Dask, which may be handed in again."""

from pathlib import Path
from typing import Any

from urlcrawler.inputs.shards import Shard
from urlcrawler.output.parts import Part
from urlcrawler.processes.attempt import Order, crawl_shard
from urlcrawler.processes.base import ShardFailedError
from urlcrawler.processes.child import MOST_DEATHS
from urlcrawler.processes.daskcluster import ended, is_lost_worker, why


class Task:
    """One shard, and what has become of it.

    Attributes:
        shard: which.
        records: how many it has that have no row.
        part: where its rows are, once all of them are there.
        is_through: whether nothing more is to be done, or had, of it.
    """

    def __init__(self, shard: Shard, records: int, folder: Path, order: Order) -> None:
        self.shard, self.records = shard, records
        self.part = Part(folder / f"{shard.name}.jsonl")
        self.is_through = False
        self._folder, self._order = folder, order
        self._future: Any = None
        self._times = 0  # that it was handed in, since one has brought more
        self._bytes = 0

    @property
    def key(self) -> str:
        """The name by which Dask knows it."""
        return str(self._future.key)

    @property
    def has_ended(self) -> bool:
        """Whether it is done, has failed or is lost; or nobody has it."""
        return self._future is None or self._future.status != "pending"

    @property
    def is_lost(self) -> bool:
        """Whether the scheduler knows nothing of it any more."""
        return self._future.status in ("cancelled", "lost")

    def hand_in(self, client: Any) -> None:
        """Have a worker do it, or do it again."""
        self._times += 1
        self._bytes = self._written()
        # Not pure: each time it is a task of its own, and no result of an earlier one.
        self._future = client.submit(crawl_shard, self._order, pure=False)

    def may_be_handed_in_again(self) -> bool:
        """Return whether another try may bring more: the last one has, or it was not the third."""
        if self._written() > self._bytes:
            self._times = 0
        return self._times < MOST_DEATHS

    async def result(self) -> tuple[int | None, list[str]]:
        """Return its exit code, None when its worker was lost, and the last lines of its log.

        Raises:
            ShardFailedError: the workers cannot do it at all.
        """
        try:
            result = await self._future.result()
        except Exception as error:
            if is_lost_worker(error):
                return None, [why(error)]
            raise ShardFailedError(
                f"a worker cannot crawl: {why(error)}. It needs urlcrawler as it is installed here",
                "cannot_start",
            ) from error
        return result["code"], result["log"]

    async def wait(self) -> None:
        """Wait for its end, whatever it is."""
        await ended(self._future)

    async def cancel(self) -> None:
        """Have nobody begin with it."""
        await self._future.cancel()

    def _written(self) -> int:
        """Return how many bytes the table has that has come farthest: each begins with a copy."""
        tables = self._folder.glob(f"{self.shard.name}.*.jsonl")
        return max((path.stat().st_size for path in tables if path.exists()), default=0)
