"""What a spider begins with."""

import logging
from collections.abc import AsyncIterator
from typing import Any

from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider

from urlcrawler.divided import is_divided
from urlcrawler.exceptions import ComponentError
from urlcrawler.guard import Guard

logger = logging.getLogger(__name__)


class Start:
    """Let a `start()` that raises CancelledError or SystemExit end like one that raises ValueError.

    Scrapy would wait for more of it for ever, or end with the event loop. It may take any time.
    Of a list that is divided each process has its own; that of the one that divides yields nothing.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._is_parent = is_divided(crawler.settings)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Start":
        """Build the middleware."""
        return cls(crawler)

    async def process_start(self, start: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Yield what *start* and the middlewares around it yield."""
        if self._is_parent:
            return
        try:
            async for each in Guard("start", None).steps(start):
                yield each
        except ComponentError as error:
            if not error.is_exit:
                raise
            logger.error("The crawl stops, because %(why)s", {"why": error}, exc_info=error)
            raise CloseSpider("shutdown") from error
