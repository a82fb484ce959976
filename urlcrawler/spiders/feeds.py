"""Where the table goes, checked before the first request."""

import logging
import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path, PureWindowsPath
from typing import Any
from urllib.parse import urlsplit

from scrapy.settings import BaseSettings
from w3lib.url import file_uri_to_path

from urlcrawler.exceptions import ArgumentError, OutputError
from urlcrawler.output.database import beside_database, is_database
from urlcrawler.output.itemfile import goes_on
from urlcrawler.output.parts import remove_parts
from urlcrawler.output.publication import Publication
from urlcrawler.output.publications import PUBLISHED, file_of, publication_of
from urlcrawler.output.published import PublishedTable
from urlcrawler.output.retries import RetriedTable
from urlcrawler.output.rows import Row, takes_rows
from urlcrawler.output.tables import FORMATS, Format
from urlcrawler.printable import without_credentials
from urlcrawler.spiders.resume import Resume

logger = logging.getLogger(__name__)

DEFAULT_FEED = "data/results/%(table_name)s.csv"


def set_default_feed(settings: BaseSettings, of_spider: Mapping[str, Any]) -> None:
    """Ask for the default feed where neither the command line nor the project names another one
    that takes rows.

    Not in settings.py: Scrapy merges FEEDS of a project into `-o`, so that `-o my.csv` would
    write two tables. But those *of the spider* for other items it forgets; `-o` is for the table.
    """
    if settings.getbool("LEASH_ENABLED"):
        return  # one of several processes, which is told its feeds
    feeds = settings.getdict("FEEDS")
    others = {uri: options for uri, options in of_spider.items() if not takes_rows(options)}
    wanted = {**feeds, **others}
    if not any(map(takes_rows, feeds.values())):
        wanted = {DEFAULT_FEED: {"format": "csv"}, **wanted}
    if wanted != feeds:
        # One above: see `wiring`.
        settings.set("FEEDS", wanted, priority=(settings.getpriority("FEEDS") or 0) + 1)


