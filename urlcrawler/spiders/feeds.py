"""Where the table goes, checked before the first request."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scrapy.settings import BaseSettings
from w3lib.url import file_uri_to_path

from urlcrawler.exceptions import OutputError
from urlcrawler.items import Row
from urlcrawler.tables import FORMATS

DEFAULT_FEED = "data/results/%(list_name)s.csv"


def set_default_feed(settings: BaseSettings) -> None:
    """Ask for the default feed where neither the command line nor the project names another.

    Not in settings.py: Scrapy merges FEEDS of a project into `-o`, so that `-o my.csv` would
    write two tables.
    """
    if not settings.getdict("FEEDS"):
        settings.set("FEEDS", {DEFAULT_FEED: {"format": "csv"}}, priority="spider")


def check_feeds(settings: BaseSettings, spider: Any) -> None:
    """Make sure that every local feed can be written and would not mix with another crawl's.

    Raises:
        OutputError: the file is there already, or cannot be created.
    """
    for uri, options in settings.getdict("FEEDS").items():
        path = local_path(str(uri), spider)
        if path is None:
            continue
        if path.is_dir():
            raise OutputError(f"-o {path}: is a folder. Name a file inside it")
        kept = resumes(options, settings) or options.get("overwrite", False)
        if not kept and path.exists() and path.stat().st_size:
            raise OutputError(
                f"{path} is there already, and a crawl into it cannot be resumed: only CSV and "
                f"JSON Lines can, as one file, with all rows. Type -O {path} to replace it"
            )
        folder = next(parent for parent in path.absolute().parents if parent.exists())
        if not folder.is_dir():
            raise OutputError(f"{path}: cannot be written: {folder} is not a folder")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise OutputError(f"{path}: cannot be written: no permission in {folder}")


def bind_feeds(settings: BaseSettings, columns: list[str]) -> None:
    """Let every feed take the rows of the table, all *columns* of them, and nothing else.

    A feed that says which items or fields it wants keeps its say.
    """
    feeds = {uri: dict(options) for uri, options in settings.getdict("FEEDS").items()}
    for options in feeds.values():
        if "item_filter" not in options:
            options.setdefault("item_classes", [Row])
        if options.get("item_classes") == [Row] and not settings["FEED_EXPORT_FIELDS"]:
            options.setdefault("fields", columns)
    settings.set("FEEDS", feeds, priority=settings.getpriority("FEEDS") or "spider")


def resumes(
    options: dict[str, Any], settings: BaseSettings, columns: list[str] | None = None
) -> bool:
    """Return whether a crawl into a local feed with these options can be taken up again.

    It can when the feed holds every row in full (all *columns*, once they are known), in one file
    that can be appended to.
    """
    partial = ("item_filter", "batch_item_count", "postprocessing", "item_export_kwargs")
    return (
        options.get("format") in FORMATS
        and options.get("encoding", settings["FEED_EXPORT_ENCODING"]) in ("utf-8", "utf-8-sig")
        and options.get("fields") in (None, columns)
        and not settings["FEED_EXPORT_FIELDS"]
        and not settings.getint("FEED_EXPORT_BATCH_ITEM_COUNT")
        and not any(options.get(name) for name in partial)
        and options.get("item_classes", [Row]) == [Row]
    )


def local_path(uri: str, spider: Any) -> Path | None:
    """Return the path of a local feed; None for remote ones and those named by the time."""
    if urlsplit(uri).scheme not in ("", "file"):
        return None
    params = {"name": spider.name, "list_name": spider.list_name, "batch_id": 1}
    try:
        path = uri % params if "%(" in uri else uri
    except (KeyError, ValueError, TypeError):
        return None
    return Path(file_uri_to_path(path) if path.startswith("file:") else path)
