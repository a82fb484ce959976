"""The arguments that name further files: `fields`, `since` and `headers`."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy.settings import BaseSettings

from urlcrawler.divided import is_divided
from urlcrawler.exceptions import ArgumentError, ListError
from urlcrawler.extract.fields import Fields
from urlcrawler.extract.fieldsfile import read_fields
from urlcrawler.inputs.hostheaders import HostHeaders, read_host_headers
from urlcrawler.items import BASE_COLUMNS
from urlcrawler.output.earlier import EarlierTable
from urlcrawler.spiders.feeds import local_path

if TYPE_CHECKING:
    from urlcrawler.output.pages import PageArchive

logger = logging.getLogger(__name__)


def open_since(settings: BaseSettings, spider: Any, path: str | None) -> EarlierTable | None:
    """Return the table that `since` names; None when there is none.

    Raises:
        ArgumentError: it cannot be read, is no table, or is the one that this crawl writes.
    """
    if path is None:
        return None
    for uri in settings.getdict("FEEDS"):
        feed = local_path(str(uri), spider)
        if feed and feed.exists() and Path(path).exists() and feed.samefile(path):
            raise ArgumentError(
                f"argument `since`: {path} is the table that this crawl writes. Name another one "
                f"with -o, or copy it first"
            )
    try:
        table = EarlierTable(path, formulas=settings.getbool("CSV_FORMULAS"))
    except ArgumentError as error:
        raise ArgumentError(f"argument `since`: {error}") from error
    logger.info(
        "%(path)s knows %(count)d pages. What has not changed since is not fetched whole",
        {"path": path, "count": len(table)},
    )
    return table


def open_pages(settings: BaseSettings, spider: Any) -> "PageArchive | None":
    """Return where pages are kept; None when they are not.

    Raises:
        OutputError: nothing can be written there.
    """
    if not settings["KEEP_PAGES"]:
        return None
    from urlcrawler.output.pages import PageArchive, mend  # extra `pages`

    if given := spider.given.get("_pages"):
        prefix = spider.given.get("_prefix", f"{spider.shard.name}-")
        return PageArchive(Path(given), prefix=prefix)
    folder, overwrite = pages_folder(settings, spider)
    if overwrite:
        for old in folder.glob("*.warc.gz"):
            old.unlink()
    mend(folder)
    if is_divided(settings):
        return None  # each of them writes its own
    return PageArchive(folder)


def pages_folder(settings: BaseSettings, spider: Any) -> tuple[Path, bool]:
    """Return where pages are kept, and whether what is there is to go first."""
    feeds = settings.getdict("FEEDS").items()
    paths = [(local_path(str(uri), spider), options) for uri, options in feeds]
    local = [(path, options) for path, options in paths if path]
    path, options = local[0] if local else (Path("data/results") / spider.list_name, {})
    return path.with_suffix(".pages"), bool(options.get("overwrite"))


def open_fields(path: str | None) -> Fields | None:
    """Return the fields that the file has that `fields` names; None when there is none.

    Raises:
        ArgumentError: it cannot be read, or has mistakes.
    """
    if path is None:
        return None
    try:
        return read_fields(path, taken=frozenset(BASE_COLUMNS))
    except ListError as error:
        raise ArgumentError(f"argument `fields`: {error}") from error


def open_host_headers(path: str | None) -> HostHeaders | None:
    """Return what the file says that `headers` names; None when there is none.

    Raises:
        ArgumentError: it cannot be read, or has mistakes.
    """
    if path is None:
        return None
    try:
        return read_host_headers(path)
    except ListError as error:
        raise ArgumentError(f"argument `headers`: {error}") from error
