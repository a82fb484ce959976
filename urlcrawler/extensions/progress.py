"""Says how far the crawl is, while it goes on."""

import json
import logging
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.utils.asyncio import create_looping_call

from urlcrawler.extensions.summary import Summary
from urlcrawler.progress import words
from urlcrawler.progress.standing import Standing
from urlcrawler.progress.watcher import Watcher

if TYPE_CHECKING:
    from urlcrawler.progress.display import Display

logger = logging.getLogger(__name__)

_PACE = 1.0  # seconds between two looks


class Progress:
    """Show a few lines on a terminal, and a line of the log every LOGSTATS_INTERVAL elsewhere.

    PROGRESS_JSON names a file that gets an object a line instead. One of several processes tells
    its parent.
    """

    def __init__(self, crawler: Crawler, interval: float, json_path: str, child_path: str) -> None:
        self.crawler = crawler
        self._interval = interval
        self._json_path = json_path
        self._child_path = child_path
        self._display: Display | None = None
        self._said_at = monotonic()
        self._watcher = Watcher(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Progress":
        """Connect to the signals; only a spider with a list knows how far it is."""
        settings = crawler.settings
        if not hasattr(crawler.spider, "ledger"):
            raise NotConfigured("the spider reads no list.")
        progress = cls(
            crawler,
            settings.getfloat("LOGSTATS_INTERVAL"),
            settings["PROGRESS_JSON"] or "",
            settings["PROGRESS_FILE"] or "",
        )
        crawler.signals.connect(progress.spider_opened, signals.spider_opened)
        crawler.signals.connect(progress.spider_closed, signals.spider_closed)
        return progress

    def spider_opened(self) -> None:
        """Begin to look."""
        settings = self.crawler.settings
        if (
            settings.getbool("PROGRESS_ENABLED")
            and not self._child_path
            and _has_terminal(settings)
        ):
            from urlcrawler.progress.display import Display

            self._display = Display(self.crawler.spider.name, sys.stderr)  # type: ignore[union-attr]
        self._loop = create_looping_call(self._look)
        self._loop.start(_PACE, now=False)

    def spider_closed(self) -> None:
        """Look no more."""
        self._loop.stop()
        if self._display:
            self._display.close()
        if self._json_path and not self._child_path:
            self._say(self._watcher.standing(self._outcomes()))

    def _look(self) -> None:
        is_due = bool(self._interval) and monotonic() - self._said_at >= self._interval
        if not (self._display or self._child_path or is_due):
            return
        standing = self._watcher.standing(self._outcomes())
        if self._child_path:
            self._tell(standing)
        elif self._display:
            self._display.show(standing)
        if is_due and not self._child_path:
            self._said_at = monotonic()
            self._say(standing)

    def _say(self, standing: Standing) -> None:
        if self._json_path:
            try:
                with Path(self._json_path).open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(standing)) + "\n")
            except OSError as error:
                logger.warning(
                    "%(path)s: %(why)s. Progress is in the log from now on",
                    {"path": self._json_path, "why": error.strerror},
                )
                self._json_path = ""
        elif not self._display:
            logger.info("%(progress)s", {"progress": words.line(standing)})

    def _tell(self, standing: Standing) -> None:
        path = Path(self._child_path)
        new = path.with_suffix(".new")
        try:
            new.write_text(json.dumps(asdict(standing)), encoding="utf-8")
            new.replace(path)
        except OSError as error:
            logger.debug("%(path)s: %(why)s", {"path": path, "why": error.strerror})

    def _outcomes(self) -> dict[str, int]:
        summary = self.crawler.get_extension(Summary)
        outcomes = Counter[str]()
        for (outcome, _), count in (summary.rows if summary else {}).items():
            outcomes[outcome] += count
        return dict(outcomes)


def _has_terminal(settings: Any) -> bool:
    """Return whether the log goes to a terminal that lines can be written on again."""
    if not sys.stderr.isatty():
        return False  # before rich is imported, which takes a while
    from rich.console import Console

    console = Console(stderr=True)
    to_stdout = any(uri in ("stdout:", "-") for uri in settings.getdict("FEEDS"))
    is_own = not (to_stdout and sys.stdout.isatty())
    return console.is_terminal and not console.is_dumb_terminal and is_own
