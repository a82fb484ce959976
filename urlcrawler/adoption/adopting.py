"""Writes rows of an old table into the table of a crawl, as the crawl itself would."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from scrapy.settings import BaseSettings

from urlcrawler.adoption.account import Account
from urlcrawler.adoption.columns import Columns
from urlcrawler.adoption.done import Done
from urlcrawler.adoption.matching import Rows
from urlcrawler.adoption.oldtable import OldTable
from urlcrawler.exceptions import ArgumentError, OutputError
from urlcrawler.items import Page, status_reason
from urlcrawler.ledger import Ledger
from urlcrawler.outcomes import error_of_status
from urlcrawler.spiders.feeds import local_feeds, open_tables
from urlcrawler.spiders.looking import look_at_tables

_LONGEST_SHOWN = 20  # columns


class Adoption:
    """What a crawl would find if it began now, and what an old table adds to it.

    Attributes:
        account: of the rows of the old table.
        columns: where their cells go.
    """

    def __init__(
        self,
        settings: BaseSettings,
        spider: Any,
        old: OldTable,
        *,
        where: list[str],
        every: bool,
        columns: dict[str, str],
    ) -> None:
        """Look at everything, and change nothing.

        Args:
            spider: from `open_without_tables`.
            where, every: which rows of *old* count, see `Done`.
            columns: see `Columns`.

        Raises:
            UrlcrawlerError: with one sentence that says what to type.
        """
        self._settings, self._spider, self._old = settings, spider, old
        self.account = Account()
        status = next((name for name, ours in columns.items() if ours == "status"), None)
        names = [*filter(None, [old.url_column]), *old.columns]
        self._done = Done(
            names, old.label, status=status, where=where, every=every, is_ours=old.is_ours
        )
        self.columns = Columns(old.columns, spider.table, columns, old.label)
        self._check_files()
        self._outside = spider.ledger.done()  # of other shards
        taken = look_at_tables(settings, spider)
        if taken.path is None:
            raise ArgumentError(
                "-o: rows can only be adopted into a table that a crawl can take up: CSV, JSON "
                "Lines, Parquet, SQLite, .gz or PostgreSQL. Type -o urls.csv"
            )
        self.path: Path = taken.path
        self._rows = Rows(old, self._done, self.account)
        has_row = spider.ledger.done()
        self._positions = self._rows.compare(spider.index, has_row, self.account)

    def write(self) -> None:
        """Write the rows, if there are any.

        Raises:
            OutputError: they cannot be written; those that were are whole.
        """
        spider, account = self._spider, self.account
        if not len(self._positions):
            self._count()
            return
        # As it was before the look: whoever opens the tables notes what they have.
        spider.ledger = ledger = Ledger(len(spider.index))
        if spider.shard:
            ledger.leave_out(self._outside)
        tables = open_tables(self._settings, spider)
        with ExitStack() as opened:
            for table in tables.values():
                opened.callback(table.close)
            adopted = 0
            for row in self._pages():
                for table in tables.values():
                    table.add(row, partial(ledger.written, row["position"], table))
                    if table.failure:
                        raise CannotWriteError(table.path, table.failure, adopted)
                adopted += 1
            for table in tables.values():
                table.try_sync()
                if table.failure:
                    raise CannotWriteError(table.path, table.failure, adopted)
        account.adopted -= account.records - adopted  # that another process was faster with
        account.records = adopted
        self._count()

    def _pages(self) -> Iterator[Any]:
        """Yield the rows, in the order of the list."""
        spider = self._spider
        for position in self._positions:
            record = spider.index.record(int(position))
            old = self._rows.find(record.url)
            # Since the look another process may have written it.
            if old is None or record.position in spider.ledger:
                continue
            page = Page.of(record)
            page.outcome, page.reason = "ok", f"adopted from {self._old.name}"
            self.columns.fill(page, old.columns)
            if page.status and (error := error_of_status(page.status)):
                page.fail(error, f"{status_reason(page.status)}; {page.reason}")
            yield spider.table.row(page)

    def _count(self) -> None:
        ledger, index = self._spider.ledger, self._spider.index
        self.account.remaining = ledger.total - ledger.count
        self.account.requests = int(index.sizes(ledger.done()).sum())

    def _check_files(self) -> None:
        """Refuse to read what is written, or to take the list itself for what is done.

        Raises:
            ArgumentError: it is one of these.
        """
        old = Path(self._old.label).expanduser()
        if not old.exists():
            return  # standard input, or a server
        for path in local_feeds(self._settings, self._spider):
            if path.exists() and path.samefile(old):
                raise ArgumentError(
                    f"{old}: is the file that the crawl would write. Name another table with -o, "
                    "or rename this one first"
                )
        file = Path(self._spider.given["file"]).expanduser()
        if file.exists() and file.samefile(old) and not self._done.tells:
            raise ArgumentError(
                f"{old}: is the list itself, and nothing in it says which records are done. Name "
                "the table of the script, or say --where COLUMN=VALUE"
            )

    def lines(self) -> Iterator[str]:
        """Yield what was found, for people."""
        old, columns = self._old, self.columns
        rows = f"{old.label}: {self.account.rows:,} rows"
        url = f", the URL in column {old.url_column}" if old.url_column else ""
        yield f"{rows}{url}"
        if self._done.text:
            yield f"Those count as done {self._done.text}"
        elif old.columns:
            yield "All of them count as done: no column says which do. --where COLUMN=VALUE does"
        yield from self.account.lines(str(self.path), old.lines_at)
        if not old.has_header:
            yield (
                f"It has no header: its columns are {', '.join([old.url_column, *old.columns])}. "
                "Say what is in them: --columns column_2=status"
            )
        if columns.taken:
            pairs = (f"{ours}" if name == ours else f"{ours} ({name})"
                     for name, ours in columns.taken.items())  # fmt: skip
            yield f"Columns taken over: {', '.join(pairs)}"
        for name, count in columns.unread.items():
            kind = self._kind(columns.taken[name])
            yield f"{count:>12,}  cells of {name} are left out: no {kind}"
        if columns.left_out:
            names = ", ".join(columns.left_out[:_LONGEST_SHOWN])
            more = len(columns.left_out) - _LONGEST_SHOWN
            yield f"Columns left out: {names}{f' and {more} more' if more > 0 else ''}"
            yield (
                "One is kept when the table has a column of its name: a field of the fields file "
                "(-a fields=...), or --columns old=ours"
            )

    def _kind(self, ours: str) -> str:
        if ours == "fetched_at":
            return "time with a zone"
        if ours == "status":
            return "HTTP status"
        kind = self._spider.table.kinds[ours]
        return kind if isinstance(kind, str) else "JSON"


class CannotWriteError(OutputError):
    """Raised when a disk takes no more, after which the rows so far are whole."""

    def __init__(self, path: Path, why: OSError, adopted: int) -> None:
        super().__init__(
            f"{path}: cannot be written: {why.strerror}. {adopted:,} rows were adopted. Make room, "
            "then run it again"
        )
