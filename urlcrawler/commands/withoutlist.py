"""What the commands of Scrapy have in common that look at single pages."""

import argparse
import asyncio
from typing import Any

from scrapy.crawler import CrawlerProcessBase

from urlcrawler.commands.crawl import no_spider
from urlcrawler.commands.telling import tell
from urlcrawler.exceptions import UrlcrawlerError


class WithoutList:
    """Start a spider of lists without a list, and say in one sentence why it cannot start."""

    crawler_process: CrawlerProcessBase | None
    exitcode: int

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Do what Scrapy's command does, with a spider that is there."""
        process: Any = self.crawler_process
        named = [opts.spider] if getattr(opts, "spider", None) else self._spiders(args)
        for name in named:
            if name not in process.spider_loader.list():
                self._say(no_spider(name, process))
                return
        asyncio.get_event_loop().set_exception_handler(self._exception)
        try:
            super().run(args, opts)  # type: ignore[misc]
        except UrlcrawlerError as error:
            self._say(error)

    def _spiders(self, args: list[str]) -> list[str]:
        """Return the spiders that arguments of the command name."""
        return []

    def _exception(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Take what nobody else has taken: Scrapy's commands do not look how a crawl began."""
        error = context.get("exception")
        if isinstance(error, UrlcrawlerError):
            self._say(error)
        else:
            loop.default_exception_handler(context)

    def _say(self, what: UrlcrawlerError | str) -> None:
        self.exitcode = 1
        tell(self, what)
