"""The columns of a table, and a page as a row of it."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from scrapy.utils.misc import load_object

from urlcrawler.extract.metadata import GROUPS, METADATA_COLUMNS
from urlcrawler.items import COLUMN_KINDS, DEFAULT_METADATA, OWN_COLUMNS, Page
from urlcrawler.outcomes import ERRORS, OUTCOMES
from urlcrawler.output.cells import Kind, clean


class Row(dict[str, Any]):
    """A flat row of the table. A class of its own, so that a feed can tell it from other items."""


def takes_rows(options: Mapping[str, Any]) -> bool:
    """Return whether a feed with these options is for rows, and not for items of other classes."""
    classes = [load_object(kind) for kind in options.get("item_classes") or ()]
    return not classes or any(issubclass(Row, kind) for kind in classes)


class Table:
    """The columns of one crawl's table: ours, the fields of the fields file, those of the list.

    Attributes:
        columns: their names, in order.
        kinds: what each holds, by name.
        fields: names of those of the fields file, and of the spider's own.
        carried: the column of each column of the list, by its name there.

    A column of the list with the name of one before it gets the prefix `in_`. A field with the name
    of one of the metadata takes its place.
    """

    def __init__(
        self,
        input_columns: list[str],
        fields: Mapping[str, Kind] = MappingProxyType({}),
        metadata: Iterable[str] = DEFAULT_METADATA,
    ) -> None:
        """Take names of columns, the kinds of fields, and names of groups of `extract.metadata`."""
        self.fields = tuple(fields)
        wanted = {name for group in metadata for name in GROUPS[group]} - set(self.fields)
        self._own = tuple(
            name for name in OWN_COLUMNS if name in wanted or name not in METADATA_COLUMNS
        )
        self.carried: dict[str, str] = {}
        taken = {*OWN_COLUMNS, *self.fields}
        for name in input_columns:
            column = clean(name)
            while column in taken or (column != name and column in input_columns):
                column = f"in_{column}"
            taken.add(column)
            self.carried[name] = column
        self.columns = [*self._own, *self.fields, *self.carried.values()]
        self.kinds: dict[str, Kind] = dict.fromkeys(self.columns, "str")
        self.kinds |= {name: COLUMN_KINDS[name] for name in self._own}
        self.kinds |= fields

    def row(self, page: Page) -> Row:
        """Return *page* as a flat row that has every column, in order.

        Raises:
            ValueError: code of a spider has set an outcome, an error or a field that does not
                exist.
        """
        if page.outcome not in OUTCOMES:
            raise ValueError(f"outcome {page.outcome!r} is none of: {', '.join(OUTCOMES)}")
        if page.error is not None and page.error not in ERRORS:
            raise ValueError(f"error {page.error!r} is none of: {', '.join(ERRORS)}")
        if unknown := page.fields.keys() - set(self.fields):
            raise ValueError(
                f"{min(unknown)!r} in page.fields is no column. Name it in `columns` of the spider"
            )
        row = Row({name: clean(getattr(page, name)) for name in self._own})
        for name in self.fields:
            row[name] = clean(page.fields.get(name))
        for name, column in self.carried.items():
            row[column] = clean(page.columns.get(name))
        return row
