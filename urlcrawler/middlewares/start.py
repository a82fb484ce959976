"""What a spider begins with."""

import logging
from collections.abc import AsyncIterator
from typing import Any

from scrapy.exceptions import CloseSpider

from urlcrawler.exceptions import ComponentError
from urlcrawler.guard import Guard

logger = logging.getLogger(__name__)


class Start:
    """Let a `start()` that raises CancelledError or SystemExit end like one that raises ValueError.

    Scrapy would wait for more of it for ever, or end with the event loop. It may take any time.
    """

    async def process_start(self, start: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Yield what *start* and the middlewares around it yield."""
        try:
            async for each in Guard("start", None).steps(start):
                yield each
        except ComponentError as error:
            if not error.is_exit:
                raise
            logger.error("The crawl stops, because %(why)s", {"why": error}, exc_info=error)
            raise CloseSpider("shutdown") from error
