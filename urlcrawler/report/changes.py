"""What is different from an earlier crawl of the same list, or nearly."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from urlcrawler.report.coverage import shares
from urlcrawler.report.reading import CrawlTable

EXAMPLES = 3
_DIFFERENT = 0.005  # of the share of pages that have a value; less is rounding
_MOST_MOVES = 20


@dataclass
class Move:
    """URLs whose outcome is another one.

    Attributes:
        before, after: the outcomes.
        urls: how many.
        examples: some of them.
    """

    before: str
    after: str
    urls: int
    examples: list[str]


@dataclass
class CoverageChange:
    """A column of which more, or fewer, pages have a value: shares of the rows `ok`."""

    column: str
    before: float
    after: float


@dataclass
class Changes:
    """What is different.

    Attributes:
        table: name of the earlier table.
        rows: its rows.
        outcomes: rows by outcome, before and now.
        same: URLs of both whose outcome is the same; `unchanged` is `ok`.
        moved: those whose outcome is not, most URLs first.
        added, removed: URLs of only one of them, with examples.
        coverage: columns of both with another share, the greatest loss first.
        median: latency before and now, seconds; None where it is not known.
    """

    table: str
    rows: int
    outcomes: dict[str, tuple[int, int]]
    same: int
    moved: list[Move]
    added: int
    added_examples: list[str]
    removed: int
    removed_examples: list[str]
    coverage: list[CoverageChange]
    median: tuple[float | None, float | None]


def changes(earlier: CrawlTable, later: CrawlTable) -> Changes:
    """Compare two tables. Rows are matched by what they ask for, and duplicates left out.

    Of several rows with the same URL the first counts.
    """
    both = _asked(earlier).merge(
        _asked(later), on="key", how="outer", suffixes=("_before", "_after"), indicator="where"
    )
    common = both[both["where"] == "both"]
    is_same = common["outcome_before"] == common["outcome_after"]
    moves = common[~is_same].groupby(["outcome_before", "outcome_after"], sort=False)
    moved = [
        Move(str(before), str(after), len(urls), _examples(later, urls["offset_after"]))
        for (before, after), urls in sorted(moves, key=lambda move: -len(move[1]))[:_MOST_MOVES]
    ]
    added = both.loc[both["where"] == "right_only", "offset_after"]
    removed = both.loc[both["where"] == "left_only", "offset_before"]
    counts = [table.rows["outcome"].value_counts() for table in (earlier, later)]
    names = sorted({str(name) for count in counts for name, rows in count.items() if rows})
    return Changes(
        earlier.path.name,
        len(earlier.rows),
        {name: (int(counts[0].get(name, 0)), int(counts[1].get(name, 0))) for name in names},
        int(is_same.sum()),
        moved,
        len(added),
        _examples(later, added),
        len(removed),
        _examples(earlier, removed),
        _coverage(earlier, later),
        (_median(earlier), _median(later)),
    )


def _asked(table: CrawlTable) -> pd.DataFrame:
    rows = table.rows.loc[table.rows["outcome"] != "duplicate", ["key", "offset", "outcome"]]
    rows = rows.drop_duplicates("key")
    return rows.assign(outcome=rows["outcome"].astype(object).replace("unchanged", "ok"))


def _examples(table: CrawlTable, offsets: "pd.Series[Any]") -> list[str]:
    return table.urls(sorted(offsets)[:EXAMPLES])


def _coverage(earlier: CrawlTable, later: CrawlTable) -> list[CoverageChange]:
    before, after = shares(earlier), shares(later)
    found = [
        CoverageChange(name, before[name], after[name])
        for name in after
        if name in before and abs(after[name] - before[name]) >= _DIFFERENT
    ]
    return sorted(found, key=lambda change: change.after - change.before)


def _median(table: CrawlTable) -> float | None:
    known = table.rows["elapsed"].dropna()
    return None if known.empty else round(float(known.median()), 3)
