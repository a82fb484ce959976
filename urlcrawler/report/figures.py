"""The figures of a report: plain values, which the terminal, the page and JSON tell."""

import re
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

import pandas as pd

from urlcrawler.outcomes import ERRORS, OUTCOMES, THERE
from urlcrawler.report.beside import read_stats, read_throttled
from urlcrawler.report.changes import Changes, changes
from urlcrawler.report.coverage import Coverage, coverage
from urlcrawler.report.hosts import Hosts, hosts
from urlcrawler.report.positions import Positions, positions
from urlcrawler.report.reading import CrawlTable
from urlcrawler.report.timing import Latency, Throughput, latency, throughput

EXAMPLES = 3
_SHARD = re.compile(r"\.(\d+)-of-(\d+)\.")
# Stats that say how a crawl went; most are about its last run.
SHOWN_STATS = {
    "start_time": "the last run began",
    "finish_time": "and ended",
    "finish_reason": "because",
    "elapsed_time_seconds": "seconds that it took",
    "downloader/response_bytes": "bytes received",
    "throttle/refused": "answers 429, and 503 with Retry-After",
    "throttle/paused_seconds": "seconds for which hosts had asked",
    "throttle/given_up": "hosts that were given up",
    "render/pages": "pages rendered",
    "render/failed": "pages that could not be rendered",
    "watchdog/blocked_max": "seconds for which one piece of code kept all waiting, at most",
    "memusage/max": "bytes of memory, at most",
}


@dataclass
class ErrorFigures:
    """An error, how often it came, and for which URLs."""

    error: str
    outcome: str
    rows: int
    retryable: bool
    meaning: str
    examples: list[str]


@dataclass
class Figures:
    """All figures of a report.

    Attributes:
        table: name of the table.
        rows: its complete rows.
        incomplete: how many are torn, or no rows at all.
        requests: all attempts together.
        outcomes: rows by outcome, in the order of `outcomes.OUTCOMES`.
        errors: the most frequent one first.
        stats: those of the crawl in SHOWN_STATS, if it has left any.
        notes: sentences on what could not be read.
    """

    table: str
    rows: int
    incomplete: int
    requests: int
    positions: Positions
    outcomes: dict[str, int]
    errors: list[ErrorFigures]
    latency: Latency | None
    throughput: Throughput | None
    hosts: Hosts
    coverage: list[Coverage]
    stats: dict[str, str | int | float]
    changes: Changes | None
    notes: list[str]

    @property
    def share(self) -> float | None:
        """Of the rows that are no duplicates those whose page is there; None without any."""
        wanted = self.rows - self.outcomes.get("duplicate", 0)
        return sum(self.outcomes.get(name, 0) for name in THERE) / wanted if wanted else None

    def plain(self) -> dict[str, Any]:
        """Return them as JSON has them."""
        return asdict(self)


def figures(table: CrawlTable, earlier: CrawlTable | None = None) -> Figures:
    """Return the figures of *table*, and what is different from the *earlier* one."""
    rows = table.rows
    stats, notes = read_stats(table.path)
    places = positions(rows["position"])
    records = stats.get("records/total")
    if type(records) is int and records >= 0:
        places.records = records
    if table.incomplete:
        notes.append(
            f"Left out, as not complete: {table.incomplete:,} of the rows. The crawl is under way, "
            "or was killed: its next run goes on behind the last complete one."
        )
    if places.missing and (shard := _SHARD.search(table.path.name)):
        notes.append(
            f"By its name this is shard {shard[1]} of {shard[2]}: the positions that it lacks are "
            "those of the others."
        )
    return Figures(
        table.path.name,
        len(rows),
        table.incomplete,
        int(rows["attempts"].sum()),
        places,
        _outcomes(rows),
        _errors(table),
        latency(rows["elapsed"]),
        throughput(rows["fetched"], rows["outcome"].isin(THERE)),
        hosts(rows, read_throttled(table.path, stats)),
        coverage(table, earlier, stats),
        {name: stats[name] for name in SHOWN_STATS if _is_value(stats.get(name))},
        changes(earlier, table) if earlier else None,
        notes,
    )


def _is_value(stat: Any) -> bool:
    return isinstance(stat, str | int) or (isinstance(stat, float) and isfinite(stat))


def _outcomes(rows: pd.DataFrame) -> dict[str, int]:
    counts = {str(name): int(count) for name, count in rows["outcome"].value_counts().items()}
    names = [*OUTCOMES, *sorted(counts.keys() - OUTCOMES.keys())]
    return {name: counts[name] for name in names if counts.get(name)}


def _errors(table: CrawlTable) -> list[ErrorFigures]:
    found = []
    for error, rows in table.rows.groupby("error", observed=True, sort=False):
        known = ERRORS.get(str(error))
        found.append(
            ErrorFigures(
                str(error),
                known.outcome if known else str(rows["outcome"].iloc[0]),
                len(rows),
                known.retryable if known else False,
                known.meaning if known else "",
                table.urls(rows["offset"].iloc[:EXAMPLES]),
            )
        )
    return sorted(found, key=lambda error: -error.rows)
