"""What a crawl of a list needs, whatever a spider's custom_settings or -s replace.

Scrapy takes ITEM_PIPELINES, EXTENSIONS and the like of a spider instead of the project's, so these
stand here and not in settings.py: a pipeline of somebody's own must not cost the rows of a table.
A component that is set to None on purpose stays off. Ordinary spiders keep Scrapy's own parts.
"""

from typing import Any

from scrapy.settings import BaseSettings
from scrapy.utils.misc import load_object

from urlcrawler.exceptions import ArgumentError

_SETTINGS = {
    # Gives out the records, host by host, exactly when the engine has room.
    "SCHEDULER": "urlcrawler.scheduler.ListScheduler",
    "DOWNLOADER": "urlcrawler.downloader.ListDownloader",
    # Every status is an answer that belongs into the row; the errback would lose it.
    "HTTPERROR_ALLOW_ALL": True,
}
_COMPONENTS: dict[str, dict[str, int | None]] = {
    "DOWNLOADER_MIDDLEWARES": {
        # Each in its ancestor's place.
        "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
        "urlcrawler.middlewares.robots.Robots": 100,
        "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": None,
        "urlcrawler.middlewares.redirect.Redirect": 600,
        # Lists have no offsite: every record is wanted.
        "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
    },
    "SPIDER_MIDDLEWARES": {
        "urlcrawler.middlewares.start.Start": 0,  # outside of all others that handle start()
        # A record with a URL longer than 2083 is wanted too.
        "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,
    },
    "ITEM_PIPELINES": {
        "urlcrawler.pipelines.Flatten": 1000,  # last: turns the Page into the flat row
    },
    "EXTENSIONS": {
        "urlcrawler.extensions.guards.Guards": 5,  # before Accounting, which takes up what it says
        "urlcrawler.extensions.accounting.Accounting": 10,
        "urlcrawler.extensions.feedcheck.FeedCheck": 15,  # it asks the ledger that Accounting keeps
        "urlcrawler.extensions.summary.Summary": 20,  # it tells what the two have found
    },
}
_BOOLEANS = ("SORT_TABLE", "CSV_FORMULAS")
_AT_LEAST = {
    "CONCURRENT_REQUESTS": 0,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
    "DOWNLOAD_TIMEOUT": 1,
    "COMPONENT_TIMEOUT": 0.001,
}


def wire(settings: BaseSettings) -> None:
    """Set what a list spider needs, before any component is built."""
    for name, value in _SETTINGS.items():
        _set(settings, name, value)
    for name, components in _COMPONENTS.items():
        for path, order in components.items():
            settings.setdefault_in_component_priority_dict(name, load_object(path), order)
        _set(settings, name, settings.getdict(name))
    if contact := settings.get("USER_AGENT_CONTACT"):
        _set(settings, "USER_AGENT", f"{settings['USER_AGENT']} (+{contact})")


def _set(settings: BaseSettings, name: str, value: Any) -> None:
    """Set *name* one above the priority that it has.

    `scrapy crawl` merges the settings of the process into those of the crawler once more, and of
    two equal priorities the process's wins.
    """
    settings.set(name, value, priority=(settings.getpriority(name) or 0) + 1)


def check_values(settings: BaseSettings) -> None:
    """Refuse values with which nothing would ever be requested or written.

    Raises:
        ArgumentError: a setting is no number, or too small, or neither true nor false.
    """
    for name in _BOOLEANS:
        try:
            settings.getbool(name)
        except ValueError as error:
            raise ArgumentError(
                f"setting {name}: must be 1 or 0, not {settings[name]!r}"
            ) from error
    for name, least in _AT_LEAST.items():
        try:
            fits = float(settings[name]) >= least
        except (TypeError, ValueError):
            fits = False
        if not fits:
            raise ArgumentError(
                f"setting {name}: must be a number from {least} on, not {settings[name]!r}"
            )
