"""N in = N out: whether each record of the list has its one row."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

_SHOWN = 20  # places of the list that are named


@dataclass
class Positions:
    """Which places of the list have a row.

    Attributes:
        highest: the last one.
        missing: how many before it have none.
        gaps: the first of those, as pairs of first and last.
        repeated: how many have more than one row.
        twice: the first of those.
        records: how many records the list has, as the crawl has counted them; None: not known.
    """

    highest: int
    missing: int
    gaps: list[tuple[int, int]]
    repeated: int
    twice: list[int]
    records: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether each record has exactly one row, as far as is known."""
        return not (self.missing or self.repeated or self.unwritten)

    @property
    def unwritten(self) -> int:
        """How many records after the last one of the table have no row."""
        return max((self.records or 0) - self.highest, 0)

    def sentences(self) -> list[str]:
        """Return what is to be said about them."""
        if self.is_whole and not self.highest:
            return ["The table has no row yet."]
        if self.is_whole:
            return [f"Each of the positions 1 to {self.highest:,} has exactly one row."]
        said = []
        if self.missing:
            named = ", ".join(
                f"{first:,}" if first == last else f"{first:,} to {last:,}"
                for first, last in self.gaps
            )
            rest = self.missing - sum(last - first + 1 for first, last in self.gaps)
            said.append(
                f"{self.missing:,} of the positions 1 to {self.highest:,} "
                f"{'has' if self.missing == 1 else 'have'} no row: {named}"
                f"{f' and {rest:,} more' if rest else ''}."
            )
        if self.unwritten:
            said.append(
                f"The list has {self.records:,} records: {self.unwritten:,} of them come after "
                f"position {self.highest:,} and have no row."
            )
        if self.repeated:
            named = ", ".join(f"{position:,}" for position in self.twice)
            rest = self.repeated - len(self.twice)
            said.append(
                f"{self.repeated:,} "
                f"{'position has' if self.repeated == 1 else 'positions have'} "
                f"more than one row: {named}"
                f"{f' and {rest:,} more' if rest else ''}."
            )
        return said


def positions(column: "pd.Series[int]") -> Positions:
    """Compare the positions of a table with 1, 2, 3 and so on up to the highest."""
    found, counts = np.unique(column.to_numpy(), return_counts=True)
    if not len(found):
        return Positions(0, 0, [], 0, [])
    before = np.concatenate(([0], found[:-1]))
    behind_gaps = np.flatnonzero(found - before > 1)
    gaps = [(int(before[place]) + 1, int(found[place]) - 1) for place in behind_gaps[:_SHOWN]]
    twice = found[counts > 1]
    highest = int(found[-1])
    return Positions(
        highest, highest - len(found), gaps, len(twice), [int(place) for place in twice[:_SHOWN]]
    )
