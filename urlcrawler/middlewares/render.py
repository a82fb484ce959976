"""Pages that need JavaScript: fetched first, as all others are, and rendered second."""

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest, NotConfigured
from scrapy.http import HtmlResponse, Response
from scrapy.utils.datatypes import LocalCache

from urlcrawler.extract.document import Document
from urlcrawler.extract.parsing import TooComplexError
from urlcrawler.extract.scripted import why_render
from urlcrawler.inputs.records import Record
from urlcrawler.meta import PLAIN, RECORD, RENDER_ERROR, RENDERED
from urlcrawler.rendering.choice import AUTO, OFF, choice_of

if TYPE_CHECKING:
    from urlcrawler.rendering.browsers import Browsers

logger = logging.getLogger(__name__)

MOST_IN_VAIN = 3  # pages of a host in a row that say no more after they were rendered
_MOST_KNOWN = 65_536  # hosts of which that is remembered
_TRIES, _MOST_TRIES = 2, 5  # of one page of which the browser may have gone, or of another one


class Render:
    """Decide which pages need the browser, and let it have them, one by one.

    A page that does is a request once more, which waits at the scheduler for a tab and not in the
    downloader; it carries the answer, and the browser gets that. What else the page asks for is
    downloaded by the crawl itself: with its guard against private addresses, its robots.txt, its
    limits for each host. The browser has no network of its own.

    Stats: `render/*`.
    """

    def __init__(self, crawler: Crawler) -> None:
        spider: Any = crawler.spider
        settings = crawler.settings
        self.crawler = crawler
        self._spider = spider
        self._wait_for: str = spider.given.get("render_wait_for", "")
        self._seconds = settings.getfloat("RENDER_TIMEOUT")
        self._in_vain = LocalCache[str, int](_MOST_KNOWN)
        self._browsers: Browsers | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Render":
        """Build the middleware; nothing is started, or imported, before a page needs it."""
        spider: Any = crawler.spider
        if not getattr(spider, "may_render", False) or crawler.settings.getint("PROCESSES") > 1:
            raise NotConfigured  # without a word: nobody has asked for it
        render = cls(crawler)
        crawler.signals.connect(render.close, signals.engine_stopped)
        return render

    async def close(self) -> None:
        """End the browser."""
        if self._browsers:
            await self._browsers.close()

    async def process_request(self, request: Request) -> Response | None:
        """Return the page of a request that has come to its turn with a tab."""
        if PLAIN not in request.meta:
            return None
        plain: Response = request.meta[PLAIN]
        choice = choice_of(request.meta[RECORD], self._spider.render)
        if choice == AUTO and self._is_in_vain(plain):  # since it has waited
            return plain
        try:
            response = await self._rendered(request, plain)
        except _NotRenderedError as error:
            self._count("failed")
            request.meta[RENDERED], request.meta[RENDER_ERROR] = False, str(error)
            return plain
        self._count("pages")
        request.meta[RENDERED] = True
        if choice == AUTO:
            await self._learn(plain, response)
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
        if choice == AUTO and not await self._why(response):
            return response
        return request.replace(
            dont_filter=True,
            meta={**request.meta, PLAIN: response, "dont_redirect": True, "dont_cache": True},
        )

    async def _why(self, response: Response) -> str | None:
        """Return why a browser is to look at *response*; None when it need not."""
        if self._is_in_vain(response):
            return None
        try:
            async with self._spider.parser.parsed(response, self._evidence) as why:
                return cast("str | None", why)
        except TooComplexError:
            return None

    def _evidence(self, response: Response) -> str | None:
        document, fields = Document(response), self._spider.extractor.fields
        matches = fields.of(document).matches
        missing = [name for name, count in matches.items() if not count]
        return why_render(document, missing if matches else None)

    def _is_in_vain(self, response: Response) -> bool:
        return self._in_vain.get(_host(response)) == MOST_IN_VAIN

    async def _learn(self, plain: Response, response: Response) -> None:
        """Note whether rendering has brought anything on this host."""
        before, after, host = await self._why(plain), await self._why(response), _host(plain)
        if before is None or before != after:
            self._in_vain.pop(host, None)
            return
        self._in_vain[host] = self._in_vain.get(host, 0) + 1
        if self._in_vain[host] == MOST_IN_VAIN:
            logger.info(
                "%(host)s: pages say no more after they were rendered (%(why)s), so its others are "
                "not. Type -a render=always if they are to be",
                {"host": host, "why": after},
            )

    async def _rendered(self, request: Request, plain: Response) -> Response:
        """Return the page as the browser has it.

        Raises:
            _NotRenderedError: with a sentence.
        """
        from playwright.async_api import Error

        from urlcrawler.rendering.browsers import BrowserGoneError, Browsers

        if self._browsers is None:
            self._browsers = Browsers(self.crawler.settings, partial(self._count, "browsers"))
        agent = (request.headers.get("User-Agent") or b"").decode("latin-1")
        problems: list[BrowserGoneError] = []
        while len(problems) < _MOST_TRIES and sum(p.may_be_its_own for p in problems) < _TRIES:
            try:
                async with asyncio.timeout(self._seconds):
                    html = await self._browsers.run(
                        partial(self._in_tab, plain),
                        user_agent=agent,
                        service_workers="block",
                        accept_downloads=False,
                    )
            except TimeoutError:
                why = f"the page was not complete after {self._seconds:g} s (RENDER_TIMEOUT)"
                raise _NotRenderedError(why) from None
            except BrowserGoneError as error:
                problems.append(error)
            except Error as error:
                raise _NotRenderedError(error.message.splitlines()[0]) from error
            else:
                headers = plain.headers.copy()
                headers["Content-Type"] = b"text/html; charset=utf-8"
                return HtmlResponse(
                    plain.url, plain.status, headers, html.encode("utf-8", "replace"),
                    encoding="utf-8", ip_address=plain.ip_address, protocol=plain.protocol,
                )  # fmt: skip
        raise _NotRenderedError(str(problems[-1]))

    async def _in_tab(self, plain: Response, context: Any) -> str:
        from urlcrawler.rendering.tab import LONGEST, Tab

        tab = Tab(context, plain, self._fetch, min(LONGEST, self._seconds / 2))
        return await tab.render(self._wait_for)

    async def _fetch(self, asked: Any) -> Response | None:
        """Return the answer to what a page has asked for; None when it is not to be had."""
        self._count("requests")
        try:
            request = Request(
                asked.url,
                method=asked.method,
                headers=await asked.all_headers(),
                body=asked.post_data_buffer or b"",
                dont_filter=True,
                meta={"dont_retry": True, "download_timeout": self._seconds},
            )
            return await cast("Any", self.crawler.engine).download_async(request)  # type: ignore[no-any-return]
        except IgnoreRequest:
            self._count("forbidden")
        except Exception as error:
            logger.debug("%(url)s: %(error)r", {"url": asked.url, "error": error})
        return None

    def _count(self, what: str) -> None:
        cast("Any", self.crawler.stats).inc_value(f"render/{what}")


class _NotRenderedError(Exception):
    """Says why a page stays as it was fetched."""


def _is_page(request: Request, response: Response) -> bool:
    is_well = 200 <= response.status < 300 and request.method == "GET"
    return is_well and isinstance(response, HtmlResponse) and bool(response.body)


def _host(response: Response) -> str:
    return Document(response).host
