"""Values as people read them, on the terminal and on the page."""

from urlcrawler.printable import printable


def in_line(text: str, longest: int = 300) -> str:
    """Return *text* in one line, without what hides or turns around the rest of it."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def percent(share: float | None) -> str:
    """Return a share; only all of it is 100%, and only nothing is 0%."""
    if share is None:
        return "-"
    return f"{min(max(100 * share, 0.1), 99.9) if 0 < share < 1 else 100 * share:.1f}%"


def seconds(value: float | None) -> str:
    """Return seconds with as many digits as matter."""
    if value is None:
        return "-"
    return f"{value:.3g} s" if value < 100 else f"{value:,.0f} s"
