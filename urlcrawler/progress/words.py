"""How far a crawl is, in words."""

from urlcrawler.printable import printable
from urlcrawler.progress.standing import Standing

STALLED = 20.0  # seconds without a row, after which it is said what is waited for
_UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def duration(seconds: float) -> str:
    """Return a time that people read: `11 h 40 min`, `12 s`."""
    whole = max(0, round(seconds))
    for place, (unit, size) in enumerate(_UNITS):
        if whole >= size:
            count, rest = divmod(whole, size)
            smaller, small = _UNITS[min(place + 1, len(_UNITS) - 1)]
            more = f" {rest // small} {smaller}" if rest >= small and smaller != unit else ""
            return f"{count:,} {unit}{more}"
    return "0 s"


def line(standing: Standing) -> str:
    """Return all of it in one line of the log."""
    share = f" ({standing.done / standing.total:.0%})" if standing.total else ""
    parts = [
        f"{standing.done:,} of {standing.total:,} records{share}",
        f"{standing.rate:.1f} a second",
        *filter(None, (left(standing), outcomes(standing), paused(standing), browser(standing))),
        *filter(None, (waiting(standing),)),
    ]
    return "; ".join(parts)


def left(standing: Standing) -> str:
    """Return how long it will take, "" while nothing is known of that."""
    if standing.seconds_left is None or standing.done >= standing.total:
        return ""
    host = f" for {printable(standing.slowest)}" if standing.slowest else ""
    return f"about {duration(standing.seconds_left)} left{host}"


def outcomes(standing: Standing) -> str:
    """Return how many rows there are of each outcome, the most frequent first."""
    found = sorted(standing.outcomes.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{count:,} {name}" for name, count in found)


def paused(standing: Standing) -> str:
    """Return which hosts are left alone, why, and until when the first of them is."""
    if not standing.paused:
        return ""
    name, why, seconds = min(standing.paused, key=lambda each: each[2])
    more = f" and {len(standing.paused) - 1} more hosts" if len(standing.paused) > 1 else ""
    return f"paused: {printable(name)} for {duration(seconds)} ({why}){more}"


def browser(standing: Standing) -> str:
    """Return how many pages the browser has."""
    return f"in the browser: {standing.rendering} pages" if standing.rendering else ""


def waiting(standing: Standing) -> str:
    """Return what a crawl waits for that has written no row for long; "" while it goes on."""
    if standing.silent < STALLED or standing.done >= standing.total:
        return ""
    what = ", ".join(f"{count} {kind}" for kind, count in standing.waiting.items() if count)
    return f"no row for {duration(standing.silent)}, waiting for {what or 'nothing that is known'}"
