"""What a crawl of a list needs, whatever a spider's custom_settings or -s replace.

Scrapy takes ITEM_PIPELINES, EXTENSIONS and the like of a spider instead of the project's, so these
stand here and not in settings.py: a pipeline of somebody's own must not cost the rows of a table.
A component that is set to None on purpose stays off. Ordinary spiders keep Scrapy's own parts.
"""

from typing import Any

from scrapy.settings import SETTINGS_PRIORITIES, BaseSettings
from scrapy.utils.misc import load_object

from urlcrawler.divided import is_divided

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
        "urlcrawler.middlewares.render.Render": 50,  # has the answer when all others are done
        "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
        "urlcrawler.middlewares.decompression.Decompression": 590,
        "urlcrawler.middlewares.encoding.KnownEncoding": 588,  # before anybody reads the text
        # Sees bodies unpacked, and before a refresh in them is followed.
        "urlcrawler.middlewares.hostheaders.HostHeaders": 320,  # before the defaults are set
        "urlcrawler.middlewares.conditional.Conditional": 560,  # after Cookies and the like
        "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
        "urlcrawler.middlewares.backoff.Backoff": 585,
        "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
        "urlcrawler.middlewares.cookies.Cookies": 700,
        "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": None,
        "urlcrawler.middlewares.redirect.Redirect": 600,
        # Lists have no offsite: every record is wanted.
        "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
    },
    "SPIDER_MIDDLEWARES": {
        "urlcrawler.middlewares.start.Start": 0,  # outside of all others that handle start()
        # It would drop the record; URLLENGTH_LIMIT holds all the same, with a row.
        "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,
    },
    "ITEM_PIPELINES": {
        "urlcrawler.pipelines.Flatten": 1000,  # last: turns the Page into the flat row
    },
    "EXTENSIONS": {
        "urlcrawler.extensions.cleanlogs.CleanLogs": 0,
        "urlcrawler.extensions.watchdog.Watchdog": 0,
        "urlcrawler.extensions.leash.Leash": 0,
        "urlcrawler.extensions.statsfile.StatsFile": 30,  # the stats that all others have set
        "scrapy.extensions.logstats.LogStats": None,
        "urlcrawler.extensions.progress.Progress": 25,  # after Summary, which counts the rows
        "scrapy.extensions.throttle.AutoThrottle": None,
        "urlcrawler.extensions.throttle.HostThrottle": 0,
        "urlcrawler.extensions.loopthrottle.LoopThrottle": 0,
        "urlcrawler.extensions.usage.HostUsage": 1,  # its stats stand before Summary reads them
        "urlcrawler.extensions.guards.Guards": 5,  # before Accounting, which takes up what it says
        "urlcrawler.extensions.accounting.Accounting": 10,
        "urlcrawler.extensions.feedcheck.FeedCheck": 15,  # it asks the ledger that Accounting keeps
        "urlcrawler.extensions.gates.Gates": 21,  # its verdict is the last line
        "urlcrawler.extensions.summary.Summary": 20,  # it tells what the two have found
    },
}
_SINGLE: dict[str, dict[str, int | None]] = {
    "DOWNLOADER_MIDDLEWARES": {
        name: _COMPONENTS["DOWNLOADER_MIDDLEWARES"][name]
        for name in (
            "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware",
            "urlcrawler.middlewares.encoding.KnownEncoding",
            "urlcrawler.middlewares.hostheaders.HostHeaders",
        )
    },
    "ITEM_PIPELINES": _COMPONENTS["ITEM_PIPELINES"],
}
# A list, or a redirect, must never read a file of this machine; connections are looked at.
HANDLERS: dict[str, str | None] = {
    "http": "urlcrawler.handlers.aiohttp.AiohttpHandler",
    "https": "urlcrawler.handlers.aiohttp.AiohttpHandler",
    "data": None,
    "file": None,
    "ftp": None,
    "s3": None,
}
_SCHEDULERS = {
    False: "urlcrawler.processes.scheduler.ShardScheduler",
    True: "urlcrawler.processes.cluster.ClusterScheduler",
}


def wire(settings: BaseSettings) -> None:
    """Set what a list spider needs, before any component is built."""
    for name, value in _SETTINGS.items():
        set_above(settings, name, value)
    if is_divided(settings):
        set_above(settings, "SCHEDULER", _SCHEDULERS[bool(settings["CLUSTER_SCHEDULER"])])
    for name, components in _COMPONENTS.items():
        for path, order in components.items():
            settings.setdefault_in_component_priority_dict(name, load_object(path), order)
        set_above(settings, name, settings.getdict(name))
    _wire_requests(settings)


def wire_single(settings: BaseSettings) -> None:
    """Set what a list spider needs whose single pages one of Scrapy's tools looks at.

    Pages are fetched and read as a crawl does it; there is no list, no table and no report.
    """
    set_above(settings, "HTTPERROR_ALLOW_ALL", True)
    if (settings.getpriority("FEEDS") or 0) < SETTINGS_PRIORITIES["cmdline"]:
        set_above(settings, "FEEDS", {})  # those of the spider would be opened, and stay empty
    for name, components in _SINGLE.items():
        for path, order in components.items():
            settings.setdefault_in_component_priority_dict(name, load_object(path), order)
        set_above(settings, name, settings.getdict(name))
    _wire_requests(settings)


def _wire_requests(settings: BaseSettings) -> None:
    set_above(settings, "DOWNLOAD_HANDLERS", HANDLERS | dict(settings.getdict("DOWNLOAD_HANDLERS")))
    if contact := settings.get("USER_AGENT_CONTACT"):
        set_above(settings, "USER_AGENT", f"{settings['USER_AGENT']} (+{contact})")


def set_above(settings: BaseSettings, name: str, value: Any) -> None:
    """Set *name* one above the priority that it has.

    `scrapy crawl` merges the settings of the process into those of the crawler once more, and of
    two equal priorities the process's wins.
    """
    settings.set(name, value, priority=(settings.getpriority(name) or 0) + 1)
