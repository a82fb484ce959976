"""`scrapy bench`: how fast Scrapy is on this machine."""

import argparse

from scrapy.commands.bench import Command as ScrapyBench


class Command(ScrapyBench):
    """Crawl a server of its own as fast as it goes, and say each second how fast that is.

    The settings of the project would have it say so every 30 s, of one polite request at a time.
    """

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Set what the command is about; -s has the last word."""
        assert self.settings is not None  # noqa: S101 - set by scrapy.cmdline
        bench = {"LOGSTATS_INTERVAL": 1, "AUTOTHROTTLE_ENABLED": False, "ROBOTSTXT_OBEY": False}
        self.settings.setdict(bench, priority="project")
        super().process_options(args, opts)
