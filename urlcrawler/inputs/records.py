"""One line of the list."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Record:
    """One record of the list, as the list has it.

    Attributes:
        position: 1-based place in the list; blank lines and comments do not count.
        url: the URL as written, without surrounding blanks.
        columns: the other columns of the list, by name, in the order of the list.
        problem: a sentence when the line cannot be read as a record, else None.
    """

    position: int
    url: str
    columns: dict[str, Any] = field(default_factory=dict)
    problem: str | None = None
