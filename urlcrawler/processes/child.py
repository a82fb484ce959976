"""A process that crawls one shard: an ordinary crawl that ends with the one that started it."""

import asyncio
import json
import logging
import math
import os
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scrapy.settings import BaseSettings

from urlcrawler.inputs.shards import Shard
from urlcrawler.output.itemfile import items_feeds
from urlcrawler.output.parts import IS_CHILD, Part

logger = logging.getLogger(__name__)

MOST_DEATHS = 3  # in a row, none of which has brought a row
PATIENCE = 60.0  # seconds after which a process that was asked to end is ended

STATS, PROGRESS = ".stats.json", ".progress.json"  # what the names of these files end with

# What is for all processes together, each has its share of.
_SHARED = ("CONCURRENT_REQUESTS", "RENDER_TABS", "DOWNLOAD_MAXSIZE_TOTAL", "CLOSESPIDER_PAGECOUNT",
           "CLOSESPIDER_ERRORCOUNT")  # fmt: skip
# What the parent sees to.
_NOT_HERE = {
    "CLOSESPIDER_ITEMCOUNT": 0,
    "CLOSESPIDER_TIMEOUT": 0,
    "SORT_TABLE": 0,
    "PROCESSES": 1,
    "CLUSTER_SCHEDULER": "",
    "LOG_FILE_APPEND": 1,
    "FEED_EXPORT_FIELDS": "",
    "FEED_EXPORT_BATCH_ITEM_COUNT": 0,
}


class Child:
    """One of the processes, started again when it dies.

    Attributes:
        shard: what it crawls.
        part: where its rows are.
        code: how it has ended; None while it goes on.
    """

    def __init__(
        self, shard: Shard, folder: Path, arguments: Mapping[str, str], settings: BaseSettings
    ) -> None:
        """Crawl *shard* in *folder*.

        Args:
            arguments: those of the spider.
            settings: of the parent.
        """
        self.shard = shard
        self.part = Part(folder / f"{shard.name}.jsonl")
        self.code: int | None = None
        words = crawl_words(settings, shard, arguments, self.part.path, at_once=shard.count)
        self._words = [sys.executable, *words]
        self._process: Process | None = None
        self._deaths = 0

    async def start(self) -> None:
        """Start it, or start it again."""
        self.code = None
        self._process = await asyncio.create_subprocess_exec(
            *self._words,
            stdin=PIPE,  # its end tells the child that the parent is gone, however it went
            stdout=DEVNULL,
            env={**os.environ, **_same_egg(), IS_CHILD: "1"},
            start_new_session=True,  # Ctrl-C is for the parent, which asks the children to end
        )

    def poll(self) -> bool:
        """Return whether it has ended."""
        if self._process is not None and self._process.returncode is not None:
            self.code, self._process = self._process.returncode, None
        return self._process is None

    def note_rows(self) -> None:
        """Note that it has brought rows: so it does not die of what it begins with."""
        self._deaths = 0

    def may_start_again(self) -> bool:
        """Note that it has died; return whether another try may bring more."""
        self._deaths += 1
        return self._deaths < MOST_DEATHS

    def ask_to_end(self) -> None:
        """Let it finish the pages that are under way."""
        if self._process and self._process.stdin:
            self._process.stdin.close()

    async def end(self) -> None:
        """Wait for its end, and bring it about if it does not come."""
        process = self._process
        if process is None:
            return
        try:
            await asyncio.wait_for(process.wait(), PATIENCE)
        except TimeoutError:
            logger.warning("The process of shard %(shard)s is killed", {"shard": self.shard})
            process.kill()
            await process.wait()
        self.poll()


def crawl_words(
    settings: BaseSettings,
    shard: Shard,
    arguments: Mapping[str, str],
    part: Path,
    *,
    at_once: int,
) -> list[str]:
    """Return the words of a command, without the interpreter, that crawls a shard.

    Args:
        settings: of the parent.
        arguments: of the spider, for all shards.
        part: where the rows go.
        at_once: how many shards are crawled at a time, and share what is for all of them.
    """
    folder = part.parent
    own: dict[str, Any] = {
        **_NOT_HERE,
        "LEASH_ENABLED": 1,
        "STATS_FILE": folder / f"{shard.name}{STATS}",
        "PROGRESS_FILE": folder / f"{shard.name}{PROGRESS}",
    }
    for name in _SHARED:
        own[name] = math.ceil(settings.getint(name) / at_once)
    # What goes on is said by the parent.
    level = settings["LOG_LEVEL"]
    own["LOG_LEVEL"] = "WARNING" if level == "INFO" else level
    own["LOG_ENABLED"] = int(settings.getbool("LOG_ENABLED"))
    own["LOG_FILE"] = settings["LOG_FILE"] or ""
    own["LOG_FORMAT"] = f"[{shard}] {settings['LOG_FORMAT']}"
    feeds: dict[str, Any] = {str(part): {"format": "jsonlines", "encoding": "utf-8"}}
    for number, options in enumerate(items_feeds(settings).values()):
        path = part.with_suffix(f".{number}.items")
        classes = [_name(kind) for kind in options["item_classes"]]
        own_options = {"item_classes": classes, "overwrite": False}
        feeds[str(path)] = {"fields": None, **options, **own_options}
    own["FEEDS"] = json.dumps(feeds)
    words = list(settings["CHILD_COMMAND"])
    for name, value in {**arguments, "shard": str(shard)}.items():
        words += ["-a", f"{name}={value}"]
    for name, value in own.items():
        words += ["-s", f"{name}={value}"]
    return words


def _same_egg() -> dict[str, str]:
    """Return the variable with which scrapyd loads the egg that this process has, if it has one,
    and not a later one that was deployed meanwhile: its rows may have other columns.
    """
    found = re.search(r"([^/]+)\.egg/", __file__)
    return {"SCRAPYD_EGG_VERSION": found[1]} if found else {}


def _name(kind: Any) -> str:
    """Return the path by which Python imports a class."""
    return kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"


def command(spider: str, settings: Mapping[str, str]) -> list[str]:
    """Return the words that start a crawl as this one was started, without the interpreter
    and the arguments of the spider.

    Args:
        spider: its name.
        settings: those of the command line.
    """
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    name = spec.name if spec else ""
    start = name if name.startswith("scrapyd.") else "scrapy"  # the first unpacks an egg before
    warnings = [f"-W{each}" for each in sys.warnoptions]
    words = [*warnings, "-m", start, "crawl", spider]
    for name, value in settings.items():
        words += ["-s", f"{name}={value}"]
    return words
