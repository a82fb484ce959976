"""Where the table goes, checked before the first request."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scrapy.settings import BaseSettings
from w3lib.url import file_uri_to_path

from urlcrawler.exceptions import OutputError
from urlcrawler.items import Row

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
        path = _local_path(str(uri), spider)
        if path is None:
            continue
        if path.is_dir():
            raise OutputError(f"-o {path}: is a folder. Name a file inside it")
        overwrite = options.get("overwrite", False)
        if not overwrite and path.exists() and path.stat().st_size:
            raise OutputError(
                f"{path} is there already. Type -O {path} to replace it, or -o with another name"
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


def _local_path(uri: str, spider: Any) -> Path | None:
    """Return the path of a local feed; None for remote ones and those named by time or batch."""
    if urlsplit(uri).scheme not in ("", "file"):
        return None
    params = {name: getattr(spider, name) for name in ("name", "list_name")}
    try:
        path = uri % params if "%(" in uri else uri
    except (KeyError, ValueError, TypeError):
        return None
    return Path(file_uri_to_path(path) if path.startswith("file:") else path)
