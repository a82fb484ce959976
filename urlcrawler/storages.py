"""The feed storage behind every local feed: tables that resume, and plain files."""

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

from scrapy import Spider
from scrapy.extensions.feedexport import FileFeedStorage, StdoutFeedStorage
from scrapy.utils.asyncio import create_looping_call

from urlcrawler.exceptions import OutputError
from urlcrawler.output.database import beside_database
from urlcrawler.output.itemfile import goes_on, open_items
from urlcrawler.output.ordering import put_in_order
from urlcrawler.output.plainfile import PlainFile
from urlcrawler.output.published import PublishedTable
from urlcrawler.output.quality import quality_of_rows
from urlcrawler.output.retries import RetriedTable
from urlcrawler.stopping import stop

logger = logging.getLogger(__name__)


class TableStorage(FileFeedStorage):
    """Hand the table that the spider has opened to the exporter, and finish it at the end.

    Other files are written as Scrapy writes them, until one of them takes no more.
    """

    def __init__(self, uri: str, *, feed_options: dict[str, Any] | None = None) -> None:
        super().__init__(uri, feed_options=feed_options)
        self._options = feed_options or {}

    def open(self, spider: Spider) -> IO[bytes]:
        """Return the table at the path of the feed, or a plain file."""
        table = getattr(spider, "tables", {}).get(self._place(spider).resolve())
        if table is None and goes_on(self._options):
            return _plain(lambda _: open_items(Path(self.path)), self.path, spider, at_once=True)
        if table is None:
            return _plain(super().open, self.path, spider)
        list_spider: Any = spider
        self._spider = list_spider
        self._ledger = list_spider.ledger
        self._wanted = list_spider.wanted
        for file in filter(None, (table, table.part)):
            file.on_failure = partial(self._failed, table, spider)
        self._in_order = spider.crawler.settings.getbool("SORT_TABLE")
        # Rows of a crawl that waits are made durable too.
        self._sync = create_looping_call(table.try_sync)
        self._sync.start(1.0, now=False)
        return table  # type: ignore[no-any-return]

    def _place(self, spider: Spider) -> Path:
        return Path(self.path)

    def store(self, file: IO[bytes]) -> Any:
        """Close the file; a complete table is put into the order of the list first."""
        return self._finish(file) if isinstance(file, RetriedTable) else super().store(file)

    def _failed(self, table: RetriedTable, spider: Spider, lost: list[int]) -> None:
        """Stop the crawl; what the table could not keep never counted."""
        for position in lost:
            self._ledger.taken_back(position, table)
        stop(spider.crawler, "output_failed")

    async def _finish(self, table: RetriedTable) -> None:
        self._sync.stop()
        table.try_sync()
        if self._ledger.is_complete and not table.failure:
            await self._complete(table)

    async def _complete(self, table: RetriedTable) -> None:
        """Let rows that were crawled again take the place of the old ones, in order; publish."""
        await self._order(table)
        if table is self._ledger.primary and self._wanted.is_about_table:
            await _aside(partial(self._look_at, table))
        if isinstance(table, PublishedTable) and not table.failure:
            try:
                await _aside(table.publish)
            except OSError as error:
                table.failure = error
                logger.error(
                    "%(path)s: every record has its row, but the file could not be written: "
                    "%(why)s. Make room and run it again without -O, which requests nothing again",
                    {"path": table.path, "why": error.strerror},
                )

    def _look_at(self, table: RetriedTable) -> None:
        """Count what quality gates ask for, while the rows are there to be read."""
        try:
            self._spider.quality = quality_of_rows(table.rows(), self._wanted.columns)
        except OSError as error:
            logger.error("%(path)s: %(why)s", {"path": table.path, "why": error.strerror})

    async def _order(self, table: RetriedTable) -> None:
        if table.newer or (self._in_order and not table.in_order):
            try:
                await _aside(
                    partial(
                        put_in_order,
                        table.file,
                        table.format,
                        rows=self._ledger.total,
                        newer=table.newer,
                        in_order=table.in_order,
                    )
                )
                table.is_merged = True
            except OutputError as error:
                table.failure = OSError(str(error))
                logger.error(
                    "%(why)s. The table stays as it is, and not in the order of the list",
                    {"why": error},
                )
            except OSError as error:
                table.failure = error
                logger.error(
                    "%(path)s: every record has its row, but they could not be put into the order "
                    "of the list: %(why)s. That takes %(room)d MB beside the table for a while. "
                    "Make room and run it again without -O, which requests nothing again%(or_not)s",
                    {
                        "path": table.path,
                        "why": error.strerror,
                        "room": 2 * table.size // 1_000_000 + 1,  # the sorted runs, and the copy
                        "or_not": "" if table.newer else ", or add -s SORT_TABLE=0",
                    },
                )


class DatabaseStorage(TableStorage):
    """The same for a table in a database, whose rows are collected in a file."""

    def __init__(self, uri: str, *, feed_options: dict[str, Any] | None = None) -> None:
        super().__init__("", feed_options=feed_options)
        self._uri = uri

    def _place(self, spider: Spider) -> Path:
        list_spider: Any = spider
        return beside_database(self._uri, list_spider.table_name)


class StandardOutput(StdoutFeedStorage):
    """Write to standard output, until its reader goes away."""

    def open(self, spider: Spider) -> IO[bytes]:
        """Return standard output."""
        return _plain(super().open, "standard output", spider)

    def store(self, file: IO[bytes]) -> None:
        """Pass on the last rows now: when Python does it at exit, nobody hears of an error."""
        file.flush()
        if cast("PlainFile", file).failure:
            # Python would try it once more, and end with an exit code of its own.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)


async def _aside(work: Callable[[], None]) -> None:
    """Do *work* in a thread: millions of rows take a while, and Ctrl-C must be heard.

    A daemon, unlike those of asyncio.to_thread: Python waits for these before it ends, and a second
    Ctrl-C means at once. The table is replaced in one step, so work left undone does no harm.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def run() -> None:
        try:
            work()
        except BaseException as error:  # all of it is the caller's
            loop.call_soon_threadsafe(done.set_exception, error)
        else:
            loop.call_soon_threadsafe(done.set_result, None)

    threading.Thread(target=run, name="put_in_order", daemon=True).start()
    await done


def _plain(
    opened: Callable[[Spider], IO[bytes]], name: str, spider: Spider, *, at_once: bool = False
) -> IO[bytes]:
    """Return a file that stops the crawl when it takes no more, or cannot be opened at all."""

    how = ", and no later run can go on with it; with a CSV or JSON Lines file one can"
    how = ". Make room and run it again to go on" if at_once else how

    def failed(error: OSError) -> None:
        logger.error(
            "%(name)s: cannot be written: %(why)s. What it holds is not complete%(how)s",
            {"name": name, "why": error.strerror, "how": how},
        )
        spider.crawler.stats.inc_value("feedexport/failed_count/PlainFile")
        stop(spider.crawler, "output_failed")

    return cast("IO[bytes]", PlainFile(lambda: opened(spider), failed, at_once=at_once))
