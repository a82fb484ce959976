"""CSV that spreadsheets and pandas read without loss or danger, and JSON Lines."""

import json
import re
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from scrapy.crawler import Crawler
from scrapy.exporters import CsvItemExporter

# What a spreadsheet would run as a formula (OWASP, CSV injection), apostrophes before it included:
# so the sign that switches it off can be taken away again without a doubt.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_NEUTRALISED = re.compile(r"'+[=+\-@\t\r]")


def neutralise(text: str) -> str:
    """Return a cell that no spreadsheet runs as a formula: an apostrophe goes before the sign."""
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def restore(cell: str) -> str:
    """Undo `neutralise`: return the text as the page or the list had it."""
    return cell[1:] if _NEUTRALISED.match(cell) else cell


class TableCsvExporter(CsvItemExporter):
    """Write rows as RFC 4180 CSV.

    None is an empty cell; lists and objects are JSON; text that would run as a formula is
    neutralised unless CSV_FORMULAS is true.
    """

    def __init__(self, file: BytesIO, *, formulas: bool = False, **kwargs: Any) -> None:
        super().__init__(file, **kwargs)
        self._formulas = formulas

    @classmethod
    def from_crawler(
        cls, crawler: Crawler, file: BytesIO, *args: Any, **kwargs: Any
    ) -> "TableCsvExporter":
        """Build the exporter that a feed asks for."""
        formulas = crawler.settings.getbool("CSV_FORMULAS")
        return cls(file, *args, **{"formulas": formulas, **kwargs})

    def serialize_field(self, field: Mapping[str, Any], name: str, value: Any) -> Any:
        """Return what stands in the cell."""
        if value is None:
            return ""
        if isinstance(value, list | dict):
            value = json.dumps(value, ensure_ascii=False, default=str)
        if isinstance(value, str):
            return value if self._formulas else neutralise(value)
        return super().serialize_field(field, name, value)