def check_feeds(settings: BaseSettings, spider: Any) -> None:
    """Make sure that every local feed can be written and would not mix with another crawl's.

    Raises:
        OutputError: the file is there already, or cannot be created.
    """
    names: dict[Path, Path] = {}
    # Or a URL, or -: then no such file is there. An inline list is nowhere.
    list_path = Path(spider.given.get("file") or os.devnull).expanduser()
    for uri, options in settings.getdict("FEEDS").items():
        path = local_path(str(uri), spider)
        if options.get("format") in PUBLISHED and not (path and resumes(options, settings)):
            raise OutputError(
                f"-o {without_credentials(str(uri))}: {options['format']} is written as one local "
                "file, with all rows and columns, and in UTF-8. Name a file, or write CSV or "
                "JSON Lines"
            )
        if path is None:
            continue
        if other := names.get(path.resolve()):
            raise OutputError(f"-o {path}: is the same file as {other}. Name it once")
        names[path.resolve()] = path
        if path.is_dir():
            raise OutputError(f"-o {path}: is a folder. Name a file inside it")
        if path.exists() and list_path.exists() and path.samefile(list_path):
            raise OutputError(f"-o {path}: is the list itself. Name another file for the table")
        kept = resumes(options, settings) or goes_on(options) or options.get("overwrite", False)
        if not kept and path.exists() and path.stat().st_size:
            raise OutputError(
                f"{path} is there already, and a crawl into it cannot be resumed: only CSV, "
                f"JSON Lines, Parquet, SQLite and .gz can, as one file, with all rows, and JSON "
                f"Lines with items of other classes. Type -O {path} to replace it"
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
        if resumes(options, settings, columns):
            options["store_empty"] = True  # Scrapy would not let us finish one without new rows
    settings.set("FEEDS", feeds, priority=settings.getpriority("FEEDS") or "spider")


def open_tables(settings: BaseSettings, spider: Any) -> dict[Path, RetriedTable]:
    """Open every table that resumes, and note in the ledger which records have their row.

    The first one decides what is done. A second one must hold the same rows; what one of them has
    more, because a kill came between two writes, is taken away and crawled again.

    Raises:
        OutputError: a table belongs to another list or crawl, or is damaged between its rows.
        ArgumentError: there is nothing that could be retried.
    """
    feeds = resumable_feeds(settings, spider)
    if spider.retried_errors:
        check_retry(feeds)
    if not feeds and spider.wanted.is_about_table and settings.getdict("FEEDS"):
        raise ArgumentError(
            "settings MIN_OK_SHARE, MIN_FIELD_COVERAGE, MAX_DROP_AGAINST: only a table that can be "
            "read again can be looked at. Add one: -o urls.csv"
        )
    if not feeds:
        logger.info(
            "This crawl cannot be resumed: no feed of it is a local file of CSV, JSON Lines, "
            "Parquet or SQLite"
        )
        return {}
    check_together(feeds)
    with ExitStack() as on_error:
        tables: dict[Path, RetriedTable] = {}
        for path, options in feeds.items():
            table = tables[path.resolve()] = _open(path, options, settings, spider)
            on_error.callback(table.release)
        for path, options in feeds.items():  # now that each of them can be written
            if options.get("overwrite"):
                tables[path.resolve()].begin_anew()
                remove_parts(path)
        Resume(spider, [*tables.values()]).take_up()
        on_error.pop_all()
    return tables


def local_feeds(settings: BaseSettings, spider: Any) -> list[Path]:
    """Return the files that the feeds write."""
    paths = (local_path(str(uri), spider) for uri in settings.getdict("FEEDS"))
    return [path for path in paths if path]


def resumable_feeds(settings: BaseSettings, spider: Any) -> dict[Path, dict[str, Any]]:
    """Return the options of the feeds that can be taken up again, each with its `uri`."""
    return {
        path: {**options, "uri": str(uri)}
        for uri, options in settings.getdict("FEEDS").items()
        if (path := local_path(str(uri), spider))
        and resumes(options, settings, spider.table.columns)
    }


def check_retry(feeds: dict[Path, dict[str, Any]]) -> None:
    """Refuse to crawl rows again where there are none.

    Raises:
        ArgumentError: no table can be taken up, or one begins anew.
    """
    if not feeds:
        raise ArgumentError(
            "argument `retry`: only rows of a table that can be resumed can be crawled again. "
            "Name the table with -o"
        )
    for path, options in feeds.items():
        if options.get("overwrite"):
            raise ArgumentError(
                f"argument `retry`: -O {path} starts afresh, so there is no row to crawl again. "
                f"Type -o {path}"
            )


def check_together(feeds: dict[Path, dict[str, Any]]) -> None:
    """Refuse to make one table agree with another one that begins anew: it would lose its rows."""
    files = {path: file_of(path, feed["format"]) for path, feed in feeds.items()}
    new = [path for path in feeds if feeds[path].get("overwrite") or not files[path].exists()]
    kept = [path for path in feeds if path not in new and files[path].stat().st_size]
    if new and kept:
        raise OutputError(
            f"{kept[0]} has rows of an earlier run, and {new[0]} has none. One crawl writes the "
            f"same rows into both: type -O for both, or name only one of them"
        )


def format_and_publication(
    path: Path,
    options: dict[str, Any],
    settings: BaseSettings,
    spider: Any,
    *,
    looks: bool = False,
) -> tuple[Format, Publication | None]:
    """Return how the rows of a resumable feed are written, and how they are published, if so.

    Args:
        looks: whether nothing is to be made or altered for that.

    Raises:
        OutputError: the columns cannot be held, or something cannot be reached.
    """

    def format_of(kind: type[Format]) -> Format:
        return kind(
            spider.table.columns,
            formulas=settings.getbool("CSV_FORMULAS"),
            signature=_encoding(options, settings) == "utf-8-sig",
        )

    name = options["format"]
    publication = publication_of(
        path,
        name,
        spider.table.kinds,
        format_of,
        uri=options["uri"],
        list_name=spider.table_name,
        looks=looks,
    )
    return publication.working if publication else format_of(FORMATS[name]), publication


def _open(path: Path, options: dict[str, Any], settings: BaseSettings, spider: Any) -> RetriedTable:
    if not file_of(path, options["format"]).exists():
        remove_parts(path)
    format_, publication = format_and_publication(path, options, settings, spider)
    if publication:
        table: RetriedTable = PublishedTable(path, publication, anew=bool(options.get("overwrite")))
    else:
        table = RetriedTable(path, format_)
    if not table.size:
        table.remove_part()  # its rows would replace those of a table that is gone
    return table


def resumes(
    options: dict[str, Any], settings: BaseSettings, columns: list[str] | None = None
) -> bool:
    """Return whether a crawl into a local feed with these options can be taken up again.

    It can when the feed holds every row in full (all *columns*, once they are known), in one file
    that can be appended to.
    """
    partial = ("item_filter", "batch_item_count", "postprocessing", "item_export_kwargs")
    return (
        options.get("format") in (*FORMATS, *PUBLISHED)
        and _encoding(options, settings) in ("utf-8", "utf-8-sig")
        and options.get("fields") in (None, columns)
        and not settings["FEED_EXPORT_FIELDS"]
        and not settings.getint("FEED_EXPORT_BATCH_ITEM_COUNT")
        and not any(options.get(name) for name in partial)
        and options.get("item_classes", [Row]) == [Row]
    )


def local_path(uri: str, spider: Any) -> Path | None:
    """Return the path of a local file; None for remote feeds, those named by the time, and what
    is no file at all: pipes and devices, which only ever take more.
    """
    if is_database(uri):
        return beside_database(uri, spider.table_name)
    if urlsplit(uri).scheme not in ("", "file") and not PureWindowsPath(uri).drive:
        return None
    try:
        path = uri % _Attributes(spider) if "%(" in uri else uri
    except (AttributeError, ValueError, TypeError):
        return None
    local = Path(file_uri_to_path(path) if path.startswith("file:") else path)
    return local if local.is_file() or local.is_dir() or not local.exists() else None


def _encoding(options: dict[str, Any], settings: BaseSettings) -> str:
    encoding = options.get("encoding") or settings["FEED_EXPORT_ENCODING"]
    return str(encoding).lower().replace("_", "-")


class _Attributes:
    """What may stand in the name of a feed as %(name)s: attributes of the spider."""

    def __init__(self, spider: Any) -> None:
        self._spider = spider

    def __getitem__(self, name: str) -> Any:
        return 1 if name == "batch_id" else getattr(self._spider, name)
