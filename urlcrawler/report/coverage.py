"""How many of the pages have a value in each column that says what is in them."""

from dataclasses import dataclass
from typing import Any

from urlcrawler.items import OWN_COLUMNS
from urlcrawler.report.reading import CrawlTable


@dataclass
class Coverage:
    """A column that says what is in a page.

    Attributes:
        kind: metadata, field for a field of the fields file, list for a column of the list; own
            for one of these two when the crawl has left no word which.
        filled: rows `ok` that have a value.
        share: of the rows `ok`; None when there is none of these.
        earlier: the share in the earlier table, None without one.
        unread: texts of the last run that could not be read as the type of the field.
        example: why one of them could not.
    """

    column: str
    kind: str
    filled: int
    share: float | None
    earlier: float | None
    unread: int
    example: str

    @property
    def is_telling(self) -> bool:
        """Whether it is worth a line: a field that finds nothing is, and metadata that no page has
        is not.
        """
        return self.share is not None and bool(
            self.share or self.earlier or self.kind != "metadata"
        )


def shares(table: CrawlTable) -> dict[str, float]:
    """Return the share of the rows `ok` that have a value, by column; empty without such rows."""
    ok = int((table.rows["outcome"] == "ok").sum())
    return {name: count / ok for name, count in table.filled.items()} if ok else {}


def coverage(
    table: CrawlTable, earlier: CrawlTable | None, stats: dict[str, Any]
) -> list[Coverage]:
    """Return the columns of *table*: own ones first, in its order."""
    now, before = shares(table), shares(earlier) if earlier else {}
    has_fields = any(name.startswith("fields/") for name in stats)
    found = []
    for name, count in table.filled.items():
        is_field = any(f"fields/{name}/{what}" in stats for what in ("found", "absent"))
        kind = "field" if is_field else "list" if has_fields else "own"
        unread = stats.get(f"fields/{name}/unread")
        found.append(
            Coverage(
                name,
                "metadata" if name in OWN_COLUMNS and not is_field else kind,
                count,
                now.get(name),
                before.get(name),
                unread if isinstance(unread, int) else 0,
                str(stats.get(f"fields/{name}/example") or ""),
            )
        )
    return sorted(found, key=lambda column: column.kind == "metadata")
