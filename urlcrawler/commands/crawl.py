"""`scrapy crawl` with an exit code that says how it ended."""

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from difflib import get_close_matches
from typing import Any, NoReturn, cast

from scrapy import signals
from scrapy.commands.crawl import Command as ScrapyCrawl
from scrapy.crawler import Crawler, CrawlerProcessBase
from scrapy.exceptions import UsageError
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from urlcrawler.commands.interrupts import Interrupts
from urlcrawler.commands.telling import name_of, tell
from urlcrawler.exceptions import Interrupted, UrlcrawlerError
from urlcrawler.exitcodes import (
    CANNOT_START,
    COMPLETE,
    INCOMPLETE,
    NOT_GOOD_ENOUGH,
    NOT_WRITTEN,
    STOPPED_EARLY,
)
from urlcrawler.output.database import is_database
from urlcrawler.printable import printable, without_credentials
from urlcrawler.processes.child import command
from urlcrawler.spiders.job import ENDS

logger = logging.getLogger(__name__)

_COLLECT = (20_000, 10, 10)  # new objects, and collections of the younger, before each generation


class Command(ScrapyCrawl):
    """Do what Scrapy's command does; its exit code only ever is 0 or 1. Ours: EXIT_CODES."""

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Know a database by its address; note for the summary how to start it again."""
        name_databases(opts)
        super().process_options(args, opts)
        assert self.settings is not None  # noqa: S101 - set by scrapy.cmdline
        self.settings.set("STARTED_BY", name_of(self), priority="command")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Crawl, and set the exit code."""
        if len(args) != 1:
            raise UsageError("name one spider, for example: scrapy crawl urls -a file=urls.txt")
        assert self.crawler_process is not None  # noqa: S101 - set by scrapy.cmdline
        self._describe(args[0], opts)
        try:
            crawler = self._create_crawler(args[0])
        except KeyError:
            self.exitcode = CANNOT_START
            tell(self, no_spider(args[0], self.crawler_process))
            return
        self._crawl(crawler, opts)

    def _crawl(self, crawler: Crawler, opts: argparse.Namespace) -> None:
        assert self.crawler_process is not None  # noqa: S101 - set by scrapy.cmdline
        if self.settings and self.settings.get("LOG_LEVEL") != "DEBUG":
            # An empty list of add-ons is no news; extensions.quiet comes too late for this one.
            logging.getLogger("scrapy.addons").setLevel(logging.WARNING)
        interrupts = Interrupts()
        crawler.signals.connect(interrupts.watch, signal=signals.engine_started)
        crawler.signals.connect(_keep_for_good, signal=signals.engine_started)
        crawler.signals.connect(interrupts.close, signal=signals.spider_closed)
        crawling: Any = self.crawler_process.crawl(crawler, **opts.spargs)
        failed: list[BaseException] = []
        if isinstance(crawling, asyncio.Future):
            crawling.add_done_callback(lambda task: failed.extend(_exception_of(task)))
        elif isinstance(crawling, Deferred):
            crawling.addErrback(_keep_in(failed))
        try:
            self.crawler_process.start()
        except (SystemExit, KeyboardInterrupt) as error:
            if interrupts.watching:
                _leave(error)
            failed.append(error)  # sys.exit() in a constructor
        interrupts.over()
        self.exitcode = self._code(crawler, failed, interrupts.received)
        if "_job" in opts.spargs and not crawler.settings.getbool("LEASH_ENABLED"):
            self._say_how_it_ended(crawler, opts.spargs["_job"])

    def _say_how_it_ended(self, crawler: Crawler, job: str) -> None:
        """Log it: scrapyd keeps the log of a job, and not its exit code."""
        ledger: Any = getattr(crawler.spider, "ledger", None)
        rows, total = (ledger.count, ledger.total) if ledger else (0, 0)
        logger.info(ENDS, {"job": job, "code": self.exitcode, "rows": rows, "total": total})

    def _describe(self, spider: str, opts: argparse.Namespace) -> None:
        """Note how to start the processes of PROCESSES: as this one, but for its arguments."""
        settings: Any = self.settings
        given = dict(word.split("=", 1) for word in opts.set)
        settings.set("CHILD_COMMAND", command(spider, given), priority="cmdline")

    def _code(
        self,
        crawler: Crawler,
        failed: list[BaseException],
        interrupt: signal.Signals | None,
    ) -> int:
        if failed:
            if not isinstance(failed[0], UrlcrawlerError):
                logger.error("The crawl could not start", exc_info=failed[0])
                return CANNOT_START
            tell(self, failed[0])
            if crawler.settings["LOG_FILE"]:  # where a job of scrapyd is looked for
                words = printable(without_credentials(str(failed[0])))
                logger.error("%(words)s", {"words": words})
            return 128 + failed[0].signal if isinstance(failed[0], Interrupted) else CANNOT_START
        if not hasattr(crawler.spider, "ledger"):
            failed_to_start = self.crawler_process.bootstrap_failed  # type: ignore[union-attr]
            return 128 + interrupt if interrupt else failed_to_start * CANNOT_START
        stats = crawler.stats.get_stats()
        if stats.get("finish_reason") in ("no_output", "cannot_start"):
            return CANNOT_START
        if not interrupt and "finish_reason" not in stats:
            # Only a signal does that, before the engine runs. Scrapy does not say which.
            _tell("Stopped. To go on, run it again without -O")
            return 128 + signal.SIGINT
        tables: Any = crawler.spider.tables  # type: ignore[union-attr]
        unwritten = stats.get("records/unwritten") or any(t.failure for t in tables.values())
        if unwritten or any(name.startswith("feedexport/failed_count") for name in stats):
            return NOT_WRITTEN
        if interrupt:
            return 128 + interrupt
        by_itself = ("finished", "start_error")  # the second: a bug in start()
        if stats.get("finish_reason") not in by_itself and stats.get("records/missing"):
            return STOPPED_EARLY
        if stats.get("records/missing", 1):
            return INCOMPLETE
        return NOT_GOOD_ENOUGH if stats.get("gates/failed") else COMPLETE


