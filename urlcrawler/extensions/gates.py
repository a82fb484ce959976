"""Quality gates: a crawl that came out too badly says so, with an exit code of its own.

Spidermon was looked at first. Its monitors know the stats of one run, and not the table of all
runs of a crawl that was resumed; and they set no exit code. It works beside this (`gates/*` are
stats as all others), and is the place for notifications.
"""

import logging
from collections import deque
from typing import Any

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from urlcrawler.outcomes import THERE
from urlcrawler.output.quality import Wanted
from urlcrawler.output.rows import Row
from urlcrawler.stopping import stop

logger = logging.getLogger(__name__)

LATELY = 200  # pages of which the share is looked at while the crawl goes on


class Gates:
    """Look at the whole table when it is complete, and at the last pages all the while.

    Stats: `gates/*`.
    """

    def __init__(self, crawler: Crawler, wanted: Wanted) -> None:
        self.crawler = crawler
        self._wanted = wanted
        self._lately: deque[bool] = deque(maxlen=LATELY)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Gates":
        """Connect to the signals, if anything is wanted (`spiders.wanted`)."""
        wanted = getattr(crawler.spider, "wanted", None)
        if wanted is None or not (wanted.is_about_table or wanted.ok_share_lately):
            raise NotConfigured  # without a word: nobody has asked for it
        gates = cls(crawler, wanted)
        if wanted.ok_share_lately:
            crawler.signals.connect(gates.item_scraped, signals.item_scraped)
        crawler.signals.connect(gates.engine_stopped, signals.engine_stopped)
        return gates

    def item_scraped(self, item: Any) -> None:
        """Stop the crawl when almost nothing of what it asks for is there."""
        if not isinstance(item, Row) or not item["attempts"]:
            return
        self._lately.append(item["outcome"] in THERE)
        there, least = sum(self._lately), self._wanted.ok_share_lately
        if len(self._lately) == LATELY and there < least * LATELY:
            logger.error(
                "%(there)d of the last %(count)d pages are ok, and at least %(least).1f%% are "
                "wanted (CLOSESPIDER_OK_SHARE): the crawl stops. To go on, run it again without "
                "-O; what has failed is crawled again with -a retry=failed",
                {"there": there, "count": LATELY, "least": 100 * least},
            )
            self._lately.clear()
            stop(self.crawler, "closespider_ok_share")

    def engine_stopped(self) -> None:
        """Say what the table does not come up to; `storages` has looked at it."""
        spider: Any = self.crawler.spider
        stats: Any = self.crawler.stats
        wanted, now = self._wanted, spider.quality
        if not wanted.is_about_table or not spider.ledger.is_complete:
            return
        if now is None:
            stats.set_value("gates/failed", 1)
            logger.error("Quality: the table could not be looked at, see above")
            return
        found = list(wanted.shortcomings(now))
        stats.set_value("gates/ok_share", round(now.ok_share, 4))
        stats.set_value("gates/failed", len(found))
        for name, why in found:
            logger.error("Quality, %(name)s: %(why)s", {"name": name, "why": why})
        if not found:
            share = f"{now.ok_share:.1%}"
            logger.info("Quality: as wanted. %(share)s of the records are ok", {"share": share})
