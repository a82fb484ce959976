"""`scrapy plan`: what a crawl has before it, looked at without a request."""

import argparse
import json
import math
from typing import TYPE_CHECKING, Any

from scrapy.commands import BaseRunSpiderCommand
from scrapy.crawler import Crawler
from scrapy.exceptions import UsageError

from urlcrawler.commands.beforecrawl import BeforeCrawl
from urlcrawler.exceptions import ArgumentError

# Scrapy imports the modules of all commands for each of them: what these need comes later.
if TYPE_CHECKING:
    from urlcrawler.plan.figures import Figures
    from urlcrawler.plan.outlook import Outlook
    from urlcrawler.plan.robotsfiles import Findings


class Command(BeforeCrawl, BaseRunSpiderCommand):
    """Say what a crawl has before it: records, hosts, what is wrong, what is done, how long.

    It takes what `scrapy crawl` takes, refuses what that would refuse, and changes nothing.
    """

    when_interrupted = "Nothing was written"

    def syntax(self) -> str:
        """Return what stands behind the name of the command."""
        return "[options] -a file=urls.txt [spider]"

    def short_desc(self) -> str:
        """Return the line for the list of commands."""
        return "Look before a crawl: records, hosts, mistakes, and how long it takes"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of the command to those of a crawl."""
        super().add_options(parser)
        parser.add_argument("--robots", action="store_true", help="fetch robots.txt of each host")
        parser.add_argument("--latency", default="0.5", help="seconds that a page takes (0.5)")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Look, and print what was found."""
        if len(args) > 1:
            raise UsageError("name one spider at most: scrapy plan -a file=urls.txt")
        with self.told():
            outlook = self._look(args[0] if args else "urls", opts)
            text = [json.dumps(outlook.as_json())] if opts.json else outlook.lines()
            print("\n".join(text), flush=True)

    def _look(self, name: str, opts: argparse.Namespace) -> "Outlook":
        from urlcrawler.plan.figures import Figures
        from urlcrawler.spiders.looking import close, look_at_tables, open_without_tables

        latency = _seconds("--latency", opts.latency)
        crawler = self.crawler_of(name, opts)
        spider = open_without_tables(crawler, opts.spargs)
        try:
            if opts.robots and not crawler.settings.getbool("ROBOTSTXT_OBEY"):
                raise ArgumentError(
                    "--robots: ROBOTSTXT_OBEY is 0, so the crawl reads no robots.txt. Leave one out"
                )
            outside = spider.ledger.done()  # of other shards
            taken = look_at_tables(crawler.settings, spider)
            figures = Figures(crawler, spider, outside, latency)
            found = self._fetch(crawler, spider, figures) if opts.robots else None
            return figures.outlook(taken, found)
        finally:
            close(spider)

    def _fetch(self, crawler: Crawler, spider: Any, figures: "Figures") -> "Findings":
        """Fetch robots.txt of each origin."""
        import numpy as np

        from urlcrawler.plan.robotsfiles import Findings, spider_for

        process: Any = self.crawler_process
        origins, hosts = len(figures.sizes), len(figures.census)
        found = Findings(
            forbidden=np.zeros(origins, np.uint32),
            unreachable=np.zeros(origins, np.uint32),
            asked=np.zeros(hosts, np.float32),
            latency=np.zeros(hosts, np.float32),
        )
        process.crawl(
            process.create_crawler(spider_for(crawler.spidercls)),
            wanted=figures.wanted,
            sizes=figures.sizes,
            index=spider.index,
            census=figures.census,
            found=found,
            host_headers=spider.host_headers,
        )
        # Ctrl-C ends it at once: there is nothing to save, and no page to wait for.
        process.start(install_signal_handlers=False)
        if not found.is_whole:
            raise ArgumentError("--robots: could not be done, see above")
        return found


def _seconds(name: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ArgumentError(f"{name}: must be a number of seconds above 0, not {text!r}")
    return seconds
