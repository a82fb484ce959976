"""The last lines of a run."""

import logging
import shlex
import sys
from collections import Counter
from pathlib import Path
from time import monotonic
from typing import Any, cast

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from urlcrawler.outcomes import RETRYABLE
from urlcrawler.output.database import is_database
from urlcrawler.output.rows import Row, takes_rows
from urlcrawler.printable import without_credentials

logger = logging.getLogger(__name__)

_SHOWN_ERRORS = 5
_LONG = 5.0  # seconds; a host that took less was no reason to wait
_OUTPUTS = ("-o", "-O", "--output", "--overwrite-output")


class Summary:
    """Say at the end what happened to the records, where the table is, and what to type next.

    Attributes:
        rows: how many there are, by outcome and error, those of earlier runs included.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.rows: Counter[tuple[str, str | None]] = Counter()
        self._examples: dict[str, str] = {}
        self._feeds: list[str] = []
        self._words: list[str] = []  # of the command line, for these feeds
        self._requested = 0
        self._began = monotonic()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Summary":
        """Connect to the signals; only a spider with a list has rows to count."""
        if not hasattr(crawler.spider, "ledger"):
            raise NotConfigured("the spider reads no list.")
        extension = cls(crawler)
        crawler.signals.connect(extension.spider_opened, signals.spider_opened)
        crawler.signals.connect(extension.item_scraped, signals.item_scraped)
        crawler.signals.connect(extension.feed_slot_closed, signals.feed_slot_closed)
        crawler.signals.connect(extension.engine_stopped, signals.engine_stopped)
        return extension

    def spider_opened(self) -> None:
        """Start the clock, and say what is about to be crawled."""
        self._began = monotonic()
        spider: Any = self.crawler.spider
        index = spider.index
        self.rows.update(spider.earlier_rows)
        logger.info(
            "%(records)d records on %(hosts)d hosts",
            {"records": spider.ledger.total, "hosts": len(index.heads)},
        )

    def item_scraped(self, item: Any) -> None:
        """Count a row."""
        spider: Any = self.crawler.spider
        if not isinstance(item, Row) or item["position"] not in spider.ledger:
            return
        self.rows[item["outcome"], item["error"]] += 1
        self._requested += bool(item["attempts"])
        if item["error"]:
            self._examples.setdefault(item["error"], item["url"])

    def feed_slot_closed(self, slot: Any) -> None:
        """Note where a table is."""
        options = self.crawler.settings.getdict("FEEDS").get(slot.uri_template, {})
        if not takes_rows(options):
            self._feeds.append(f"The items: {without_credentials(slot.uri)}")
            return
        self._feeds.append(f"The table: {without_credentials(slot.uri)}")
        if is_database(slot.uri):  # its password is the user's business
            self._words += ["-o", "postgresql://..."]
            return
        named = Path(slot.uri).suffix == f".{slot.format}"
        self._words += ["-o", slot.uri if named else f"{slot.uri}:{slot.format}"]

    def engine_stopped(self) -> None:
        """Log the summary; nothing comes after it."""
        logger.info("%(summary)s", {"summary": "\n".join(self._lines())})

    def _lines(self) -> list[str]:
        spider: Any = self.crawler.spider
        total, rows = spider.ledger.total, spider.ledger.count
        seconds = max(monotonic() - self._began, 0.001)
        lines = [
            f"{rows} of {total} records have their row. "
            f"{self._requested} pages in {seconds:.1f} s, {self._requested / seconds:.1f} a second",
            "",
        ]
        outcomes, errors = Counter[str](), Counter[str]()
        for (outcome, error), count in self.rows.items():
            outcomes[outcome] += count
            if error:
                errors[error] += count
        lines += [f"  {count:>9}  {outcome}" for outcome, count in outcomes.most_common()]
        if errors:
            lines += ["", "The most frequent errors, each with an example:"]
            for error, count in errors.most_common(_SHOWN_ERRORS):
                example = self._examples.get(error)
                lines.append(f"  {count:>9}  {error:<16} {repr(example[:120]) if example else ''}")
        if private := errors["private-address"]:
            lines += [
                "",
                f"{private} records lead into a private network and were not requested. If it is "
                "yours, allow it: -s ALLOW_PRIVATE_ADDRESSES=10.0.0.0/8 (or what the rows say)",
            ]
        lines += self._fields()
        lines += self._rendered()
        lines += self._slow_hosts(seconds)
        if unwritten := self.crawler.stats.get_value("records/unwritten"):
            lines += ["", f"{unwritten} rows could not be written: see the errors above"]
        lines += ["", *self._feeds]
        for table in spider.tables.values() if rows < total else ():
            if table.file != table.path:
                lines.append(f"It is written when it is complete; until then: {table.file}")
        if rows < total:
            lines.append(f"Not finished. To go on: {self._again()}")
        elif spider.ledger.primary and (failed := self._retryable()):
            lines.append(f"{failed} of them may go well another time: {self._again(retry=True)}")
        return lines

    def _fields(self) -> list[str]:
        """Return how many of the pages of this run have each field."""
        spider: Any = self.crawler.spider
        stats = self.crawler.stats
        lines: list[str] = []
        for name in spider.extractor.fields.names:
            found, absent, unread = (
                stats.get_value(f"fields/{name}/{what}", 0)
                for what in ("found", "absent", "unread")
            )
            if found + absent:
                line = f"  {found / (found + absent):>9.0%}  {name}"
                if unread:
                    example = stats.get_value(f"fields/{name}/example")
                    line += f" ({unread} could not be read: {example})"
                lines.append(line)
        return ["", "Fields, and the pages of this run that have them:", *lines] if lines else []

    def _rendered(self) -> list[str]:
        """Return what became of the pages of this run that were to be rendered, if any was."""
        stats = self.crawler.stats
        pages, failed, browsers = (
            stats.get_value(f"render/{what}", 0) for what in ("pages", "failed", "browsers")
        )
        if not pages + failed:
            return []
        line = f"{pages} pages were rendered ({browsers} browsers)"
        if failed:
            line += f". {failed} could not be: see the column `render_error`"
        return ["", line]

    def _slow_hosts(self, seconds: float) -> list[str]:
        """Return the table of the hosts that the crawl has waited for, if it has."""
        slow = [
            host
            for host in self.crawler.stats.get_value("throttle/slowest", [])
            if host["seconds"] > max(_LONG, seconds / 10)
        ]
        if not slow:
            return []
        shown = ("seconds", "requests", "ok", "refused", "latency", "highest", "paused")
        head = "".join(f"{name:>10}" for name in shown)
        lines = ["", "The slowest hosts, and what they were given (latency and paused in seconds):"]
        lines.append(head + "  host")
        for host in slow:
            cells = ["-" if host[name] is None else host[name] for name in shown]
            lines.append("".join(f"{cell:>10}" for cell in cells) + f"  {host['host'][:60]}")
        return lines

    def _again(self, *, retry: bool = False) -> str:
        """Return what to do to go on, or to crawl failed records again."""
        spider, settings = cast("Any", self.crawler.spider), self.crawler.settings
        if job := spider.given.get("_job"):  # the command line is scrapyd's
            also = " and retry=failed" if retry else ""
            return f"schedule it again with jobid={job}{also}"
        started_by = settings["STARTED_BY"]
        if not started_by or settings.getbool("ENDS_WITH_STDIN"):
            return "the same call once more" + (", with retry='failed'" if retry else "")
        again = ("-a", "retry=failed") if retry and "retry" not in spider.given else ()
        return _command_line(started_by, [*self._words, *again])

    def _retryable(self) -> int:
        return sum(count for (_, error), count in self.rows.items() if error in RETRYABLE)


def _command_line(name: str, more: list[str]) -> str:
    """Return the command line that this process has, with *more* words in place of its output."""
    words, given = ["scrapy", name], iter(sys.argv[1:])  # Scrapy takes the command's name out
    for word in given:
        if word in _OUTPUTS:
            next(given, None)
        elif not word.startswith(("-o", "-O", *(f"{name}=" for name in _OUTPUTS[2:]))):
            words.append(word)
    return shlex.join([*words, *more])
