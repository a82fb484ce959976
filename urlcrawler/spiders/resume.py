"""Opens the tables of a crawl and takes up what an earlier run has left in them."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from scrapy.settings import BaseSettings

from urlcrawler.exceptions import OutputError
from urlcrawler.items import clean
from urlcrawler.ledger import Ledger
from urlcrawler.spiders.feeds import local_path, resumes
from urlcrawler.tablefile import TableFile
from urlcrawler.tables import FORMATS, Line

logger = logging.getLogger(__name__)


def open_tables(settings: BaseSettings, spider: Any) -> dict[Path, TableFile]:
    """Open every table that resumes, and note in the ledger which records have their row.

    The first one decides what is done. A second one must hold the same rows; what one of them has
    more, because a kill came between two writes, is taken away and crawled again.

    Raises:
        OutputError: a table belongs to another list or crawl, or is damaged between its rows.
    """
    feeds = {
        path: options
        for uri, options in settings.getdict("FEEDS").items()
        if (path := local_path(str(uri), spider))
        and resumes(options, settings, spider.table.columns)
    }
    if not feeds:
        logger.info("This crawl cannot be resumed: no feed of it is a local CSV or JSON Lines file")
    with ExitStack() as on_error:
        tables: dict[Path, TableFile] = {}
        for path, options in feeds.items():
            tables[path] = _open(path, options, settings, spider)
            on_error.callback(tables[path].release)
        if len(tables) > 1:
            _agree([*tables.values()], spider)
        if primary := next(iter(tables.values()), None):
            for line in _checked(primary, spider):
                spider.ledger.add(line.position)
        on_error.pop_all()
    spider.ledger.primary = primary
    if spider.ledger.count:
        logger.info(
            "%(path)s: %(done)d of %(total)d records have their row from an earlier run",
            {"path": next(iter(tables)), "done": spider.ledger.count, "total": spider.ledger.total},
        )
    return tables


def _open(path: Path, options: dict[str, Any], settings: BaseSettings, spider: Any) -> TableFile:
    encoding = options.get("encoding", settings["FEED_EXPORT_ENCODING"])
    format_ = FORMATS[options["format"]](
        spider.table.columns,
        formulas=settings.getbool("CSV_FORMULAS"),
        signature=encoding == "utf-8-sig",
    )
    table = TableFile(path, format_)
    if options.get("overwrite"):
        table.cut(0)
    return table


def _checked(table: TableFile, spider: Any) -> Iterator[Line]:
    """Yield the rows of *table*, each of which must belong to a record of the list."""
    seen = Ledger(spider.ledger.total)
    for line in table.lines():
        if not 0 < line.position <= spider.ledger.total:
            _refuse(table, line, f"the list has {spider.ledger.total} records")
        if not seen.add(line.position):
            _refuse(table, line, "it has a row for this record already")
        url = clean(spider.index.record(line.position).url)
        if line.url != url:
            _refuse(table, line, f"in the list this record is {url!r}. Has the list changed?")
        yield line


def _refuse(table: TableFile, line: Line, why: str) -> None:
    raise OutputError(
        f"{table.path}: row at byte {line.start}, record {line.position}, {line.url!r}: {why} "
        f"Type -O {table.path} to start afresh, or -o with another name"
    )


def _agree(tables: list[TableFile], spider: Any) -> None:
    """Cut tables to the rows that they have in common.

    Raises:
        OutputError: they hold different rows, so which records are done is not known.
    """
    rows = [[(line.position, line.end) for line in _checked(table, spider)] for table in tables]
    if all(len(lines) == spider.ledger.total for lines in rows):
        return  # complete, whatever the order
    shortest = min(map(len, rows))
    for table, lines in zip(tables, rows, strict=True):
        if [row[0] for row in lines[:shortest]] != [row[0] for row in rows[0][:shortest]]:
            raise OutputError(
                f"{tables[0].path} and {table.path} hold different rows, so which records are "
                "done is not known. Type -O for both, or name one of them"
            )
        if len(lines) > shortest:
            table.cut(lines[shortest - 1][1] if shortest else 0)
