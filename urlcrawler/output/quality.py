"""How good a table is: how many of its pages are there, and how many of these have each value."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from urlcrawler.outcomes import THERE
from urlcrawler.output.earlier import read_rows

_NOTHING: tuple[Any, ...] = (None, "", [], {}, "[]", "{}")


@dataclass
class Quality:
    """What a table is like.

    Attributes:
        records: rows that are no duplicates.
        there: how many of these are of pages that are there (`ok`, `unchanged`).
        filled: how many of those have a value, by column.
    """

    records: int = 0
    there: int = 0
    filled: Counter[str] = field(default_factory=Counter)

    @property
    def ok_share(self) -> float:
        """Share of the records whose pages are there; 1 without records."""
        return self.there / self.records if self.records else 1.0

    def coverage(self, column: str) -> float:
        """Share of these pages that have a value of *column*; 1 without pages."""
        return self.filled[column] / self.there if self.there else 1.0


def quality_of(path: str, columns: Iterable[str], *, formulas: bool = False) -> Quality:
    """Read a table.

    Args:
        columns: whose values are counted.
        formulas: the setting CSV_FORMULAS that it was written with.

    Raises:
        ArgumentError: it cannot be read, or is no table.
    """
    return quality_of_rows(read_rows(path, formulas=formulas), columns)


def quality_of_rows(rows: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> Quality:
    """Return what *rows* of a table are like; values of *columns* are counted."""
    quality, wanted = Quality(), tuple(columns)
    for row in rows:
        if row["outcome"] == "duplicate":
            continue
        quality.records += 1
        if row["outcome"] in THERE:
            quality.there += 1
            quality.filled.update(name for name in wanted if row.get(name) not in _NOTHING)
    return quality


@dataclass
class Wanted:
    """What is wanted of a table, and of a crawl.

    Attributes:
        ok_share: of the records, so many must be there at the least.
        coverage: of these pages so many must have a value, by column.
        before: an earlier table, than which this one must not be worse.
        drop: by more than this share.
        ok_share_lately: of the last pages so many must be there, or the crawl stops.
    """

    ok_share: float = 0.0
    coverage: dict[str, float] = field(default_factory=dict)
    before: Quality | None = None
    drop: float = 0.0
    ok_share_lately: float = 0.0

    @property
    def is_about_table(self) -> bool:
        """Whether the table is to be looked at."""
        return bool(self.ok_share or self.coverage or self.before)

    @property
    def columns(self) -> set[str]:
        """The columns whose values are counted."""
        return {*self.coverage, *(self.before.filled if self.before else ())}

    def shortcomings(self, now: Quality) -> Iterator[tuple[str, str]]:
        """Yield what a table does not come up to: the name of the setting, and a sentence."""
        if now.ok_share < self.ok_share:
            yield (
                "MIN_OK_SHARE",
                f"{now.ok_share:.1%} of the records are ok ({now.there:,} of {now.records:,}), at "
                f"least {self.ok_share:.1%} are wanted",
            )
        for name, least in self.coverage.items():
            if now.coverage(name) < least:
                yield (
                    "MIN_FIELD_COVERAGE",
                    f"{now.coverage(name):.1%} of the pages have a value of {name} "
                    f"({now.filled[name]:,} of {now.there:,}), at least {least:.1%} are wanted",
                )
        before = self.before
        if before is None:
            return
        if _has_dropped(before.ok_share, now.ok_share, self.drop):
            yield (
                "MAX_DROP_AGAINST",
                f"{now.ok_share:.1%} of the records are ok, and {before.ok_share:.1%} were before",
            )
        for name in before.filled:
            if _has_dropped(before.coverage(name), now.coverage(name), self.drop):
                yield (
                    "MAX_DROP_AGAINST",
                    f"{now.coverage(name):.1%} of the pages have a value of {name}, and "
                    f"{before.coverage(name):.1%} had one before",
                )


def _has_dropped(before: float, now: float, drop: float) -> bool:
    return before > 0 and (before - now) / before > drop
