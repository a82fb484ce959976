"""The pictures of a report: SVG that takes its colours from the page around it."""

import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import matplotlib as mpl
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator, PercentFormatter

from urlcrawler.outcomes import OUTCOMES
from urlcrawler.report.figures import Figures
from urlcrawler.report.hosts import HostFigures
from urlcrawler.report.wording import in_line

_WIDTH = 5.0  # inches of 72 units: as wide as a phone, so that the text is not made small there
_HOSTS, _COLUMNS, _LABEL = 12, 24, 22  # bars, and characters beside one
# Stand for the variables of page.css: matplotlib knows no such thing.
_COLOURS = {
    name: f"#0a0b{number:02x}"
    for number, name in enumerate(["ink", "faint", "earlier", "other", *OUTCOMES], 16)
}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text that can be found and selected, in the font of the page
    "svg.hashsalt": "urlcrawler",
    "text.parse_math": False,  # a host may be called $x$
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": _COLOURS["faint"],
    "axes.labelcolor": _COLOURS["ink"],
    "text.color": _COLOURS["ink"],
    "xtick.color": _COLOURS["faint"],
    "ytick.color": _COLOURS["faint"],
    "xtick.labelcolor": _COLOURS["ink"],
    "ytick.labelcolor": _COLOURS["ink"],
    "legend.frameon": False,
    "legend.fontsize": 10,
}


@dataclass
class Picture:
    """A picture for the page.

    Attributes:
        title: what is shown.
        words: the same in a sentence, for those who cannot see it.
        svg: the picture.
    """

    title: str
    words: str
    svg: str


def pictures(figures: Figures) -> list[Picture]:
    """Return the pictures that there are figures for."""
    found = []
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the font at hand lacks glyphs; the browser's has them
        if (over_time := figures.throughput) and len(over_time.ok) > 1:
            words = f"{over_time.rate:,} rows a second between the first and the last"
            found.append(_picture("Rows over time", words, _throughput, over_time))
        if took := figures.latency:
            words = f"half of the answers came within {took.p50} s, 99 of 100 within {took.p99} s"
            found.append(_picture("How long answers took", words, _latency, took))
        if named := [host for host in figures.hosts.listed if host.host][:_HOSTS]:
            words = f"the {len(named)} largest of {figures.hosts.count:,} hosts"
            found.append(_picture("Outcomes of the largest hosts", words, _hosts, named))
        if covered := [column for column in figures.coverage if column.is_telling]:
            words = "share of the pages with the outcome ok that have a value"
            found.append(_picture("Columns with a value", words, _coverage, covered[:_COLUMNS]))
    return found


def _picture(title: str, words: str, draw: Callable[[Figure, Any], None], what: Any) -> Picture:
    figure = Figure(figsize=(_WIDTH, 3.0), layout="constrained")
    draw(figure, what)
    file = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(file, format="svg", transparent=True, metadata=nothing)
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :]
    for name, colour in _COLOURS.items():
        svg = svg.replace(colour, f"var(--{name})")
    # Several pictures share a page, and so the names in them.
    prefix = re.sub(r"\W", "", title).lower()
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\1{prefix}-", svg)
    return Picture(title, words, svg)


def _throughput(figure: Figure, over_time: Any) -> None:
    axes = figure.subplots()
    width = timedelta(seconds=over_time.width)
    began = datetime.fromisoformat(over_time.began).replace(tzinfo=None)
    starts: Any = [began + width * number for number in range(len(over_time.ok))]
    bars: dict[str, Any] = {"width": width, "align": "edge"}
    axes.bar(starts, over_time.ok, color=_COLOURS["ok"], label="ok, unchanged", **bars)
    axes.bar(starts, over_time.other, bottom=over_time.ok, color=_COLOURS["other"],
             label="the others", **bars)  # fmt: skip
    axes.set_ylabel(f"rows in {_span(over_time.width)}")
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    dates = AutoDateLocator(maxticks=6)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(dates)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(dates))  # type: ignore[no-untyped-call]
    axes.margins(x=0)
    figure.legend(loc="outside upper left", ncols=2)


def _span(seconds: int) -> str:
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds % length == 0:
            count = seconds // length
            return f"a {unit}".replace("a hour", "an hour") if count == 1 else f"{count} {unit}s"
    return f"{seconds} s"


def _latency(figure: Figure, took: Any) -> None:
    axes = figure.subplots()
    axes.stairs(took.counts, took.edges, fill=True, color=_COLOURS["ok"])
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_xlabel("seconds")
    axes.set_ylabel("rows")
    for number, name in enumerate(("p50", "p90", "p99")):
        value = getattr(took, name)
        axes.axvline(value, color=_COLOURS["ink"], linewidth=1, linestyle=(0, (1 + 2 * number, 2)),
                     label=f"{name} {value:g} s")  # fmt: skip
    figure.legend(loc="outside upper left", ncols=3)


def _hosts(figure: Figure, listed: list[HostFigures]) -> None:
    figure.set_figheight(1.0 + 0.26 * len(listed))
    axes = figure.subplots()
    places = range(len(listed))
    left = [0] * len(listed)
    for outcome in OUTCOMES:
        counts = [host.outcomes.get(outcome, 0) for host in listed]
        if any(counts):
            axes.barh(places, counts, left=left, color=_COLOURS[outcome], label=outcome, height=0.7)
            left = [before + count for before, count in zip(left, counts, strict=True)]
    axes.set_yticks(places, [_end(host.host) for host in listed])
    axes.invert_yaxis()
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.set_xlabel("rows")
    figure.legend(loc="outside upper left", ncols=3)


def _coverage(figure: Figure, columns: list[Any]) -> None:
    figure.set_figheight(0.8 + 0.26 * len(columns))
    axes = figure.subplots()
    places = range(len(columns))
    shares = [100 * column.share for column in columns]
    axes.barh(places, shares, color=_COLOURS["ok"], height=0.7)
    before = [(place, 100 * column.earlier) for place, column in enumerate(columns)
              if column.earlier is not None]  # fmt: skip
    if before:
        axes.scatter([share for _, share in before], [place for place, _ in before], marker="|",
                     s=90, color=_COLOURS["earlier"], label="in the earlier table")  # fmt: skip
        figure.legend(loc="outside upper left")
    axes.set_yticks(places, [in_line(column.column, _LABEL) for column in columns])
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.xaxis.set_major_formatter(PercentFormatter())


def _end(text: str) -> str:
    """Return the part of a host that says whose it is."""
    text = in_line(text)
    return text if len(text) <= _LABEL else f"…{text[1 - _LABEL :]}"
