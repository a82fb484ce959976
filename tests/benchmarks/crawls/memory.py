"""A server that takes nothing: each page comes from the memory of the process that asks.

What is left is what the processes themselves do, as if the server were on another machine.
"""

from __future__ import annotations

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import HtmlResponse, Response

from urlcrawler.demo.pages import product

PAGE = product("/page/1", 20_000)


class MemoryHandler:
    """Answer at once."""

    lazy = False
    page = PAGE

    def __init__(self, crawler: Crawler) -> None:
        pass

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> MemoryHandler:
        """Build it."""
        return cls(crawler)

    async def download_request(self, request: Request) -> Response:
        """Return the page, or that there is no robots.txt."""
        request.meta["download_latency"] = 0.001
        if request.url.endswith("/robots.txt"):
            return Response(request.url, status=404)
        headers = {"Content-Type": "text/html; charset=utf-8"}
        return HtmlResponse(request.url, body=self.page, headers=headers, protocol="HTTP/1.1")

    async def close(self) -> None:
        """Do nothing."""


class ScriptedHandler(MemoryHandler):
    """The same page, with a script."""

    page = PAGE.replace(b"</body>", b"<script>window.counted = 1</script></body>")
    assert page != PAGE
