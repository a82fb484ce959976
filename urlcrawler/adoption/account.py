"""What has become of each row of an old table, as text for people."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from urlcrawler.printable import printable, without_credentials

_EXAMPLES = 5
_REASONS = 1000  # with --where each row may have one of its own
_LONGEST_SHOWN = 100
Lines = Callable[[list[int]], list[int | None]]


@dataclass
class Pile:
    """Rows that have met the same fate: how many, and byte offset and words of the first."""

    count: int = 0
    examples: list[tuple[int, str]] = field(default_factory=list)

    def add(self, offset: int, words: str) -> None:
        """Lay one more on it."""
        self.count += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append((offset, words))


@dataclass
class Account:
    """All of it. Every row of the old table is in one of the counts.

    Attributes:
        rows: of the old table.
        adopted: rows that have become one of ours.
        records: records whose row that is: more, where `duplicates=fetch` has them twice.
        there: rows of records that had their row in the table already.
        repeated: rows of a URL after which there is another one.
        not_done: rows that do not count.
        why_not: how many of them for which reason, of the first _REASONS.
        no_url, broken, foreign: rows without a URL, that cannot be trusted, and that belong to no
            record of the list.
        headers: lines that are the header once more.
        remaining: records that have no row yet.
        requests: how many of these are requested.
    """

    rows: int = 0
    adopted: int = 0
    records: int = 0
    there: int = 0
    repeated: int = 0
    headers: int = 0
    not_done: int = 0
    why_not: Counter[str] = field(default_factory=Counter)
    no_url: Pile = field(default_factory=Pile)
    broken: Pile = field(default_factory=Pile)
    foreign: Pile = field(default_factory=Pile)
    remaining: int = 0
    requests: int = 0

    def refuse(self, why: str) -> None:
        """Note that a row does not count."""
        self.not_done += 1
        if why in self.why_not or len(self.why_not) < _REASONS:
            self.why_not[why] += 1

    def lines(self, table: str, lines_at: Lines) -> Iterator[str]:
        """Yield a line for each count that is not 0.

        Args:
            table: the name of ours.
            lines_at: finds the numbers of the lines at byte offsets.
        """
        yield _count(self.adopted, f"adopted, into {table}")
        if self.records > self.adopted:
            yield f"{'':14}for {self.records:,} records: duplicates=fetch has some URLs twice"
        if self.there:
            yield _count(self.there, "of records that have their row there already")
        if self.repeated:
            yield _count(self.repeated, "repeated: the last row of a URL counts")
        if self.not_done:
            yield _count(self.not_done, "not done, and so they are crawled again")
            for why, count in self.why_not.most_common(_EXAMPLES):
                yield f"{'':14}{count:,} of them: {_shown(why)}"
        yield from self._pile(self.foreign, "not on the list", lines_at)
        yield from self._pile(self.no_url, "without a URL", lines_at)
        yield from self._pile(self.broken, "broken, and so nothing of them is believed", lines_at)
        if self.headers:
            yield _count(self.headers, "the header once more")

    @staticmethod
    def _pile(pile: Pile, what: str, lines_at: Lines) -> Iterator[str]:
        if not pile.count:
            return
        yield _count(pile.count, what)
        lines = lines_at([offset for offset, _ in pile.examples])
        for (_, words), line in zip(pile.examples, lines, strict=True):
            place = f"line {line:,}: " if line else ""
            yield f"{'':14}{place}{_shown(words)}"
        if pile.count > len(pile.examples):
            yield f"{'':14}... and {pile.count - len(pile.examples):,} more"


def _count(count: int, what: str) -> str:
    return f"{count:>12,}  {what}"


def _shown(text: str) -> str:
    text = printable(without_credentials(text))
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
