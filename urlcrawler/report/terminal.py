"""The report for the terminal: lines of text, about a hundred characters wide."""

from collections.abc import Iterator

from urlcrawler.report.changes import Changes
from urlcrawler.report.figures import SHOWN_STATS, Figures
from urlcrawler.report.wording import in_line, percent, seconds

_HOSTS, _ERRORS, _COLUMNS = 10, 15, 40  # lines of each
_URL = 90  # characters of one


def lines(figures: Figures) -> Iterator[str]:
    """Yield the lines of the report."""
    yield f"{in_line(figures.table)}: {figures.rows:,} rows, {figures.requests:,} requests"
    if over_time := figures.throughput:
        yield (
            f"Fetched from {over_time.began[:19]} to {over_time.ended[:19]} UTC, "
            f"{over_time.rate:,} rows a second"
        )
    yield from figures.positions.sentences()
    yield from map(in_line, figures.notes)
    yield from ("", "     rows   share  outcome")
    for outcome, rows in figures.outcomes.items():
        yield f"{rows:>9,} {percent(rows / figures.rows):>7}  {in_line(outcome)}"
    yield from _errors(figures)
    if took := figures.latency:
        quick, slow = f"{took.p50:g} s (half of them)", f"{took.p99:g} s (99 of 100)"
        yield from ("", f"Answers began within {quick}, {took.p90:g} s (90 of 100), {slow}")
    yield from _hosts(figures)
    yield from _columns(figures)
    if figures.stats:
        yield from ("", "The crawl itself:")
        for name, value in figures.stats.items():
            yield f"  {SHOWN_STATS[name]}: {in_line(str(value))}"
    if figures.changes:
        yield from _changes(figures.changes)


def _errors(figures: Figures) -> Iterator[str]:
    if not figures.errors:
        return
    yield from ("", "     rows  error")
    for error in figures.errors[:_ERRORS]:
        yield f"{error.rows:>9,}  {in_line(error.error):<16} {error.meaning}"
        if error.examples:
            yield f"{'':>11}{in_line(error.examples[0], _URL)}"
    if len(figures.errors) > _ERRORS:
        yield f"{'':>11}and {len(figures.errors) - _ERRORS} more"


def _hosts(figures: Figures) -> Iterator[str]:
    hosts = figures.hosts
    if not hosts.listed:
        return
    yield from ("", f"The largest of {hosts.count:,} hosts (latency and paused in seconds):")
    heads = ["rows", "requests", "share", "errors", "p50", "p90", "p99"]
    heads += ["paused", "refused"] if hosts.has_throttled else []
    yield "".join(f"{head:>9}" for head in heads) + "  host"
    for host in hosts.listed[:_HOSTS]:
        cells = [f"{host.rows:,}", f"{host.requests:,}", percent(host.share)]
        cells.append(f"{host.errors:,}")
        took = (host.p50, host.p90, host.p99)
        cells += [seconds(value).removesuffix(" s") for value in took]
        if hosts.has_throttled:
            known = host.throttled
            cells += [f"{known.paused:g}", f"{known.refused:,}"] if known else ["-", "-"]
        yield "".join(f"{cell:>9}" for cell in cells) + f"  {in_line(host.host, 60) or '(no host)'}"


def _columns(figures: Figures) -> Iterator[str]:
    covered = [column for column in figures.coverage if column.is_telling]
    if not covered:
        return
    yield from ("", "Columns, and the rows `ok` that have a value:")
    for column in covered[:_COLUMNS]:
        line = f"{column.filled:>9,} {percent(column.share):>7}  {in_line(column.column)}"
        if column.unread:
            line += f" ({column.unread:,} could not be read: {in_line(column.example)})"
        yield line
    if len(covered) > _COLUMNS:
        yield f"{'':>11}and {len(covered) - _COLUMNS} more"


def _changes(changes: Changes) -> Iterator[str]:
    yield from ("", f"Against {in_line(changes.table)}, {changes.rows:,} rows:")
    yield f"{'earlier':>9}{'now':>9}  outcome"
    for outcome, (before, after) in changes.outcomes.items():
        yield f"{before:>9,}{after:>9,}  {in_line(outcome)}"
    moved = sum(move.urls for move in changes.moved)
    yield (
        f"{changes.same:,} URLs have the same outcome, {moved:,} another one, "
        f"{changes.added:,} are new, {changes.removed:,} are gone from the list"
    )
    for move in changes.moved:
        yield f"{move.urls:>9,}  {in_line(move.before)} -> {in_line(move.after)}"
        yield from (f"{'':>11}{in_line(url, _URL)}" for url in move.examples[:1])
    for column in changes.coverage:
        yield f"{percent(column.before):>9} -> {percent(column.after)}  {in_line(column.column)}"
