"""Two tables of the same list, or nearly: what came, what went, and what is different."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from urlcrawler.exceptions import ArgumentError
from urlcrawler.items import CONTENT_COLUMNS, OWN_COLUMNS
from urlcrawler.outcomes import OUTCOMES
from urlcrawler.output.earlier import EarlierTable

# How a page was fetched, and when, says nothing about the page.
ACCIDENTAL = (
    "position", "reason", "attempts", "duplicate_of", "fetched_at", "elapsed", "etag",
    "last_modified", "rendered", "render_error",
)  # fmt: skip
_COMPARED = tuple(outcome for outcome in OUTCOMES if outcome != "duplicate")
_SAME = {"unchanged": "ok"}


class Difference(NamedTuple):
    """What is different about a URL.

    Attributes:
        kind: added, removed or changed.
        url: as the table has it.
        columns: for a changed one, before and after, by column.
    """

    kind: str
    url: str
    columns: dict[str, tuple[str, str]] = {}  # noqa: RUF012 - empty, and nobody writes to it


def compare(
    before: str, after: str, *, formulas: bool = False, columns: tuple[str, ...] = ()
) -> Iterator[Difference | None]:
    """Yield the differences of two tables, and None for each URL without one.

    Rows are matched by what they ask for; of several with the same URL the first counts.

    Args:
        formulas: the setting CSV_FORMULAS that both were written with.
        columns: those that are looked at; all but the ACCIDENTAL ones when there are none.

    Raises:
        ArgumentError: one of them cannot be read, is no table, or has none of these columns.
    """
    earlier = EarlierTable(before, formulas=formulas, outcomes=_COMPARED)
    try:
        later = EarlierTable(after, formulas=formulas, outcomes=_COMPARED)
        try:
            for name in columns:
                if name not in earlier.columns or name not in later.columns:
                    raise ArgumentError(
                        f"--columns: no column {name!r} in both tables; columns are: "
                        f"{', '.join(later.columns)}"
                    )
            wanted = columns or tuple(
                name for name in later.columns if name in earlier.columns and name not in ACCIDENTAL
            )
            for row in later.rows():
                old = earlier.row(row["url"])
                if old is None:
                    yield Difference("added", row["url"])
                else:
                    found = _differences(old, row, wanted)
                    yield Difference("changed", row["url"], found) if found else None
            for row in earlier.rows():
                if later.row(row["url"]) is None:
                    yield Difference("removed", row["url"])
        finally:
            later.close()
    finally:
        earlier.close()


def _differences(
    old: dict[str, Any], new: dict[str, Any], columns: tuple[str, ...]
) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    # A row of a page that had not changed has no more than was carried over.
    is_short = "unchanged" in (old["outcome"], new["outcome"])
    for name in columns:
        before, after = _text(old.get(name)), _text(new.get(name))
        if name == "outcome":
            before, after = _SAME.get(before, before), _SAME.get(after, after)
        elif is_short and (name == "status" or name in CONTENT_COLUMNS or name not in OWN_COLUMNS):
            continue
        if before != after:
            found[name] = (before, after)
    return found


def _text(value: Any) -> str:
    """Return a value as CSV has it, so that tables of both formats can be compared."""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)
