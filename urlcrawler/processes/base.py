"""The scheduler of a crawl whose list is divided: it gives out shards instead of requests.

Everything else is the crawl of one process: list, checks, ledger, feeds, accounting, summary. The
rows that others write into their parts pass through this one's feeds, so the table, and what an
interrupted run leaves behind, are what they would be without.
"""

import asyncio
import json
import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from scrapy import Request, Spider
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler
from scrapy.utils.defer import deferred_from_coro

from urlcrawler.exceptions import UrlcrawlerError
from urlcrawler.output.itemfile import items_feeds, take_items
from urlcrawler.output.parts import Part, folder_of, remove_parts
from urlcrawler.output.tablefile import beside
from urlcrawler.processes.child import PROGRESS, STATS
from urlcrawler.processes.totals import add_lines, add_stats
from urlcrawler.spiders.resume import is_of_list
from urlcrawler.stopping import stop

logger = logging.getLogger(__name__)

FOR_GOOD = {1: "cannot_start", 4: "output_failed"}  # exit codes, and what the crawl ends with then
_AT_ONCE = 200  # rows before the event loop has its turn again
_HOSTS = ".hosts.csv"


class ShardFailedError(Exception):
    """Says why there is no use in going on with the other shards.

    Attributes:
        finish_reason: of the crawl.
    """

    def __init__(self, why: str, finish_reason: str) -> None:
        super().__init__(why)
        self.finish_reason = finish_reason


class DividingScheduler(BaseScheduler):
    """Has others crawl the shards, and writes the rows of all of them.

    A subclass says who: in `_run`, and in `_end` what is to be done when the crawl is closed.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._work: asyncio.Task[None] | None = None
        self._is_over = False
        self._is_closing = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "DividingScheduler":
        """Build the scheduler."""
        return cls(crawler)

    def open(self, spider: Spider) -> None:
        """Begin with the shards."""
        list_spider: Any = spider
        self._spider = list_spider
        primary = list_spider.ledger.primary
        if primary:
            self._folder = folder_of(primary.path)
            if not (list_spider.ledger.count or list_spider.retried_errors):
                beside(primary.path, _HOSTS).unlink(missing_ok=True)
        else:
            place = self.crawler.settings["CLUSTER_FOLDER"]
            self._folder = Path(tempfile.mkdtemp(prefix="urlcrawler-shards-", dir=place))
        self._work = asyncio.ensure_future(self._crawl())

    def close(self, reason: str) -> Any:
        """Let others finish what is under way, and write the last rows."""
        return deferred_from_coro(self._close())

    def has_pending_requests(self) -> bool:
        """Return whether a shard is not finished."""
        return not self._is_over

    def enqueue_request(self, request: Request) -> bool:
        """Refuse it: this process requests nothing."""
        return False

    def next_request(self) -> None:
        """Return nothing: the others have schedulers of their own."""

    def standings(self) -> Iterator[dict[str, Any]]:
        """Yield how far the shards are that are being crawled, as `progress.standing` has it."""
        for path in self._folder.glob(f"*{PROGRESS}"):
            with suppress(OSError, ValueError):
                standing = json.loads(path.read_bytes())
                yield {**standing, "unwritten": self._unwritten(path, standing)}

    async def _run(self) -> None:
        """Crawl until every shard has come to its end.

        Raises:
            ShardFailedError: it cannot be.
        """
        raise NotImplementedError

    async def _end(self) -> None:
        """Bring about the end of what is under way, and take its rows."""
        raise NotImplementedError

    def _unwritten(self, path: Path, standing: dict[str, Any]) -> int:
        """Return how many rows of a shard are there and were not taken yet."""
        return 0

    async def _crawl(self) -> None:
        try:
            if not self._spider.ledger.is_complete:
                await self._run()
        except ShardFailedError as error:
            logger.error("The crawl stops: %(why)s", {"why": error})
            stop(self.crawler, error.finish_reason)
        except UrlcrawlerError as error:
            logger.error("The crawl cannot start: %(why)s", {"why": error})
            stop(self.crawler, "cannot_start")
        except OSError as error:
            logger.error("The crawl stops: %(why)s", {"why": error})
            self._count_failure("shards")
            stop(self.crawler, "output_failed")
        except Exception:
            logger.exception("The crawl stops")
            stop(self.crawler, "shards_failed")
        finally:
            self._is_over = True
            cast("Any", self.crawler.engine).downloader.wake()

    def _count_failure(self, what: str) -> None:
        """Have the crawl end with the exit code of an output that could not be written."""
        cast("Any", self.crawler.stats).inc_value(f"feedexport/failed_count/{what}")

    async def _take(self, part: Part) -> bool:
        """Write the rows that have come into a part; return whether there were any."""
        rows = part.new_rows()
        for count, row in enumerate(rows, 1):
            if is_of_list(row, self._spider):
                part.taken += 1
                if row["position"] not in self._spider.ledger:
                    self._spider.write(row)
            if not count % _AT_ONCE:
                await asyncio.sleep(0)
        return bool(rows)

    async def _take_all(self, part: Part) -> None:
        while await self._take(part):
            pass

    async def _close(self) -> None:
        self._is_closing = True
        await self._end()
        for path in sorted(self._folder.glob(f"*{STATS}")):
            add_stats(self.crawler, path)
        if primary := self._spider.ledger.primary:
            for path in sorted(self._folder.glob(f".*{_HOSTS}")):
                add_lines(path, beside(primary.path, _HOSTS))
        if self._folder.is_dir():
            try:
                take_items(self._folder, items_feeds(self.crawler.settings))
            except OSError as error:
                logger.error(
                    "%(why)s. The items are in %(path)s", {"why": error, "path": self._folder}
                )
                self._count_failure("items")
                return
            self._clean()

    def _clean(self) -> None:
        """Remove the parts, when their rows are durable in the tables."""
        tables = self._spider.tables.values()
        for table in tables:
            table.try_sync()
        if any(table.failure for table in tables):
            return
        if primary := self._spider.ledger.primary:
            remove_parts(primary.path)
        else:
            shutil.rmtree(self._folder, ignore_errors=True)
