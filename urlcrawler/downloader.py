"""Tells the scheduler when a host has room again.

Why this is a downloader: no signal of Scrapy's fires exactly once for every request that the
scheduler gave out. `request_left_downloader` misses those that end in a middleware (robots.txt, a
cached response), and middlewares miss those that end in an exception of another middleware.
`fetch` is the one place that each of them passes, both ways. `tests/test_downloader.py` fails
when Scrapy changes that.
"""

from typing import Any

from scrapy import Request
from scrapy.core.downloader import Downloader
from scrapy.http import Response
from twisted.internet.defer import Deferred


class ListDownloader(Downloader):
    """Fetch as Scrapy does, and note the end of each request at the scheduler."""

    def fetch(self, request: Request) -> "Deferred[Response | Request]":  # type: ignore[override]
        """Return what the download and its middlewares make of *request*."""
        scheduler: Any = self.crawler.engine.scheduler

        def finished(result: Any) -> Any:
            scheduler.finished(request)
            return result

        fetched: Deferred[Response | Request] = super().fetch(request)
        return fetched.addBoth(finished)
