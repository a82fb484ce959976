"""N records in, N rows out."""

import logging
from typing import Any

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.utils.asyncio import create_looping_call
from twisted.python.failure import Failure

from urlcrawler.failures import SecondRow, raised
from urlcrawler.inputs.records import Record
from urlcrawler.items import Page
from urlcrawler.meta import RECORD, position_of
from urlcrawler.output.rows import Row

logger = logging.getLogger(__name__)


class Accounting:
    """Know every record that was handed out and owes its row, and see that it gets one.

    A component that drops a page, raises, or forgets it, does not lose the record: the row then
    says which of these it was. A record that nobody has worked on for longer than all that may be
    left of its way could take counts as forgotten: COMPONENT_TIMEOUT for each item pipeline (where
    nothing else tells that it is there), and a tenth on top. Stats: `records/*`.
    """

    def __init__(self, crawler: Crawler, patience: float) -> None:
        self.crawler = crawler
        self._patience = patience  # seconds
        self._watch_loop = create_looping_call(self._watch)
        self._errors: dict[int, tuple[str, str]] = {}  # of open records whose code raised

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Accounting":
        """Connect to the signals; only a spider with a list has something to account for."""
        if not hasattr(crawler.spider, "ledger"):
            raise NotConfigured("the spider reads no list.")
        timeout = crawler.settings.getfloat("COMPONENT_TIMEOUT")
        orders = crawler.settings.getdict("ITEM_PIPELINES").values()
        pipelines = sum(order is not None for order in orders)  # ours is one of them
        extension = cls(crawler, timeout * pipelines * 1.1)
        connect = crawler.signals.connect
        connect(extension.spider_opened, signals.spider_opened)
        connect(extension.item_scraped, signals.item_scraped)
        connect(extension.item_dropped, signals.item_dropped)
        connect(extension.item_error, signals.item_error)
        connect(extension.spider_error, signals.spider_error)
        connect(extension.spider_idle, signals.spider_idle)
        connect(extension.spider_closed, signals.spider_closed)
        connect(extension.engine_stopped, signals.engine_stopped)
        return extension

    @property
    def spider(self) -> Any:
        """The list spider of the crawl."""
        return self.crawler.spider

    def spider_opened(self) -> None:
        """Begin to look for records that nobody works on."""
        self._watch_loop.start(self._patience / 10, now=False)

    def spider_closed(self) -> None:
        """Leave what is still open to the next run."""
        if self._watch_loop.running:
            self._watch_loop.stop()

    def item_scraped(self, item: Any) -> None:
        """Note the row of a record."""
        if not isinstance(item, Row):
            return
        ledger, position = self.spider.ledger, item["position"]
        if ledger.primary is None:
            ledger.add(position)
        if position in ledger:  # its table has taken it
            self._errors.pop(position, None)
            stats = self.crawler.stats
            stats.inc_value(f"records/outcome/{item['outcome']}")
            if item["error"]:
                stats.inc_value(f"records/error/{item['error']}")

    def item_dropped(self, item: Any, exception: Exception) -> None:
        """Write the row of a page that a pipeline dropped."""
        if not isinstance(exception, SecondRow):
            self._substitute(item, "dropped", f"an item pipeline dropped it: {exception}")

    def item_error(self, item: Any, failure: Failure) -> None:
        """Write the row of a page on which a pipeline raised."""
        self._substitute(item, "pipeline", raised("an item pipeline", failure.value))

    def _substitute(self, item: Any, error: str, reason: str) -> None:
        if isinstance(item, Page):
            self.spider.ledger.give_up(item.position)  # a pipeline behind Flatten may have lost it
            if self.spider.ledger.claim(item.position):
                columns = self.spider.own_columns
                item.fields = {name: item.fields[name] for name in columns if name in item.fields}
                self.spider.write_row(item.fail(error, reason))

    def spider_error(self, failure: Failure, response: Any) -> None:
        """Keep the reason why a record may turn out to be lost; its page may still be coming."""
        request = getattr(response, "request", None)
        position = position_of(request) if request else None
        if position is not None and position in self.spider.ledger.open:
            error = "extract" if isinstance(response, Failure) else "middleware"
            reason = raised("a middleware or callback", failure.value)
            self._errors[position] = error, reason

    def spider_idle(self) -> None:
        """Write the rows of records that nobody works on any more."""
        self._write_lost(sorted(self.spider.ledger.open))

    def _watch(self) -> None:
        """Write the rows of records that somebody has forgotten, while the crawl goes on."""
        ledger = self.spider.ledger
        for request in self.crawler.engine.scraper.slot.active:  # type: ignore[union-attr]
            record = request.meta.get(RECORD)
            if isinstance(record, Record):
                ledger.touch(record.position)  # its callback runs, or its page is in a pipeline
        self._write_lost(ledger.overdue(self._patience))

    def _write_lost(self, lost: list[int]) -> None:
        for position in lost:
            page = self.spider.waiting_page(position)
            error = self._errors.pop(position, None)
            if page is None or error:
                page = page or Page.of(self.spider.index.record(position))
                page.fail(*(error or ("lost", "handed out, and nothing came back")))
            self.spider.ledger.give_up(position)
            self.spider.write_row(page)
            self.spider.ledger.open.pop(position, None)
        if lost:
            logger.error(
                "%(count)d records were lost by a component; their rows say so. First: %(first)s",
                {"count": len(lost), "first": lost[:10]},
            )

    def engine_stopped(self) -> None:
        """Compare what went in with what came out."""
        ledger, stats = self.spider.ledger, self.crawler.stats
        stats.set_value("records/total", ledger.total)
        stats.set_value("records/rows", ledger.count)
        missing = ledger.total - ledger.count
        stats.set_value("records/missing", missing)
        if missing and stats.get_value("finish_reason") == "finished":
            logger.error(
                "%(total)d records in, %(rows)d rows out. Without a row: %(missing)s",
                {"total": ledger.total, "rows": ledger.count, "missing": ledger.missing()},
            )
