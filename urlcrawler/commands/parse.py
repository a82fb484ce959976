"""`scrapy parse`, also for spiders of lists."""

import argparse
import warnings
from typing import Any, ClassVar

from scrapy import Request, Spider
from scrapy.commands.parse import Command as ScrapyParse

from urlcrawler.commands.withoutlist import WithoutList
from urlcrawler.items import Page
from urlcrawler.meta import RECORD, WAITED_FOR
from urlcrawler.spiders.base import UrlListSpider
from urlcrawler.spiders.single import record_of


class Command(WithoutList, ScrapyParse):
    """Show the row that a spider makes of a page, and what else it yields."""

    default_settings: ClassVar[dict[str, Any]] = {
        **ScrapyParse.default_settings,
        "WITHOUT_LIST": True,
    }

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Do what Scrapy's command does, without its warning about how it does it."""
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", "(?s).*Returning Deferreds from spider callbacks is deprecated"
            )
            super().run(args, opts)

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Take `-c parse_page` for what it means: it needs its page, which `parse` gives it."""
        super().process_options(args, opts)
        if opts.callback == "parse_page":
            opts.callback = None

    def set_spidercls(self, url: str, opts: argparse.Namespace) -> None:
        """Choose the spider; one of lists is for any URL, so Scrapy finds none for it."""
        super().set_spidercls(url, opts)
        if not self.spidercls:
            self._say("name the spider, for example --spider=urls")

    def prepare_request(
        self, spider: Spider, request: Request, opts: argparse.Namespace
    ) -> Request:
        """Return the request as one for a record."""
        if isinstance(spider, UrlListSpider):
            request.meta[RECORD] = record_of(request.url)
            request.errback = lambda failure: self.add_items(1, [*spider.errback(failure)])
        return super().prepare_request(spider, request, opts)

    def add_items(self, lvl: int, new_items: list[Any]) -> None:
        """Show a page as its row, without the columns that are empty."""
        super().add_items(lvl, [self._shown(item) for item in new_items])

    def print_results(self, opts: argparse.Namespace) -> None:
        """Print items and requests, and why a row may be missing among them."""
        super().print_results(opts)
        last = self.requests.get(self.max_level, [])
        if any(WAITED_FOR in request.meta for request in last):
            print(f"The row waits for these requests: add --depth {self.max_level + 1}")

    def _shown(self, item: Any) -> Any:
        if not isinstance(item, Page):
            return item
        row = self.pcrawler.spider.table.row(item)  # type: ignore[union-attr]
        return {name: value for name, value in row.items() if value is not None}
