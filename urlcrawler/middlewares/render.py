"""Pages that need JavaScript: fetched first, as all others are, and rendered second."""

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import HtmlResponse, Response
from scrapy.utils.datatypes import LocalCache
from scrapy.utils.httpobj import urlparse_cached

from urlcrawler.divided import is_divided
from urlcrawler.exceptions import NotRendered
from urlcrawler.inputs.records import Record
from urlcrawler.meta import FETCHED, PLAIN, RECORD, RENDER_ERROR, RENDER_FLAGS, RENDER_WHY, RENDERED
from urlcrawler.rendering.choice import AUTO, OFF, choice_of

if TYPE_CHECKING:
    from urlcrawler.rendering.renderer import Renderer

logger = logging.getLogger(__name__)

MOST_IN_VAIN = 3  # pages of a host in a row that say no more after they were rendered
_MOST_KNOWN = 65_536  # hosts of which that is remembered
_FLAGS = ("dont_redirect", "dont_cache")  # it is no answer of the server's, on its way back


class Render:
    """Decide which pages need the browser, and let it have them, one by one.

    A page that does is a request once more, which waits at the scheduler for a tab and not in the
    downloader; it carries the answer, and the browser gets that.

    Stats: `render/*`.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._spider: Any = crawler.spider
        self._in_vain = LocalCache[str, int](_MOST_KNOWN)
        self._started: Renderer | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Render":
        """Build the middleware; nothing is started, or imported, before a page needs it."""
        spider: Any = crawler.spider
        if not getattr(spider, "may_render", False) or is_divided(crawler.settings):
            raise NotConfigured  # without a word: nobody has asked for it
        render = cls(crawler)
        crawler.signals.connect(render.close, signals.engine_stopped)
        return render

    async def close(self) -> None:
        """End the browser."""
        if self._started:
            await self._started.close()

    async def process_request(self, request: Request) -> Response | None:
        """Return the page of a request that has come to its turn with a tab."""
        if PLAIN not in request.meta:
            return None
        plain: Response = request.meta[PLAIN]
        is_auto = choice_of(request.meta[RECORD], self._spider.render) == AUTO
        if is_auto and self._is_in_vain(plain):  # since it has waited
            return plain
        try:
            response, problem = await self._renderer.rendered(request, plain)
        except NotRendered as error:
            self._count("failed")
            request.meta[RENDERED], request.meta[RENDER_ERROR] = False, str(error)
            return plain
        self._count("pages")
        request.meta[RENDERED] = True
        if problem:
            request.meta[RENDER_ERROR] = problem
        if is_auto:
            await self._learn(request.meta[RENDER_WHY], response)
        return response

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        """Return *response*, or a request that waits for a tab."""
        record = request.meta.get(RECORD)
        if PLAIN in request.meta or not isinstance(record, Record):
            return response
        choice = choice_of(record, self._spider.render)
        if choice == OFF or not _is_page(request, response):
            return response
        request.meta[RENDERED] = False
        why = None
        if choice == AUTO:
            if self._is_in_vain(response):
                return response
            why = await self._spider.reader.why_render(response)
            if not why:
                return response
        flags = {flag: True for flag in _FLAGS if flag not in request.meta}
        more = {**flags, PLAIN: response, RENDER_WHY: why, RENDER_FLAGS: tuple(flags)}
        more[FETCHED] = datetime.now(UTC)
        return request.replace(dont_filter=True, meta={**request.meta, **more})

    @property
    def _renderer(self) -> "Renderer":
        if self._started is None:
            # Not before: playwright takes a quarter of a second to import.
            from urlcrawler.rendering.renderer import Renderer

            wait_for = self._spider.given.get("render_wait_for", "")
            self._started = Renderer(self.crawler, wait_for, self._count)
        return self._started

    def _is_in_vain(self, response: Response) -> bool:
        return self._in_vain.get(_host(response), 0) >= MOST_IN_VAIN

    async def _learn(self, before: str | None, response: Response) -> None:
        """Note whether rendering has brought anything on this host."""
        after = await self._spider.reader.why_render(response, is_rendered=True)
        if self._is_in_vain(response):
            return  # another tab has found that out meanwhile
        host = _host(response)
        if before != after:
            self._in_vain.pop(host, None)
            return
        self._in_vain[host] = self._in_vain.get(host, 0) + 1
        if self._in_vain[host] == MOST_IN_VAIN:
            logger.info(
                "%(host)s: pages say no more after they were rendered (%(why)s), so its others are "
                "not. Type -a render=always if they are to be",
                {"host": host, "why": after},
            )

    def _count(self, what: str) -> None:
        stats: Any = self.crawler.stats
        stats.inc_value(f"render/{what}")


def _is_page(request: Request, response: Response) -> bool:
    is_well = 200 <= response.status < 300 and request.method == "GET"
    return is_well and isinstance(response, HtmlResponse) and bool(response.body)


def _host(response: Response) -> str:
    return urlparse_cached(response).hostname or ""
