"""The scheduler of a crawl with several processes (PROCESSES): each crawls a shard."""

import asyncio
import logging
from contextlib import suppress

from scrapy.crawler import Crawler

from urlcrawler.processes.base import FOR_GOOD, DividingScheduler, ShardFailedError
from urlcrawler.processes.child import MOST_DEATHS, Child
from urlcrawler.processes.division import Division
from urlcrawler.stopping import stop

logger = logging.getLogger(__name__)

_PAUSE = 0.25  # seconds between two looks at the parts
_ENDED = (0, 5, 75)  # exit codes: complete, rows are missing, stopped early


class ShardScheduler(DividingScheduler):
    """Starts a process for each shard, and writes the rows of all of them."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._children: list[Child] = []

    def _plan(self) -> None:
        """Divide the records that have no row among the processes."""
        settings = self.crawler.settings
        division = Division(self._spider, settings, self._folder)
        plan = division.plan(settings.getint("PROCESSES"))
        for shard, _ in division.shards(plan):
            self._children.append(Child(shard, self._folder, division.arguments, settings))
        loads = " + ".join(str(load) for load in plan.loads)
        logger.info(
            "%(count)d processes: %(loads)s records",
            {"count": len(self._children), "loads": loads},
        )

    async def _run(self) -> None:
        """Crawl until every process has come to its end."""
        self._plan()
        for child in self._children:
            if not self._is_closing:
                await self._start(child)
        while not self._is_closing:
            is_going_on = False
            for child in self._children:
                has_ended = child.poll()  # first: what it writes before it ends is read below
                if await self._take(child.part):
                    child.note_rows()
                    is_going_on = True
                elif not has_ended:
                    is_going_on = True
                elif child.code is not None and child.code not in _ENDED:
                    await self._start_again(child)
                    is_going_on = True
            if not is_going_on:
                break
            await asyncio.sleep(_PAUSE)
        if not self._is_closing and any(child.code == 75 for child in self._children):
            stop(self.crawler, "shard_stopped")

    async def _start_again(self, child: Child) -> None:
        """Start a process again that has died.

        Raises:
            ShardFailedError: it dies again and again, or of something that will not pass.
        """
        code = child.code
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        if code == 4:
            self._count_failure("shard")
        if code in FOR_GOOD or not child.may_start_again():
            times = "" if code in FOR_GOOD else f" {MOST_DEATHS} times without a row"
            raise ShardFailedError(
                f"the process of shard {child.shard} has ended with {how}{times}. See what it "
                "says above. To go on, run the same command again, without -O",
                FOR_GOOD.get(code or 0, "shards_failed"),
            )
        logger.warning(
            "The process of shard %(shard)s has ended with %(how)s. It is started again, and goes "
            "on where it was",
            {"shard": child.shard, "how": how},
        )
        await self._start(child)

    async def _start(self, child: Child) -> None:
        await child.start()
        if self._is_closing:  # meanwhile
            child.ask_to_end()

    async def _end(self) -> None:
        """Let the processes finish what is under way, and take their last rows."""
        for child in self._children:
            child.ask_to_end()
        for child in self._children:
            await child.end()
            await self._take_all(child.part)
        if self._work:
            with suppress(asyncio.CancelledError):
                await self._work
