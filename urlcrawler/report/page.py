"""The report as one page that needs nothing else: no network, and no other file."""

from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from urlcrawler.exceptions import InvalidUrl
from urlcrawler.inputs.urls import parse_target
from urlcrawler.outcomes import OUTCOMES
from urlcrawler.report.figures import SHOWN_STATS, Figures
from urlcrawler.report.pictures import pictures
from urlcrawler.report.wording import in_line, percent, seconds


def page(figures: Figures) -> str:
    """Return the page in HTML.

    Whatever came from the web is escaped, and what nobody would see of it is written out.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                              lstrip_blocks=True)  # fmt: skip
    environment.filters |= {
        "shown": in_line, "link": link, "percent": percent, "count": count, "seconds": seconds
    }  # fmt: skip
    script = _text("page.js")
    return environment.from_string(_text("page.html.jinja")).render(
        figures=figures,
        # Ours, and the only markup that is not escaped; matplotlib has escaped the names in it.
        pictures=[
            (picture.title, picture.words, Markup(picture.svg))  # noqa: S704
            for picture in pictures(figures)
        ],
        style=Markup(_text("page.css")),  # noqa: S704
        script=Markup(script),  # noqa: S704
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
        meanings=OUTCOMES,
        stats={SHOWN_STATS[name]: value for name, value in figures.stats.items()},
        now=datetime.now(UTC).isoformat(sep=" ", timespec="minutes").removesuffix("+00:00"),
    )


def _text(name: str) -> str:
    return files("urlcrawler.report").joinpath(name).read_text(encoding="utf-8")


def link(url: str) -> str | None:
    """Return what a link to *url* leads to; None when it is no http or https URL."""
    try:
        return parse_target(url).url
    except InvalidUrl:
        return None


def count(number: float) -> str:
    """Return a number with its thousands set apart."""
    return f"{number:,}"
