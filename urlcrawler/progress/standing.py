"""How far a crawl is at one moment."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Standing:
    """How far a crawl is, and what keeps it.

    Attributes:
        done, total: records that have their row, and all of them.
        rate: records a second, lately.
        seconds_left: until the last one will have its row, about; None while nothing is known.
        slowest: the host that takes so long, when it is a host and not the number of records.
        outcomes: rows of the whole table, by outcome.
        paused: hosts that are left alone, why, and for how many seconds.
        rendering: pages that are in the browser, or wait for it.
        silent: seconds since the last row came.
        waiting: what the crawl waits for, by kind; for how many requests or hosts.
    """

    done: int = 0
    total: int = 0
    rate: float = 0.0
    seconds_left: float | None = None
    slowest: str | None = None
    outcomes: dict[str, int] = field(default_factory=dict)
    paused: list[tuple[str, str, float]] = field(default_factory=list)
    rendering: int = 0
    silent: float = 0.0
    waiting: dict[str, int] = field(default_factory=dict)

    def take(self, parts: Iterable[dict[str, Any]]) -> None:
        """Take in what the processes of a crawl know: the last of them to end decides."""
        waiting = Counter(self.waiting)
        for part in parts:
            left = part["seconds_left"]
            if left is not None and left > (self.seconds_left or 0.0):
                self.seconds_left, self.slowest = left, part["slowest"]
            self.paused += map(tuple, part["paused"])
            self.rendering += part["rendering"]
            self.done += part.get("unwritten", 0)
            waiting.update(part["waiting"])
        self.waiting = dict(waiting)
