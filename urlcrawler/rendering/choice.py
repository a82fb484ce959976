"""Which pages are to be rendered: what the user says, for all records or for one."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from urlcrawler.exceptions import ArgumentError
from urlcrawler.inputs.records import Record
from urlcrawler.rendering.found import find_browser

OFF, AUTO, ALWAYS = CHOICES = ("off", "auto", "always")
COLUMN = "render"  # of the list
_LOOKED_AT = 1000  # records, to see whether a column of that name is about rendering


def choice_of(record: Record, default: str) -> str:
    """Return the choice for *record*: that of its own column, if it has one, else *default*."""
    own = str(record.columns.get(COLUMN) or "").strip().lower()
    return own if own in CHOICES else default


def may_render(spider: Any, browser: str) -> bool:
    """Return whether any page of a crawl may be rendered; then see that it can be.

    Raises:
        ArgumentError: it cannot, and somebody has asked for it.
    """
    if spider.render == OFF and COLUMN not in spider.index.columns:
        return False
    first = range(1, min(len(spider.index), _LOOKED_AT) + 1)
    if any(choice_of(spider.index.record(at), spider.render) != OFF for at in first):
        check_browser(browser)  # else it is said of each page that wants one
    return True


def check_browser(browser: str) -> None:
    """See that pages can be rendered.

    Raises:
        ArgumentError: something is not installed, or RENDER_BROWSER names nothing.
    """
    if find_spec("scrapy_playwright") is None or find_spec("psutil") is None:
        raise ArgumentError(
            "argument `render`: needs scrapy-playwright. Type pip install 'urlcrawler[render]'"
        )
    if browser and not is_address(browser) and not Path(browser).is_file():
        raise ArgumentError(f"setting RENDER_BROWSER: no such file: {browser!r}")
    if not browser and not find_browser():
        raise ArgumentError(
            "argument `render`: there is no browser. Type apt install chromium-headless-shell "
            "(Debian, Ubuntu), or playwright install --only-shell chromium, or name one with "
            "-s RENDER_BROWSER=/path/to/chromium"
        )


def is_address(browser: str) -> bool:
    """Return whether RENDER_BROWSER is the address of one that runs already (CDP)."""
    return browser.startswith(("ws://", "wss://", "http://", "https://"))
