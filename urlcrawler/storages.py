"""The feed storage behind every local feed: tables that resume, and plain files."""

import asyncio
from pathlib import Path
from typing import IO, Any

from scrapy import Spider
from scrapy.extensions.feedexport import FileFeedStorage
from scrapy.utils.asyncio import create_looping_call

from urlcrawler.ordering import put_in_order
from urlcrawler.retries import RetriedTable


class TableStorage(FileFeedStorage):
    """Hand the table that the spider has opened to the exporter, and finish it at the end.

    Other files are written as Scrapy writes them.
    """

    def open(self, spider: Spider) -> IO[bytes]:
        """Return the table at the path of the feed, or a plain file."""
        table = getattr(spider, "tables", {}).get(Path(self.path))
        if table is None:
            return super().open(spider)
        self._ledger = spider.ledger  # type: ignore[attr-defined]
        self._in_order = spider.crawler.settings.getbool("SORT_TABLE")
        # Rows of a crawl that waits are made durable too.
        self._sync = create_looping_call(table.try_sync)
        self._sync.start(1.0, now=False)
        return table  # type: ignore[no-any-return]

    def store(self, file: IO[bytes]) -> Any:
        """Close the file; a complete table is put into the order of the list first."""
        return self._finish(file) if isinstance(file, RetriedTable) else super().store(file)

    async def _finish(self, table: RetriedTable) -> None:
        self._sync.stop()
        table.try_sync()
        if self._ledger.is_complete and not table.failure:
            await self._complete(table)

    async def _complete(self, table: RetriedTable) -> None:
        """Let rows that were crawled again take the place of the old ones, in order."""
        if table.newer or (self._in_order and not table.in_order):
            try:
                # In a thread: millions of rows take a while, and Ctrl-C must be heard.
                await asyncio.to_thread(
                    put_in_order,
                    table.path,
                    table.format,
                    newer=table.newer,
                    in_order=table.in_order,
                )
            except OSError as error:
                table.failure = error
