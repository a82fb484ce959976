"""The scheduler of a crawl on a cluster: the workers of Dask crawl the shards.

The rows of a shard are taken when its table is whole (`processes.attempt`): a file of another
machine is read only after whoever has written it is done with it.
"""

import asyncio
import logging
import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import uuid4

from scrapy.crawler import Crawler

from urlcrawler.inputs.shards import MOST
from urlcrawler.output.parts import Part, folder_of, remove_parts
from urlcrawler.processes.attempt import ABANDONED, ATTEMPT, Order
from urlcrawler.processes.base import FOR_GOOD, DividingScheduler, ShardFailedError
from urlcrawler.processes.child import PATIENCE, PROGRESS, crawl_words
from urlcrawler.processes.daskcluster import connected
from urlcrawler.processes.division import Division
from urlcrawler.processes.giants import giants
from urlcrawler.processes.lifeline import PACE, Lifeline
from urlcrawler.processes.task import Task
from urlcrawler.progress.words import duration
from urlcrawler.stopping import stop

logger = logging.getLogger(__name__)

LEAST, LARGEST = 10_000, 50_000  # records of a shard, where nobody says how many shards
_PAUSE = 0.25  # seconds between two looks at the tasks


class ClusterScheduler(DividingScheduler):
    """Hands the shards to a cluster, and writes the rows of each that is whole."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._tasks: dict[str, Task] = {}
        self._failed: list[Task] = []
        self._is_stopped = False

    async def _run(self) -> None:
        """Crawl until every shard has come to its end."""
        settings = self.crawler.settings
        async with connected(settings["CLUSTER_SCHEDULER"]) as client:
            threads = sum((await client.nthreads()).values())
            if not threads:
                logger.warning("The cluster has no worker yet. The crawl waits for one")
            run = uuid4().hex[:12]
            self._divide(run, threads)
            lifeline = Lifeline(self._folder, run)
            beating = asyncio.create_task(_beat(lifeline))
            try:
                await self._follow(client, beating)
            finally:
                beating.cancel()
                lifeline.let_go()
                await self._wait(client)
        if self._failed:
            logger.error(
                "%(count)d of %(all)d shards have failed: %(shards)s. To go on with them, run the "
                "same command again, without -O",
                {
                    "count": len(self._failed),
                    "all": len(self._tasks),
                    "shards": ", ".join(str(task.shard) for task in self._failed[:20]),
                },
            )
            stop(self.crawler, "shards_failed")
        elif self._is_stopped:
            stop(self.crawler, "shard_stopped")

    async def _end(self) -> None:
        """Take what attempts have that have not come to the end of their shard."""
        if self._work:
            with suppress(asyncio.CancelledError):
                await self._work
        whole = [task.part for task in self._tasks.values() if not task.is_through]
        for part in [*whole, *self._attempts()]:
            await self._take_all(part)

    def standings(self) -> Iterator[dict[str, Any]]:
        """Yield how far the shards are that are being crawled, or that no worker has one."""
        found = [*super().standings()]
        if not found and self._tasks:
            waiting = {"worker of the cluster": 1}
            found = [{"seconds_left": None, "paused": [], "rendering": 0, "waiting": waiting}]
        yield from found

    def _unwritten(self, path: Path, standing: dict[str, Any]) -> int:
        task = self._tasks.get(path.name.removesuffix(PROGRESS))
        missing = standing["total"] - standing["done"]
        return max(0, task.records - missing - task.part.taken) if task else 0

    def _divide(self, run: str, threads: int) -> None:
        """Divide the list, and write an order for each shard."""
        settings = self.crawler.settings
        self._folder = self._shared_folder()
        division = Division(self._spider, settings, self._folder, elsewhere=True)
        count = settings.getint("CLUSTER_SHARDS") or shards_for(division.records, threads)
        for shard, records in division.shards(division.plan(count)):
            part = self._folder / f"{shard.name}.{ATTEMPT}.jsonl"
            arguments = {**division.arguments, "_prefix": f"{shard.name}-{ATTEMPT}-"}
            order = Order(
                run=run,
                name=shard.name,
                records=records,
                folder=str(self._folder),
                cwd=str(Path.cwd()),
                project=os.environ["SCRAPY_SETTINGS_MODULE"],
                words=crawl_words(settings, shard, arguments, part, at_once=1),
            )
            self._tasks[shard.name] = Task(shard, records, self._folder, order)
        logger.info(
            "%(count)d shards of %(records)d records, %(threads)d threads of workers",
            {
                "count": len(self._tasks),
                "records": sum(task.records for task in self._tasks.values()),
                "threads": threads,
            },
        )
        for name, records, seconds in giants(self._spider, settings, division.records / count):
            logger.info(
                "%(host)s has %(records)d records, and a shard of its own: it takes %(time)s at "
                "the least",
                {"host": name, "records": records, "time": duration(seconds)},
            )

    async def _follow(self, client: Any, beating: "asyncio.Task[None]") -> None:
        """Take the rows of each shard that is whole, and hand in again what is not.

        Raises:
            ShardFailedError: there is no use in going on.
            OSError: the folder that all machines see cannot be written any more.
        """
        under_way = [*self._tasks.values()]
        for task in under_way:
            task.hand_in(client)
        while under_way and not self._is_closing:
            if beating.done():
                beating.result()
            for task in [task for task in under_way if task.has_ended]:
                task.is_through = await self._is_through(task)
                if task.is_through:
                    under_way.remove(task)
                    (self._folder / f"{task.shard.name}{PROGRESS}").unlink(missing_ok=True)
                else:
                    task.hand_in(client)
            await asyncio.sleep(_PAUSE)

    async def _is_through(self, task: Task) -> bool:
        """Take what a task has brought; return False when it is to be handed in again.

        Raises:
            ShardFailedError: there is no use in going on.
        """
        if task.is_lost:
            raise ShardFailedError(
                "the scheduler of the cluster is gone. To go on, start it and its workers again, "
                "and run the same command, without -O",
                "cluster_lost",
            )
        code, log = await task.result()
        if code:
            for line in log:
                logger.warning("%(line)s", {"line": line})
        if code in FOR_GOOD:
            if code == 4:
                self._count_failure("shard")
            why = "what it has could not be written" if code == 4 else "it cannot start"
            raise ShardFailedError(
                f"shard {task.shard}: {why}, see above. To go on, run the same command again, "
                "without -O",
                FOR_GOOD[code],
            )
        if code == 0:
            await self._take_all(task.part)
            if task.part.taken >= task.records:
                return True
            logger.error(
                "Rows of shard %(shard)s are none of this crawl. Is a worker of another version?",
                {"shard": task.shard},
            )
        elif code == 75:
            self._is_stopped = True
            return True
        elif code in (ABANDONED, None) and task.may_be_handed_in_again():
            return self._is_closing
        logger.error(
            "Shard %(shard)s has failed (%(how)s). The others go on",
            {
                "shard": task.shard,
                "how": "its worker was lost again and again" if code is None else f"code {code}",
            },
        )
        self._failed.append(task)
        return True

    async def _wait(self, client: Any) -> None:
        """Wait for attempts that are under way, and have nobody begin another one."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                with suppress(OSError):  # the cluster may be gone
                    under_way = [task for task in self._tasks.values() if not task.has_ended]
                    busy = {key for keys in (await client.processing()).values() for key in keys}
                    for task in under_way:
                        await (task.wait() if task.key in busy else task.cancel())
                while any(part.is_being_written for part in self._attempts()):
                    await asyncio.sleep(_PAUSE)

    def _attempts(self) -> list[Part]:
        """Return the tables of attempts that have not become that of their shard."""
        return [Part(path) for path in sorted(self._folder.glob("*-of-*.*.jsonl"))]

    def _shared_folder(self) -> Path:
        """Return the folder of the shards: beside the table, or where a link there leads to."""
        place, primary = self.crawler.settings["CLUSTER_FOLDER"], self._spider.ledger.primary
        if not primary:
            return self._folder.resolve()
        remove_parts(primary.path)  # what was there has been taken up, or cannot be
        if not place:
            return self._folder.resolve()
        # A name of its own: the same path may be another table on another machine.
        folder = Path(mkdtemp(".shards", f"{primary.path.name}.", Path(place).absolute()))
        folder_of(primary.path).symlink_to(folder)
        return folder


async def _beat(lifeline: Lifeline) -> None:
    """Say again and again that the crawl goes on; to take the rows of a shard takes a while.

    Raises:
        OSError: it cannot be written.
    """
    while True:
        lifeline.beat()
        await asyncio.sleep(PACE)


def shards_for(records: int, threads: int) -> int:
    """Return how many shards to make of so many records, for so many threads of workers."""
    least, most = math.ceil(records / LARGEST), math.ceil(records / LEAST)
    return max(1, min(MOST, max(least, min(most, 2 * threads))))
