"""Everything that a crawl of a list needs, opened and checked before the first request."""

import logging
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from scrapy import signals
from scrapy.crawler import Crawler

from urlcrawler.exceptions import ArgumentError, OutputError
from urlcrawler.inputs.formats import open_reader
from urlcrawler.inputs.index import ListIndex
from urlcrawler.inputs.inline import open_inline
from urlcrawler.inputs.readers import Reader
from urlcrawler.inputs.sharing import borrow
from urlcrawler.inputs.sources import Source, open_source
from urlcrawler.ledger import Ledger
from urlcrawler.rendering.choice import CHOICES, OFF, may_render
from urlcrawler.spiders.arguments import (
    check_selector,
    errors_named,
    one_of,
    positive,
    shard_named,
)
from urlcrawler.spiders.feeds import bind_feeds, check_feeds, local_feeds, open_tables
from urlcrawler.spiders.files import (
    open_host_headers,
    open_pages,
    open_since,
)
from urlcrawler.spiders.interrupt import interruptible
from urlcrawler.spiders.job import BEGINS, file_name, tell_of_items_dir
from urlcrawler.spiders.onlyshard import take_shard
from urlcrawler.spiders.reading import open_extractor
from urlcrawler.spiders.wanted import wanted_of

logger = logging.getLogger(__name__)


def open_list(spider: Any, crawler: Crawler) -> None:
    """Give *spider* its list, its tables and what else its arguments name.

    Raises:
        UrlcrawlerError: with one sentence that says what to type.
    """
    settings, given, connect = crawler.settings, spider.given, crawler.signals.connect
    duplicates = one_of("duplicates", given.get("duplicates", "skip"), ("skip", "fetch"))
    limit = positive("limit", given["limit"]) if "limit" in given else 0
    spider.shard = shard_named(given["shard"]) if "shard" in given else None
    spider.render = one_of("render", given.get("render", OFF), CHOICES)
    check_selector("render_wait_for", given.get("render_wait_for"))
    spider.retried_errors = errors_named("retry", given.get("retry"))
    spider.earlier_rows = Counter()
    job = given.get("_job")
    if job and not settings.getbool("LEASH_ENABLED"):
        logger.info(BEGINS, {"job": job})
    with interruptible(), ExitStack() as on_error:
        spider.source = source = _open_source(given)
        on_error.callback(source.close)
        spider.list_name = spider.table_name = source.name
        if spider.shard:
            spider.table_name += f".{spider.shard.name}"
        if job:
            spider.table_name += f".{file_name(job)}"
        check_feeds(settings, spider)
        if job:
            tell_of_items_dir(settings, spider, job)
        spider.host_headers = open_host_headers(given.get("headers"))
        spider.earlier = open_since(settings, spider, given.get("since"))
        if spider.earlier:
            on_error.callback(spider.earlier.close)
            connect(spider.earlier.close, signals.spider_closed)
        reader = open_reader(source, given.get("column"))
        spider.index = _lent(given, reader) or ListIndex(
            reader, fetch_duplicates=duplicates == "fetch", limit=limit
        )
        spider.may_render = may_render(spider, settings["RENDER_BROWSER"])
        # What a crawl leaves in its feeds is the next run's ledger.
        spider.ledger = Ledger(len(spider.index))
        if spider.shard:
            take_shard(spider, settings)
        open_extractor(spider, settings, spider.index.columns)
        bind_feeds(settings, spider.table.columns)
        spider.wanted = wanted_of(settings, spider, local_feeds(settings, spider))
        spider.tables = open_tables(settings, spider)
        spider.pages = open_pages(settings, spider)
        on_error.pop_all()
    if spider.pages:
        connect(spider.pages.close, signals.engine_stopped)
    connect(source.close, signals.spider_closed)
    connect(lambda: _close_tables(spider), signals.engine_stopped, weak=False)


def _open_source(given: Mapping[str, str]) -> Source:
    """Return the list; `_name` is what an inline one is called where it came from.

    Raises:
        ArgumentError: it is standard input, where there is none.
        ListError: it cannot be opened.
    """
    if given.get("file") == "-" and "_job" in given:
        # It would wait for ever: nobody writes into it, and nobody closes it.
        raise ArgumentError(
            "argument `file`: a job of scrapyd has no standard input. Send the list as `urls`, or "
            "name one that the server can open"
        )
    if given.get("file"):
        return open_source(given["file"])
    return open_inline(given["urls"], given.get("_name"))


def _lent(given: Mapping[str, str], reader: Reader) -> ListIndex | None:
    """Return the index that the parent of several processes has lent, if it can be had."""
    if "_index" in given:
        with suppress(OSError, ValueError):
            return borrow(Path(given["_index"]), reader)
    return None


def _close_tables(spider: Any) -> None:
    """Let others have the tables, after the feeds are done with them."""
    tables = spider.tables.values()
    for table in tables:
        table.try_sync()
    # Not before all tables have taken them: a kill in between leaves something to go on with.
    if all(table.is_merged or not table.newer for table in tables) and spider.ledger.is_complete:
        for table in tables:
            with suppress(OutputError):  # one that stays has the same rows as the table
                table.remove_part()
    for table in tables:
        table.close()
