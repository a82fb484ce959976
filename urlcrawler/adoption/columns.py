"""Which column of an old table goes where in ours."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from urlcrawler.adoption.cells import UnreadableError, http_status, read_cell, read_time
from urlcrawler.adoption.done import STATUS, first_of, plain
from urlcrawler.exceptions import ArgumentError
from urlcrawler.items import OWN_COLUMNS, Page
from urlcrawler.output.rows import Table

_TIMES = ("fetched_at", "crawled_at", "scraped_at", "downloaded_at", "timestamp")
# What only a crawl can know, or what the row of an old one cannot have.
_NOT_TAKEN = frozenset(
    {
        "position", "url", "outcome", "error", "reason", "attempts", "duplicate_of", "rendered",
        "render_error", "missing",
    }
)  # fmt: skip


class Columns:
    """Takes cells of an old row over into a page.

    Attributes:
        taken: old columns, and the columns of ours where they go.
        left_out: old columns that have no place in the table.
        unread: by old column, how many of its cells were no value of the type of ours.
    """

    def __init__(self, old: list[str], table: Table, given: Mapping[str, str], label: str) -> None:
        """Find a column for each of *old*.

        Args:
            table: that of the crawl.
            given: columns, and where they are to go, as the user says.
            label: the name of the old table.

        Raises:
            ArgumentError: the user names one that is not there.
        """
        own = [name for name in table.columns if name in OWN_COLUMNS or name in table.fields]
        free = [name for name in own if name not in _NOT_TAKEN or name in table.fields]
        self._kinds, self._fields = table.kinds, frozenset(table.fields)
        self.unread: Counter[str] = Counter()
        self.taken: dict[str, str] = {}
        for name, ours in given.items():
            if name not in old:
                raise ArgumentError(
                    f"--columns: no column {name!r} in {label}; columns are: {', '.join(old)}"
                )
            if ours not in free:
                raise ArgumentError(
                    f"--columns: {ours!r} is no column that can be taken over; these can: "
                    f"{', '.join(free)}"
                )
            if ours in self.taken.values():
                raise ArgumentError(f"--columns: {ours!r} has two columns to come from")
            self.taken[name] = ours
        usual = [(first_of(STATUS, old), "status"), (first_of(_TIMES, old), "fetched_at")]
        names = {plain(name): name for name in reversed(free)}
        usual += [(name, names[plain(name)]) for name in old if plain(name) in names]
        for column, ours in usual:
            if column and column not in self.taken and ours not in self.taken.values():
                self.taken[column] = ours
        self.left_out = [name for name in old if name not in self.taken and not self._is_said(
            name, table)]  # fmt: skip

    def fill(self, page: Page, old: Mapping[str, Any]) -> None:
        """Put the cells of the row *old* into *page*; what is no value of its type is left out."""
        for name, ours in self.taken.items():
            try:
                value = self._read(old.get(name), ours)
            except UnreadableError:
                self.unread[name] += 1
                continue
            if value is None:
                continue
            if ours in self._fields:
                page.fields[ours] = value
            else:
                setattr(page, ours, value)

    def _read(self, value: Any, ours: str) -> Any:
        if ours in self._fields or value in (None, ""):
            return read_cell(value, self._kinds[ours])
        if ours == "fetched_at":
            return read_time(value)
        if ours == "status":
            status = http_status(value)
            if status is None:
                raise UnreadableError
            return status
        return read_cell(value, self._kinds[ours])

    @staticmethod
    def _is_said(name: str, table: Table) -> bool:
        """Return whether the table says the same without it: by the list, or of its own."""
        return name in table.carried or plain(name) in _NOT_TAKEN
