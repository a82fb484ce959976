"""Which pages are to be rendered: what the user says, for all records or for one."""

import logging
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from urlcrawler.exceptions import ArgumentError, ListError
from urlcrawler.inputs.records import Record
from urlcrawler.rendering.found import find_browser

logger = logging.getLogger(__name__)

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
        ListError: the column says something that is no choice.
    """
    has_column = COLUMN in spider.index.columns and _is_about_rendering(spider)
    if spider.render == OFF and not has_column:
        if "render_wait_for" in spider.given:
            raise ArgumentError(
                "argument `render_wait_for`: no page is rendered. Add -a render=auto"
            )
        return False
    if any(choice_of(record, spider.render) != OFF for record in _first_of(spider)):
        check_browser(browser)  # else it is said of each page that wants one
    return True


def _is_about_rendering(spider: Any) -> bool:
    """Return whether the column of that name has choices, as far as that is looked at."""
    strange: tuple[int, str] | None = None
    has_choice = is_empty = False
    for record in _first_of(spider):
        said = str(record.columns.get(COLUMN) or "").strip()
        has_choice |= said.lower() in CHOICES
        is_empty |= not said
        if said and said.lower() not in CHOICES and not strange:
            strange = record.position, said
    if strange and has_choice:
        raise ListError(
            f"{spider.source.label}: record {strange[0]}: the column `{COLUMN}` must be "
            f"{' or '.join(CHOICES)}, or empty, not {strange[1]!r}"
        )
    if strange:
        logger.warning(
            "the column `%(column)s` has no off, auto or always, but %(said)r: nothing is "
            "rendered because of it",
            {"column": COLUMN, "said": strange[1]},
        )
    return has_choice or is_empty


def _first_of(spider: Any) -> Iterator[Record]:
    for position in range(1, min(len(spider.index), _LOOKED_AT) + 1):
        yield spider.index.record(position)


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
