"""Plain Scrapy, as people write it: the start requests of a list, and a row each."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import scrapy


class PlainSpider(scrapy.Spider):
    """Fetch every URL of a list."""

    name = "plain"

    async def start(self) -> AsyncIterator[Any]:
        """Yield the requests of the list, only as fast as the scheduler runs dry."""
        for url in Path(self.file).read_text(encoding="utf-8").split():
            yield scrapy.Request(url, dont_filter=True, errback=self.failed)

    def parse(self, response: Any) -> Any:
        """Yield the row."""
        yield {"url": response.url, "status": response.status}

    def failed(self, failure: Any) -> Any:
        """Yield the row of a request without an answer."""
        yield {"url": failure.request.url, "status": None}
