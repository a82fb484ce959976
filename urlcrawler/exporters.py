"""Feed exporters: CSV that spreadsheets and pandas read without loss or danger, and JSON Lines."""

import io
from collections.abc import Callable, Mapping
from typing import Any

from scrapy.crawler import Crawler
from scrapy.exceptions import NotSupported
from scrapy.exporters import BaseItemExporter, CsvItemExporter, JsonLinesItemExporter

from urlcrawler.output.rows import Row
from urlcrawler.output.tablefile import TableFile
from urlcrawler.output.tables import Csv


class _TableExporter(BaseItemExporter):
    """Write rows into a table that resumes; into any other file as Scrapy does.

    Scrapy only logs what an exporter raises and counts the item as exported; a table that cannot
    be written stops the crawl instead.
    """

    _crawler: Crawler
    _table: TableFile | None

    def __init__(self, file: Any, **kwargs: Any) -> None:
        self._table = file if isinstance(file, TableFile) else None
        exporter: Any = super()  # one of Scrapy's, which take the file first
        exporter.__init__(io.BytesIO() if self._table else file, **kwargs)

    @classmethod
    def from_crawler(cls, crawler: Crawler, file: Any, **kwargs: Any) -> "_TableExporter":
        """Build the exporter that a feed asks for."""
        exporter = cls(file, **cls._options(crawler), **kwargs)
        exporter._crawler = crawler
        return exporter

    @classmethod
    def _options(cls, crawler: Crawler) -> dict[str, Any]:
        return {}

    def export_item(self, item: Any) -> None:
        """Write one row."""
        if self._table is None:
            super().export_item(item)  # type: ignore[safe-super]
        elif isinstance(item, Row):
            try:
                self._table.add(item, self._note(item))
            except Exception as error:
                # A value that no file can hold, or whose __str__ raises: the row says so instead.
                _empty(item, f"its values cannot be written: {type(error).__name__}: {error}")
                self._table.add(item, self._note(item))

    def _note(self, row: Row) -> Callable[[], None]:
        spider: Any = self._crawler.spider
        return lambda: spider.ledger.written(row["position"], self._table)


def _empty(row: Row, reason: str) -> None:
    """Turn *row* into one of a failed record, with nothing in it but what it is about."""
    row.update({name: None for name in row if name not in ("position", "url", "attempts")})
    row.update(outcome="failed", error="pipeline", reason=reason)


class TableCsvExporter(_TableExporter, CsvItemExporter):
    """RFC 4180. None is an empty cell; lists and objects are JSON; text that a spreadsheet would
    run as a formula is neutralised unless CSV_FORMULAS is true.
    """

    def __init__(self, file: Any, *, formulas: bool = False, **kwargs: Any) -> None:
        self._cells = Csv([], formulas=formulas)
        super().__init__(file, **kwargs)

    @classmethod
    def _options(cls, crawler: Crawler) -> dict[str, Any]:
        return {"formulas": crawler.settings.getbool("CSV_FORMULAS")}

    def serialize_field(self, field: Mapping[str, Any], name: str, value: Any) -> Any:
        """Return what stands in the cell."""
        cell = self._cells.cell(value)
        return cell if isinstance(cell, str) else super().serialize_field(field, name, cell)


class TableJsonLinesExporter(_TableExporter, JsonLinesItemExporter):
    """One JSON object a line, every column in each."""


class PublishedExporter(TableJsonLinesExporter):
    """Rows of a file that is written as a whole; there is no other way to write one."""

    def __init__(self, file: Any, **kwargs: Any) -> None:
        super().__init__(file, **kwargs)
        if self._table is None:
            raise NotSupported("only spiders that read a list write a table as a whole")
