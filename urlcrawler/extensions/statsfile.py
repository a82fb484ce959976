"""The stats of a crawl, beside its table: for `scrapy report`, and for the parent of a process."""

import json
import logging
from pathlib import Path
from typing import Any

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from urlcrawler.output.tablefile import beside

logger = logging.getLogger(__name__)


class StatsFile:
    """Write the stats into a hidden file beside the first table, or where STATS_FILE says."""

    def __init__(self, crawler: Crawler, path: str) -> None:
        self.crawler = crawler
        self._path = path

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "StatsFile":
        """Connect to the signals; only a spider with a list has a table that is known."""
        if not hasattr(crawler.spider, "ledger"):
            raise NotConfigured("the spider reads no list.")
        stats_file = cls(crawler, crawler.settings["STATS_FILE"] or "")
        crawler.signals.connect(stats_file.engine_stopped, signals.engine_stopped)
        return stats_file

    def engine_stopped(self) -> None:
        """Write them; where that is not possible, they are done without."""
        stats: Any = self.crawler.stats
        primary = self.crawler.spider.ledger.primary  # type: ignore[union-attr]
        if not self._path and primary is None:
            return
        path = Path(self._path) if self._path else beside(primary.path, ".stats.json")
        try:
            text = json.dumps(stats.get_stats(), default=str)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            logger.warning("%(path)s: %(error)s", {"path": path, "error": error.strerror})
