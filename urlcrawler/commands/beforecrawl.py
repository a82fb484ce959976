"""What commands have in common that take what `scrapy crawl` takes, and do not crawl."""

import argparse
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from scrapy.crawler import Crawler
from scrapy.settings import SETTINGS_PRIORITIES

from urlcrawler.commands.crawl import name_databases, no_spider
from urlcrawler.commands.telling import name_of, tell
from urlcrawler.exceptions import ArgumentError, Interrupted, UrlcrawlerError
from urlcrawler.exitcodes import CANNOT_START
from urlcrawler.printable import printable, without_credentials
from urlcrawler.processes.child import command


class BeforeCrawl:
    """Begin as `scrapy crawl` does, and say in one sentence why it could not."""

    requires_project = True
    when_interrupted: ClassVar[str]  # what has been done by then

    settings: Any
    crawler_process: Any
    exitcode: int

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Log only what goes wrong, unless -s or --loglevel says more."""
        name_databases(opts)
        super().process_options(args, opts)  # type: ignore[misc]
        if (self.settings.getpriority("LOG_LEVEL") or 0) < SETTINGS_PRIORITIES["cmdline"]:
            self.settings.set("LOG_LEVEL", "WARNING", priority="cmdline")

    @contextmanager
    def told(self) -> Iterator[None]:
        """Tell what goes wrong, and end at once on Ctrl-C: threads look names up, which would be
        waited for.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._leave)
        try:
            yield
        except BrokenPipeError:  # `| head` has seen enough; nothing is to be flushed at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except (UrlcrawlerError, OSError) as error:
            tell(self, error)
            code = 128 + error.signal if isinstance(error, Interrupted) else CANNOT_START
            self.exitcode = self.exitcode or code

    def crawler_of(self, name: str, opts: argparse.Namespace) -> Crawler:
        """Return a crawler of the spider with this *name*.

        Raises:
            ArgumentError: there is no such spider.
        """
        words = dict(word.split("=", 1) for word in opts.set)
        self.settings.set("CHILD_COMMAND", command(name, words), priority="cmdline")
        try:
            crawler: Crawler = self.crawler_process.create_crawler(name)
        except KeyError:
            raise ArgumentError(no_spider(name, self.crawler_process)) from None
        return crawler

    def _leave(self, number: int, frame: Any) -> None:
        os.write(2, f"scrapy {name_of(self)}: interrupted. {self.when_interrupted}\n".encode())
        os._exit(128 + number)


def safe(text: str) -> str:
    """Return *text* for a terminal."""
    return printable(without_credentials(text))
