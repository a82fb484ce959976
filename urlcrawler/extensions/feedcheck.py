"""Every feed takes every row."""

import logging
from typing import Any

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider, NotConfigured
from scrapy.extensions.feedexport import FeedExporter

from urlcrawler.output.rows import Row
from urlcrawler.output.tablefile import TableFile

logger = logging.getLogger(__name__)


class FeedCheck:
    """See that there is a feed to write, and at the end that each has taken what it was given.

    Scrapy only logs what goes wrong there. Stat: `records/unwritten`.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._feeds: list[Any] = []
        self._rows = 0  # of this run
        self._noted_other = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "FeedCheck":
        """Connect to the signals; only a spider with a list owes a row to every feed."""
        if not hasattr(crawler.spider, "ledger"):
            raise NotConfigured("the spider reads no list.")
        extension = cls(crawler)
        connect = crawler.signals.connect
        connect(extension.spider_opened, signals.spider_opened)
        connect(extension.item_scraped, signals.item_scraped)
        connect(extension.feed_slot_closed, signals.feed_slot_closed)
        connect(extension.engine_stopped, signals.engine_stopped)
        return extension

    def spider_opened(self) -> None:
        """See that there is a table to write before anything is requested.

        Raises:
            CloseSpider: a feed could not be set up; FeedExporter has logged why.
        """
        exporter = self.crawler.get_extension(FeedExporter)
        wanted = len(self.crawler.settings.getdict("FEEDS"))
        if exporter is None or len(exporter.slots) < max(wanted, 1):
            logger.error("There is no table to write: name one with -o, and see the error above")
            raise CloseSpider("no_output")

    def item_scraped(self, item: Any) -> None:
        """Count a row that its table has taken."""
        if not isinstance(item, Row):
            self._note_other(item)
        elif item["position"] in self.crawler.spider.ledger:  # type: ignore[union-attr]
            self._rows += 1

    def _note_other(self, item: Any) -> None:
        """Say once when a spider yields items that no feed takes."""
        feeds = self.crawler.settings.getdict("FEEDS").values()
        wanted = any(options.get("item_classes") != [Row] for options in feeds)
        if item is not None and not wanted and not self._noted_other:
            self._noted_other = True
            logger.warning(
                "Items of class %(name)s are not in the table, which holds one row per record. "
                "Give them a feed of their own in FEEDS, with 'item_classes'",
                {"name": type(item).__name__},
            )

    def feed_slot_closed(self, slot: Any) -> None:
        """Keep a feed that is complete, to see how many rows it has taken."""
        self._feeds.append(slot)

    def engine_stopped(self) -> None:
        """Compare what each feed was given with what it holds."""
        ledger: Any = self.crawler.spider.ledger  # type: ignore[union-attr]
        stats = self.crawler.stats
        if stats.get_value("finish_reason") and self._feed_failed():
            stats.inc_value("records/unwritten", ledger.count)
        for feed in self._feeds:
            unwritten = self._rows - feed.itemcount
            if unwritten > 0 and _takes_all(feed.feed_options):
                stats.inc_value("records/unwritten", unwritten)
                logger.error(
                    "%(uri)s has %(rows)d rows of %(count)d: see the errors above",
                    {"uri": feed.uri, "rows": feed.itemcount, "count": self._rows},
                )

    def _feed_failed(self) -> bool:
        """Return whether a feed is of no use as a whole: nobody knows how much of it is there."""
        exporter = self.crawler.get_extension(FeedExporter)
        for slot in exporter.slots if exporter else ():
            if isinstance(slot.file, TableFile):
                continue  # it tells itself, and what it holds is whole
            begun = slot.itemcount or (slot.store_empty and slot.batch_id == 1)
            if begun and slot not in self._feeds:
                return True  # its exporter could not begin or end
        stats = self.crawler.stats.get_stats()
        return any(name.startswith("feedexport/failed_count/") for name in stats)


def _takes_all(feed_options: dict[str, Any]) -> bool:
    """Return whether a feed was asked to take every row, in one file."""
    return feed_options.get("item_classes") == [Row] and not feed_options["batch_item_count"]
