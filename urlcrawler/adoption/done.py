"""Which rows of an old table count as done: scripts write rows for failures too."""

from collections.abc import Mapping
from typing import Any

from urlcrawler.adoption.cells import as_text, http_status, whole_number
from urlcrawler.exceptions import ArgumentError
from urlcrawler.printable import printable

# The plain name last: of two columns it is the one that may hold `done`.
STATUS = ("status_code", "statuscode", "http_status", "http_status_code", "http_code",
          "response_code", "status")  # fmt: skip
_ERROR = ("error", "errors", "exception")
_NOTHING = ("", "none", "nan", "null")  # of scripts that write str(None)
_LONGEST_SHOWN = 40


def plain(name: str) -> str:
    """Return the name of a column as it is compared: `Status Code` is `status_code`."""
    return "_".join(name.strip().lower().replace("-", " ").replace("_", " ").split())


def first_of(names: tuple[str, ...], columns: list[str]) -> str | None:
    """Return the first of *columns* that has one of *names*; None when there is none."""
    found = {plain(column): column for column in reversed(columns)}
    return next((found[name] for name in names if name in found), None)


class Condition:
    """What a cell must be: `status=200`; or must not: `title!=ERROR`, `title!=` for not empty."""

    def __init__(self, words: str, columns: list[str], label: str) -> None:
        """Read it.

        Raises:
            ArgumentError: it is none, or the table has no such column.
        """
        name, equals, wanted = words.partition("=")
        self._negated = name.endswith("!")
        self.column, self._wanted = name.removesuffix("!").strip(), wanted.strip()
        if not equals or not self.column:
            raise ArgumentError(f"--where: must be like status=200 or title!=ERROR, not {words!r}")
        if self.column not in columns:
            raise ArgumentError(
                f"--where: no column {self.column!r} in {label}; columns are: {', '.join(columns)}"
            )

    def holds(self, value: Any) -> bool:
        """Return whether it is so for the cell *value*."""
        text = as_text(value).strip()
        same = text == self._wanted
        if not same and text and self._wanted[:1].isdecimal():
            number = whole_number(text)  # 200.0 is 200
            same = number is not None and number == whole_number(self._wanted)
        return same != self._negated


class Done:
    """Tells which rows count.

    Attributes:
        status: the column with the status of the answer, if there is one.
        text: how it is told, for people.
        tells: whether there is anything that it is told by; otherwise every row counts.
    """

    def __init__(
        self,
        columns: list[str],
        label: str,
        *,
        status: str | None,
        where: list[str],
        every: bool,
        is_ours: bool = False,
    ) -> None:
        """Decide how it is told.

        Args:
            columns: of the old table called *label*.
            status: which of them has the status, where that was said.
            where: conditions that must hold, in place of what is usual.
            every: whether rows with any answer count, 404 and 500 too.
            is_ours: whether a crawl has written it: its outcome says what is done.

        Raises:
            ArgumentError: a condition is none.
        """
        if where and every:
            raise ArgumentError("--all, --where: are two answers to one question. Leave one out")
        self._conditions = [Condition(words, columns, label) for words in where]
        self._every = every
        self.status = status or first_of(STATUS, columns)
        self._outcomes = (("ok", "http_error") if every else ("ok",)) if is_ours else ()
        self._error = first_of(_ERROR, columns)
        self.tells = bool(where or self.status or self._error)
        self.text = self._text(where)

    def why_not(self, row: Mapping[str, Any]) -> str:
        """Return why a row does not count; "" when it does."""
        for condition in self._conditions:
            if not condition.holds(row.get(condition.column)):
                return self._shown(row, condition.column)
        if self._conditions:
            return ""
        if self._outcomes:
            is_done = row.get("outcome") in self._outcomes
            return "" if is_done else self._shown(row, "outcome")
        if self.status:
            status = http_status(row.get(self.status))
            if status is None or not (self._every or 200 <= status < 300):
                return self._shown(row, self.status)
            if self._every:
                return ""
        if self._error and as_text(row.get(self._error)).strip().lower() not in _NOTHING:
            return self._shown(row, self._error)
        return ""

    def _shown(self, row: Mapping[str, Any], column: str) -> str:
        text = printable(as_text(row.get(column)).strip()).partition("\n")[0]
        text = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
        return f"{column} {text}" if text else f"{column} is empty"

    def _text(self, where: list[str]) -> str:
        if where:
            return f"where {' and '.join(where)}"
        if self._outcomes:
            return f"whose outcome is {' or '.join(self._outcomes)}"
        if self._every and self.status:
            return f"whose {self.status} is that of any answer"
        parts = [f"{self.status} is 2xx"] if self.status else []
        parts += [f"{self._error} is empty"] if self._error else []
        return f"whose {' and whose '.join(parts)}" if parts else ""
