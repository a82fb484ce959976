"""Which of Scrapy's log lines a list crawl leaves out."""

import logging

from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

# logger: (level, reason). DEBUG on the command line brings every one of them back.
_LEVELS = {
    "scrapy.middleware": (logging.WARNING, "the lists of enabled components, 60 lines"),
    "scrapy.crawler": (logging.WARNING, "the overridden settings, 30 lines"),
    "scrapy.core.downloader.handlers.http11": (logging.ERROR, "a line per too large page: a row"),
    "scrapy.core.downloader.handlers._base_streaming": (logging.ERROR, "the same with aiohttp"),
    "scrapy.downloadermiddlewares.robotstxt": (
        logging.CRITICAL,
        "a traceback per host without robots.txt: its pages have rows",
    ),
    "scrapy.downloadermiddlewares.httpcompression": (logging.ERROR, "a line per page: a row"),
}


class QuietLogs:
    """Keep what repeats the table out of the log, and build no record that is thrown away.

    Scrapy leaves its loggers at DEBUG and filters in the handler, which builds two log records
    per URL for nothing.
    """

    def __init__(self, level: int) -> None:
        logging.getLogger("scrapy").setLevel(level)
        logging.getLogger("urlcrawler").setLevel(level)
        for name, (quiet, _) in _LEVELS.items():
            logging.getLogger(name).setLevel(max(level, quiet))

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "QuietLogs":
        """Do nothing when everything was asked for."""
        level = logging.getLevelName(str(crawler.settings["LOG_LEVEL"]).upper())
        if not isinstance(level, int) or level <= logging.DEBUG:
            raise NotConfigured("LOG_LEVEL is DEBUG.")
        return cls(level)
