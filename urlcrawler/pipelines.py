"""Item pipelines. A pipeline of your own goes between 0 and 1000 and sees the `Page`."""

from typing import Any

from scrapy.crawler import Crawler

from urlcrawler.failures import SecondRow
from urlcrawler.items import Page


class Flatten:
    """Turn the Page into the flat row that every exporter writes; pass other items on."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Flatten":
        """Build the pipeline for a crawl; it does nothing for a spider that reads no list."""
        return cls(crawler)

    def process_item(self, item: Any) -> Any:
        """Return the row of a Page.

        Raises:
            SecondRow: the record has its row already. One record, one row.
        """
        if not isinstance(item, Page):
            return item
        spider: Any = self.crawler.spider
        if not spider.ledger.claim(item.position):
            raise SecondRow(f"record {item.position} has its row already", log_level="DEBUG")
        return spider.table.row(item)
