"""Takes up what an earlier run has left in the tables of a crawl."""

import logging
from collections.abc import Hashable, Iterator
from dataclasses import replace
from itertools import zip_longest
from time import monotonic, sleep
from typing import Any

from urlcrawler.exceptions import ListError, OutputError
from urlcrawler.ledger import Ledger
from urlcrawler.output.binding import Binding, saved
from urlcrawler.output.cells import clean
from urlcrawler.output.itemfile import items_feeds, take_items
from urlcrawler.output.parts import call_off, folder_of, left_over, remove_parts
from urlcrawler.output.retries import RetriedTable
from urlcrawler.output.rows import Row
from urlcrawler.output.tablefile import TableFile
from urlcrawler.output.tables import Line

logger = logging.getLogger(__name__)

_PATIENCE, _PAUSE = 90.0, 0.2  # seconds: the processes of a parent that was killed end in 60
_REPORT_SECONDS = 5.0


class Resume:
    """What the tables of a crawl hold, compared with its list."""

    def __init__(self, spider: Any, tables: list[RetriedTable]) -> None:
        """Compare the list with what this process was started for.

        Raises:
            ListError: it is another one.
        """
        self._spider = spider
        self._tables = tables
        self._total: int = len(spider.index)
        self._outside = spider.ledger.done() if spider.shard else None
        fields = spider.extractor.recipe["path"]
        self._binding = Binding.of(spider.source.file, spider.table.columns, fields)
        # One of several processes: they have made the same plan only if it is the same list.
        if spider.given.get("_list", self._binding.list_sha256) != self._binding.list_sha256:
            raise ListError(
                f"argument `file`: {spider.source.label!r} has changed since the crawl began"
            )

    def take_up(self) -> None:
        """Note which records have their row, and which of these are crawled again.

        Raises:
            OutputError: a table belongs to another list or crawl, or is damaged between its rows.
        """
        primary, ledger = self._tables[0], self._spider.ledger
        # While a retry is merged, one table may have the new rows and the next one the old.
        self._agree(self._tables, in_full=not any(table.has_part for table in self._tables))
        again = Ledger(self._total)
        renewed, why_not = self._open_parts(again)
        for line in self._rows(primary):
            if line.position in renewed:
                continue
            if line.error in self._spider.retried_errors:
                again.add(line.position)
            else:
                self._have(line)
        for table in self._tables:
            if table.part and why_not:  # now that the table and the list are known to be right
                table.part.cut(0)
        if primary.part:
            for line in self._rows(primary.part):
                self._have(line)
        if why_not:
            # The table has a row for each of these still, so nothing is lost.
            logger.warning(
                "Rows of an interrupted retry are crawled again: %(why)s", {"why": why_not}
            )
        for table in self._tables:
            self._bind(table, has_rows=bool(ledger.count or again.count))
        ledger.primary = primary
        self._take_parts()
        if ledger.count or again.count:
            logger.info(
                "%(path)s: %(done)d of %(total)d records have their row from an earlier run",
                {
                    "path": primary.path,
                    "done": ledger.count + again.count,
                    "total": ledger.total,
                },
            )
        if self._spider.retried_errors:
            logger.info("%(again)d of them are crawled again", {"again": again.count})

    def _bind(self, table: RetriedTable, *, has_rows: bool) -> None:
        """Note what the table belongs to from now on; say what has changed since it was begun."""
        begun_with, binding = saved(table.path), self._binding
        if begun_with and has_rows:
            if begun_with.fields_sha256 != binding.fields_sha256:
                logger.warning(
                    "%(path)s: the fields file has changed since the table was begun, and the rows "
                    "that it has keep their values. Type -O %(path)s to begin anew; pages that "
                    "were kept need not be fetched again for that, see scrapy extract",
                    {"path": table.path},
                )
            binding = replace(binding, fields_sha256=begun_with.fields_sha256)
        if begun_with and has_rows and begun_with != binding:
            logger.info(
                "%(path)s: the list has changed since the table was begun; its rows still fit",
                {"path": table.path},
            )
        if begun_with != binding:
            binding.save(table.path)

    def _take_parts(self) -> None:
        """Take over the rows that processes of an interrupted run have written into their parts.

        Raises:
            OutputError: they still write, or the tables take no more.
        """
        ledger, primary = self._spider.ledger, self._tables[0]
        call_off(primary.path)
        parts = left_over(primary.path)
        waited = 0.0
        while busy := [part for part in parts if part.is_being_written]:
            if not waited:
                logger.info("Waiting for %(n)d processes of an interrupted run", {"n": len(busy)})
            if waited > _PATIENCE:
                raise OutputError(f"{busy[0].path}: is still being written by another process")
            sleep(_PAUSE)
            waited += _PAUSE
        for part in parts:
            while rows := part.new_rows():
                for row in filter(self._is_missing, rows):
                    for table in self._tables:
                        table.add(row, lambda: None)
                    ledger.add(row["position"])
                    self._spider.earlier_rows[row["outcome"], row["error"]] += 1
        if parts:
            for table in self._tables:
                table.try_sync()
                if table.failure:
                    raise OutputError(f"{table.path}: cannot be written: {table.failure.strerror}")
            try:
                take_items(folder_of(primary.path), items_feeds(self._spider.crawler.settings))
            except OSError as error:
                raise OutputError(
                    f"{error.filename}: cannot be written: {error.strerror}"
                ) from error
        remove_parts(primary.path)  # of one that was killed early there is a folder without any

    def _is_missing(self, row: Row) -> bool:
        """Return whether a row of a part is that of a record which has none yet."""
        return row["position"] not in self._spider.ledger and is_of_list(row, self._spider)

    def _refuse(self, table: TableFile, line: Line, why: str) -> None:
        path = table.path
        anew = f"Type -O {path} to start afresh, or -o with another name"
        if "_job" in self._spider.given:
            anew = "Schedule it with another jobid to start afresh"
        raise OutputError(
            f"{path}: row at byte {line.start}, record {line.position}, {line.url!r}: {why} {anew}"
        )

    def _have(self, line: Line) -> None:
        self._spider.ledger.add(line.position)
        self._spider.earlier_rows[line.outcome, line.error] += 1

    def _open_parts(self, again: Ledger) -> tuple[Ledger, OutputError | None]:
        """Open the parts with rows of a retry, if there is one; they take those of *again*.

        Returns:
            whose rows are there, and why they cannot be used.
        """
        renewed = Ledger(self._total)
        if self._spider.retried_errors or any(table.has_part for table in self._tables):
            parts = [table.open_part(again) for table in self._tables]
            try:
                self._agree(parts)
                for line in self._rows(parts[0]):
                    renewed.add(line.position)
            except OutputError as error:
                return Ledger(self._total), error
        return renewed, None

    def _rows(self, table: TableFile) -> Iterator[Line]:
        """Yield the rows of *table*, each of which must belong to a record of the list."""
        seen = Ledger(self._total)
        report = monotonic() + _REPORT_SECONDS
        for count, line in enumerate(table.lines()):
            if not 0 < line.position <= self._total:
                self._refuse(table, line, f"the list has {self._total} records.")
            if self._outside is not None and self._outside[line.position - 1]:
                self._refuse(table, line, "it belongs to another shard.")
            if not seen.add(line.position):
                self._refuse(table, line, "it has a row for this record already.")
            url = clean(self._spider.index.record(line.position).url)
            if line.url != url:
                self._refuse(
                    table, line, f"in the list this record is {url!r}. {self._changed(table)}"
                )
            if not count & 0xFFFF and monotonic() > report:
                logger.info(
                    "Reading %(path)s: %(count)d rows so far", {"path": table.path, "count": count}
                )
                report = monotonic() + _REPORT_SECONDS
            yield line

    def _changed(self, table: TableFile) -> str:
        """Say why a row does not fit, as far as that is known."""
        begun_with = saved(table.path)
        if begun_with is None:
            return "Has the list changed?"
        if begun_with.list_sha256 == self._binding.list_sha256:
            return (
                "The list is the one that the table here was begun with, so this is another table."
            )
        return "The list has changed since the table was begun."

    def _agree(
        self, tables: "list[RetriedTable] | list[TableFile]", *, in_full: bool = True
    ) -> None:
        """Cut tables to the rows that they have in common, *in_full* with the same outcomes.

        Raises:
            OutputError: they hold different rows, so which records are done is not known.
        """
        if len(tables) == 1:
            return

        def key(line: Line) -> Hashable:
            return (line.position, line.outcome, line.error) if in_full else line.position

        def content(table: TableFile) -> int:
            return sum(map(hash, map(key, self._rows(table))))  # whatever the order

        ends = [0] * len(tables)
        # To the end of the longest: what is no table of this list is refused, not cut.
        for lines in zip_longest(*map(self._rows, tables)):
            if None in lines:
                continue
            if len(set(map(key, lines))) > 1:
                if len(set(map(content, tables))) == 1:
                    return  # not all of them are in order yet
                raise OutputError(
                    f"{tables[0].path} and {tables[1].path} hold different rows, so which records "
                    "are done is not known. Type -O for both, or name one of them"
                )
            ends = [line.end for line in lines]
        for table, end in zip(tables, ends, strict=True):
            if table.size > end:
                table.cut(end)


def is_of_list(row: Row, spider: Any) -> bool:
    """Return whether a row that another process has written is that of a record of the list."""
    position = row["position"]
    is_whole = 0 < position <= len(spider.index) and list(row) == spider.table.columns
    return is_whole and bool(row["url"] == clean(spider.index.record(position).url))
