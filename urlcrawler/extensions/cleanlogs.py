"""Nothing that a page or a list says reaches the terminal raw, and no password the log."""

import logging
import traceback
from contextlib import suppress

from scrapy import signals
from scrapy.crawler import Crawler

from urlcrawler.printable import printable, without_credentials


class CleanLogs:
    """Write out control characters in every line of the log, and leave credentials of URLs out.

    By a filter of the handlers and not of loggers, as those see only what is logged by themselves;
    and before the formatter, which may add colours.
    """

    def __init__(self) -> None:
        self.clean_handlers()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "CleanLogs":
        """Clean what all handlers of the process write; Scrapy puts a new one in later on."""
        logs = cls()
        crawler.signals.connect(logs.clean_handlers, signals.spider_opened)
        return logs

    def clean_handlers(self) -> None:
        """Add the filter to handlers that do not have it."""
        for handler in logging.getLogger().handlers:
            if not any(isinstance(found, _Clean) for found in handler.filters):
                handler.addFilter(_Clean())


class _Clean(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        with suppress(Exception):  # arguments that do not fit: the handler says so, in its own way
            record.msg, record.args = _clean(record.getMessage()), None
            if record.exc_info and record.exc_info[0]:
                text = "".join(traceback.format_exception(*record.exc_info))
                record.exc_text = _clean(text.rstrip())
        return True


def _clean(text: str) -> str:
    return printable(without_credentials(text))