def no_spider(name: str, process: CrawlerProcessBase) -> str:
    """Return the sentence about a spider that is not there."""
    names = sorted(process.spider_loader.list())
    near = get_close_matches(name, names, 1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    return f"no spider {name!r}. {hint}Spiders are: {', '.join(names)}"


def name_databases(opts: argparse.Namespace) -> None:
    """Say the format of feeds whose address says it: Scrapy looks for a suffix."""
    for feeds in filter(None, (opts.output, opts.overwrite_output)):
        for place, feed in enumerate(feeds):
            if is_database(feed) and not feed.endswith(":postgresql"):
                feeds[place] = f"{feed}:postgresql"


def _tell(text: str) -> None:
    with suppress(OSError):  # a job of scrapyd may outlive who reads that
        print(text, file=sys.stderr, flush=True)


def _leave(error: BaseException) -> NoReturn:
    """End the process after code that no guard stands around has ended the event loop.

    It may be a callback that a component gave to the loop. With the loop everything is gone that
    could finish the crawl, and Python would wait for the threads that look host names up.
    """
    logger.error(
        "%(kind)s has ended the crawl. The rows so far are whole: to go on, run the same command "
        "again, without -O",
        {"kind": type(error).__name__},
        exc_info=error,
    )
    logging.shutdown()
    sys.stdout.flush()
    os._exit(128 + signal.SIGINT if isinstance(error, KeyboardInterrupt) else INCOMPLETE)


def _keep_for_good() -> None:
    """Let the garbage collector forget what is there for as long as the process is, and look
    through what comes seldom.

    To look through all of the imported code takes it 50 ms each time, in which nothing else goes
    on: requests would be sent later than their pace says. And a tree of lxml is a thousand
    objects without a cycle: by Python's own threshold of 700 each page is looked through, and
    with it all that is under way, which takes a fifth of a crawl's CPU. Pages are freed as their
    last reference goes; what is left for the collector is small.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT)


def _keep_in(failed: list[BaseException]) -> Callable[[Failure], None]:
    def keep(failure: Failure) -> None:
        failed.append(cast("BaseException", failure.value))

    return keep


def _exception_of(task: "asyncio.Future[None]") -> list[BaseException]:
    """Return the exception of a finished task, which also keeps asyncio from printing it."""
    if task.cancelled():
        return []
    error = task.exception()
    return [error] if error else []
