"""What the processes of a crawl have counted, added up."""

import json
import logging
from pathlib import Path
from typing import Any

from scrapy.crawler import Crawler

from urlcrawler.extensions.usage import SLOWEST

logger = logging.getLogger(__name__)

# The parent counts these itself: of all rows, and of its own run.
_ITS_OWN = ("records/", "item_scraped_count", "feedexport/", "finish", "start_time", "elapsed",
            "memusage/startup")  # fmt: skip


def add_stats(crawler: Crawler, path: Path) -> None:
    """Add the stats that a process has left in the file at *path*, if it has."""
    stats: Any = crawler.stats
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return  # it was killed
    for name, value in found.items():
        if name.startswith(_ITS_OWN):
            continue
        if name == "throttle/slowest":
            slowest = [*stats.get_value(name, []), *value]
            slowest.sort(key=lambda line: -line["seconds"])
            stats.set_value(name, slowest[:SLOWEST])
        elif stats.get_value(name) is None or not isinstance(value, int | float):
            stats.set_value(name, value)
        elif name.endswith("_max") or name == "memusage/max":
            stats.max_value(name, value)
        else:
            stats.inc_value(name, value)


def add_lines(source: Path, target: Path) -> None:
    """Append the lines of a CSV file to another one with the same header."""
    try:
        header, *lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    except (OSError, ValueError):
        return
    try:
        with target.open("a", encoding="utf-8", newline="") as file:
            file.writelines(lines if file.tell() else [header, *lines])
    except OSError as error:
        logger.warning("%(path)s: %(error)s", {"path": target, "error": error.strerror})
