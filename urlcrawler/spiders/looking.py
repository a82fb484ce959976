"""What a crawl would find if it began now, without a change to anything on the disk."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from scrapy.crawler import Crawler
from scrapy.settings import BaseSettings

from urlcrawler.exceptions import ArgumentError, OutputError
from urlcrawler.ledger import Ledger
from urlcrawler.output.binding import saved
from urlcrawler.output.parts import left_over
from urlcrawler.output.publications import file_of
from urlcrawler.spiders.arguments import ARGUMENTS, check_names, errors_named
from urlcrawler.spiders.base import UrlListSpider
from urlcrawler.spiders.feeds import (
    bind_feeds,
    check_feeds,
    check_retry,
    check_together,
    format_and_publication,
    local_path,
    resumable_feeds,
)
from urlcrawler.spiders.files import open_since
from urlcrawler.spiders.resume import Resume
from urlcrawler.spiders.settingvalues import check_values
from urlcrawler.spiders.stilltable import StillTable
from urlcrawler.spiders.wiring import set_above


@dataclass(frozen=True, slots=True)
class Taken:
    """What a crawl would take up of a table.

    Attributes:
        path: where it is; None when no feed of the crawl is one that can be taken up.
        rows: how many records have their row there.
        again: how many of these are crawled again (`-a retry`).
        is_afresh: whether the table begins anew, whatever it has (-O).
    """

    path: Path | None = None
    rows: int = 0
    again: int = 0
    is_afresh: bool = False


def open_without_tables(crawler: Crawler, given: dict[str, Any]) -> Any:
    """Return the spider of *crawler* with its list, after the checks that a crawl makes.

    Its tables are not opened: see `look_at_tables`, which marks in its ledger what they hold.

    Raises:
        UrlcrawlerError: with the sentence that the crawl would say.
    """
    kind, settings = cast("type[UrlListSpider]", crawler.spidercls), crawler.settings
    if not issubclass(kind, UrlListSpider):
        raise ArgumentError(f"spider {kind.name!r}: reads no list of URLs, so nothing is known")
    check_values(settings)
    check_names(given, {**ARGUMENTS, **kind.arguments}, kind.name)
    retried = errors_named("retry", given.get("retry"))
    feeds = settings.getdict("FEEDS")
    set_above(settings, "FEEDS", {})  # what is not there cannot be opened, or written
    set_above(settings, "KEEP_PAGES", "")
    without = {name: value for name, value in given.items() if name != "retry"}
    spider: Any = kind.from_crawler(crawler, **without)
    try:
        spider.given, spider.retried_errors = dict(given), retried
        set_above(settings, "FEEDS", feeds)
        check_feeds(settings, spider)
        _check_since(settings, spider, feeds)
        bind_feeds(settings, spider.table.columns)
    except BaseException:
        close(spider)
        raise
    return spider


def close(spider: Any) -> None:
    """Close the files of *spider*."""
    spider.source.close()
    if spider.earlier:
        spider.earlier.close()


def _check_since(settings: BaseSettings, spider: Any, feeds: dict[str, Any]) -> None:
    """Refuse a `since` that is the table which the crawl would write."""
    since = Path(spider.given["since"]) if "since" in spider.given else None
    for uri in feeds if since else ():
        path = local_path(str(uri), spider)
        if since and path and path.exists() and path.samefile(since):
            open_since(settings, spider, str(since))  # it says so, before it reads anything


def look_at_tables(settings: BaseSettings, spider: Any) -> Taken:
    """Note in the ledger which records have their row, and return how many these are.

    Raises:
        OutputError: a crawl would refuse the table.
        ArgumentError: there is nothing that could be retried.
    """
    feeds = resumable_feeds(settings, spider)
    if spider.retried_errors:
        check_retry(feeds)
    if not feeds:
        return Taken()
    check_together(feeds)
    path, options = next(iter(feeds.items()))
    with ExitStack() as restored:
        tables = [_still(*feed, settings, spider, restored) for feed in feeds.items()]
        if options.get("overwrite"):
            return Taken(path, is_afresh=True)
        if not any(table.size for table in tables):
            return Taken(path)
        return Look(spider, tables).taken()


def _still(
    path: Path, options: dict[str, Any], settings: BaseSettings, spider: Any, restored: ExitStack
) -> StillTable:
    """Return a table to read. What is published as a whole is unpacked for as long as it takes."""
    format_, publication = format_and_publication(path, options, settings, spider, looks=True)
    if publication is None:
        return StillTable(path, format_)
    rows = file_of(path, options["format"])
    if rows == path:  # none that are still collected
        rows = Path(restored.enter_context(TemporaryDirectory(prefix="urlcrawler-")), "rows")
        if not options.get("overwrite") and publication.is_there(path):
            publication.take_back(path, rows)
    return StillTable(path, format_, rows)


class Look(Resume):
    """What the tables of a crawl hold, compared with its list, and left as it is."""

    def __init__(self, spider: Any, tables: list[StillTable]) -> None:
        super().__init__(spider, cast("Any", tables))
        self._still = tables

    def taken(self) -> Taken:
        """Note what the first table has, after all of them were compared with the list.

        Raises:
            OutputError: one belongs to another list or crawl, or is damaged between its rows.
        """
        primary, ledger, errors = self._still[0], self._spider.ledger, self._spider.retried_errors
        again = Ledger(self._total)
        renewed = self._renewed(primary)
        before = ledger.count
        for table in self._still:
            saved(table.path)  # refuses what a later version has written
            for line in self._rows(cast("Any", table)):
                if table is not primary:
                    continue
                if line.error in errors and line.position not in renewed:
                    again.add(line.position)
                else:
                    ledger.add(line.position)
        for part in left_over(primary.path):  # of processes that were killed
            while rows := part.new_rows():
                for row in filter(self._is_missing, rows):
                    ledger.add(row["position"])
        return Taken(primary.path, ledger.count - before + again.count, again.count)

    def _renewed(self, table: StillTable) -> Ledger:
        """Return the records that an interrupted retry has done; none where it cannot be used."""
        renewed, part = Ledger(self._total), table.interrupted
        try:
            for line in self._rows(cast("Any", part)) if part else ():
                renewed.add(line.position)
        except OutputError:
            return Ledger(self._total)
        return renewed
