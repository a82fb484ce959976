"""How long answers took, and how many there were over time."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd

QUANTILES = (0.5, 0.9, 0.99)
_BINS = 60  # as many as a picture can show
_WIDTHS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400)  # seconds
_EDGES = np.geomspace(0.001, 1000, 49)  # seconds; eight bins from one power of ten to the next


@dataclass
class Latency:
    """Seconds from sending the last request of a row to the head of its answer.

    Attributes:
        rows: how many were answered.
        p50, p90, p99: seconds within which that many of a hundred answers came.
        edges: of the bins, seconds; there is one more than bins.
        counts: rows in each bin.
    """

    rows: int
    p50: float
    p90: float
    p99: float
    edges: list[float]
    counts: list[int]


@dataclass
class Throughput:
    """When answers were complete, or given up.

    Attributes:
        began, ended: the first and the last, ISO 8601 in UTC.
        seconds: between these two.
        rate: rows a second.
        width: of a bin, seconds.
        ok: rows `ok` or `unchanged` in each bin, from `began` on.
        other: the others.
    """

    began: str
    ended: str
    seconds: float
    rate: float
    width: int
    ok: list[int]
    other: list[int]


def latency(elapsed: "pd.Series[float]") -> Latency | None:
    """Return how long answers took; None when there was none."""
    known = elapsed.dropna()
    if known.empty:
        return None
    p50, p90, p99 = (round(float(known.quantile(part)), 3) for part in QUANTILES)
    counts, _ = np.histogram(known.clip(_EDGES[0], _EDGES[-1]), _EDGES)
    used = np.flatnonzero(counts)
    first, last = int(used[0]), int(used[-1])
    edges = [round(float(edge), 5) for edge in _EDGES[first : last + 2]]
    return Latency(len(known), p50, p90, p99, edges, counts[first : last + 1].tolist())


def throughput(fetched: "pd.Series[int]", is_good: "pd.Series[bool]") -> Throughput | None:
    """Return how many rows were fetched when; None when none was.

    Args:
        fetched: milliseconds since 1970, -1 where there was no request.
        is_good: whether the page is there.
    """
    known = fetched >= 0
    times, good = fetched[known], is_good[known]
    if times.empty:
        return None
    began, ended = int(times.min()), int(times.max())
    seconds = (ended - began) / 1000
    width = next((width for width in _WIDTHS if seconds / width < _BINS), 0)
    width = width or _WIDTHS[-1] * -(-int(seconds) // (_WIDTHS[-1] * _BINS))
    bins = (times - began) // (1000 * width)
    most = int(bins.max()) + 1
    ok, other = (
        np.bincount(bins[chosen].to_numpy(), minlength=most).tolist() for chosen in (good, ~good)
    )
    rate = round(len(times) / max(seconds, 1), 2)
    return Throughput(_text(began), _text(ended), seconds, rate, width, ok, other)


def _text(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
