"""Looks whether a crawl has come to need a browser."""

import logging
import sys
from typing import Any

import psutil
from scrapy import signals
from scrapy.crawler import Crawler


class Probe:
    """Says at the end what was imported, and how many processes there are."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Probe":
        probe = cls()
        crawler.signals.connect(probe.spider_closed, signals.spider_closed)
        return probe

    def spider_closed(self) -> Any:
        imported = "imported" if "playwright" in sys.modules else "not imported"
        children = len(psutil.Process().children(recursive=True))
        logging.getLogger(__name__).warning("playwright: %s, %d processes", imported, children)
