"""What became of the records of each host."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from urlcrawler.outcomes import THERE
from urlcrawler.report.timing import QUANTILES

LARGEST, WORST = 150, 50  # hosts in a report: with the most rows, and then with the most errors


@dataclass
class Throttled:
    """What the throttle has noted of a host.

    Attributes:
        paused: seconds for which the host had asked.
        refused: answers 429, and 503 with Retry-After.
        highest: most requests at a time.
        given_up: why nothing more was asked, empty when it was not given up.
    """

    paused: float = 0.0
    refused: int = 0
    highest: int = 0
    given_up: str = ""


@dataclass
class HostFigures:
    """A host of the list.

    Attributes:
        host: its name; empty for records without one.
        rows: its records.
        requests: all attempts together.
        share: of the rows that are no duplicates those `ok` or `unchanged`; None without any.
        errors: rows with an error.
        p50, p90, p99: latency, seconds; None when nothing was answered.
        outcomes: rows by outcome.
        throttled: None when the crawl has left no word of it.
    """

    host: str
    rows: int
    requests: int
    share: float | None
    errors: int
    p50: float | None
    p90: float | None
    p99: float | None
    outcomes: dict[str, int]
    throttled: Throttled | None = None


@dataclass
class Hosts:
    """The hosts of a table.

    Attributes:
        count: how many there are.
        listed: the largest, and those with the most errors; largest first.
        has_throttled: whether something is known of the throttle.
    """

    count: int
    listed: list[HostFigures]
    has_throttled: bool


def hosts(rows: pd.DataFrame, throttled: dict[str, Throttled]) -> Hosts:
    """Return the figures of the hosts of a table."""
    rows = rows.assign(is_error=rows["error"].notna())
    groups = rows.groupby("host", observed=True, sort=False)
    found = groups.agg(
        rows=("position", "size"), requests=("attempts", "sum"), errors=("is_error", "sum")
    ).sort_values("rows", ascending=False, kind="stable")
    worst = found[found["errors"] > 0].nlargest(LARGEST + WORST, "errors").index
    largest = set(found.index[:LARGEST])
    chosen = [*largest, *[host for host in worst if host not in largest][:WORST]]
    # Quantiles and outcomes of these alone: of a million hosts they would take minutes.
    theirs = rows[rows["host"].isin(chosen)].assign(host=lambda rows: rows["host"].astype(str))
    by_host = theirs.groupby("host")["elapsed"].quantile(np.array(QUANTILES)).to_dict()
    sizes: dict[Any, int] = theirs.groupby(["host", "outcome"], observed=True).size().to_dict()
    outcomes: dict[str, dict[str, int]] = {}
    for (host, outcome), count in sizes.items():
        outcomes.setdefault(host, {})[outcome] = int(count)
    listed = []
    lines: Any = found[found.index.isin(chosen)].itertuples()
    for line in lines:
        host = line.Index
        counts = outcomes[host]
        wanted = sum(counts.values()) - counts.get("duplicate", 0)
        p50, p90, p99 = (_seconds(by_host.get((host, part))) for part in QUANTILES)
        listed.append(
            HostFigures(
                host=host,
                rows=sum(counts.values()),
                requests=int(line.requests),
                share=sum(counts.get(name, 0) for name in THERE) / wanted if wanted else None,
                errors=int(line.errors),
                p50=p50,
                p90=p90,
                p99=p99,
                outcomes=counts,
                throttled=throttled.get(host),
            )
        )
    return Hosts(len(found), listed, any(host.throttled for host in listed))


def _seconds(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else round(value, 3)
