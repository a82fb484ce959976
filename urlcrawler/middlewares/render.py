"""Pages that need JavaScript: fetched first, as all others are, and rendered second."""

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest, NotConfigured
from scrapy.http import HtmlResponse, Response
from scrapy.utils.datatypes import LocalCache
from scrapy.utils.httpobj import urlparse_cached

from urlcrawler.extract.document import Document
from urlcrawler.extract.parsing import TooComplexError
from urlcrawler.extract.scripted import has_script, why_render
from urlcrawler.inputs.records import Record
from urlcrawler.inputs.urls import origin_of
from urlcrawler.meta import PLAIN, RECORD, RENDER_ERROR, RENDER_FLAGS, RENDERED
from urlcrawler.rendering.choice import AUTO, OFF, choice_of
from urlcrawler.rendering.gate import Gate

if TYPE_CHECKING:
    from urlcrawler.rendering.browsers import Browsers

logger = logging.getLogger(__name__)

MOST_IN_VAIN = 3  # pages of a host in a row that say no more after they were rendered
_MOST_KNOWN = 65_536  # hosts of which that is remembered
_FLAGS = ("dont_redirect", "dont_cache")  # it is no answer of the server's, on its way back
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
        self._gate = Gate(crawler)

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
            response, problem = await self._rendered(request, plain)
        except _NotRenderedError as error:
            self._count("failed")
            request.meta[RENDERED], request.meta[RENDER_ERROR] = False, str(error)
            return plain
        self._count("pages")
        request.meta[RENDERED] = True
        if problem:
            request.meta[RENDER_ERROR] = problem
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
        if choice == AUTO and (self._is_in_vain(response) or not await self._why(response)):
            return response
        flags = {flag: True for flag in _FLAGS if flag not in request.meta}
        return request.replace(
            dont_filter=True,
            meta={**request.meta, **flags, PLAIN: response, RENDER_FLAGS: tuple(flags)},
        )

    async def _why(self, response: Response) -> str | None:
        """Return why a browser is to look at *response*; None when it need not."""
        try:
            async with self._spider.parser.parsed(response, self._evidence) as why:
                return cast("str | None", why)
        except TooComplexError:
            return None

    def _evidence(self, response: Response) -> str | None:
        document, fields = Document(response), self._spider.extractor.fields
        if not has_script(document):
            return None  # whatever it lacks; the fields need not be looked for
        matches = fields.of(document).matches
        missing = [name for name, count in matches.items() if not count]
        return why_render(document, missing if matches else None)

    def _is_in_vain(self, response: Response) -> bool:
        return self._in_vain.get(_host(response), 0) >= MOST_IN_VAIN

    async def _learn(self, plain: Response, response: Response) -> None:
        """Note whether rendering has brought anything on this host."""
        host = _host(plain)
        if self._is_in_vain(plain):
            return
        before, after = await self._why(plain), await self._why(response)
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

    async def _rendered(self, request: Request, plain: Response) -> tuple[Response, str | None]:
        """Return the page as the browser has it, and why it may not be complete.

        Raises:
            _NotRenderedError: with a sentence.
        """
        from playwright.async_api import Error

        from urlcrawler.rendering.browsers import Browsers
        from urlcrawler.rendering.running import BrowserGoneError

        if self._browsers is None:
            self._browsers = Browsers(self.crawler.settings, partial(self._count, "browsers"))
        agent = (request.headers.get("User-Agent") or b"").decode("latin-1")
        problems: list[BrowserGoneError] = []
        while len(problems) < _MOST_TRIES and sum(p.may_be_its_own for p in problems) < _TRIES:
            try:
                rendered = await self._browsers.run(
                    partial(self._in_tab, request, plain),
                    self._seconds,
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
                is_web = rendered.url.startswith(("http://", "https://"))
                response = HtmlResponse(
                    rendered.url if is_web else plain.url, plain.status, headers,
                    rendered.html.encode("utf-8", "replace"), encoding="utf-8",
                    ip_address=plain.ip_address, protocol=plain.protocol,
                )  # fmt: skip
                return response, rendered.problem
        raise _NotRenderedError(str(problems[-1]))

    async def _in_tab(self, request: Request, plain: Response, context: Any) -> Any:
        from urlcrawler.rendering.tab import LONGEST, Tab

        fetch = partial(self._fetch, request)
        tab = Tab(context, plain, fetch, min(LONGEST, self._seconds / 2))
        return await tab.render(self._wait_for)

    async def _fetch(self, page: Request, asked: Any) -> Response | None:
        """Return the answer to what a page has asked for; None when it is not to be had."""
        self._count("requests")
        try:
            headers = await asked.all_headers()
            secret = page.headers.get("Authorization")
            if secret and origin_of(asked.url) == origin_of(page.url):
                headers["authorization"] = secret.decode("latin-1")
            request = Request(
                asked.url,
                method=asked.method,
                headers=headers,
                body=asked.post_data_buffer or b"",
                dont_filter=True,
                meta={"dont_retry": True, "download_timeout": self._seconds},
            )
            async with self._gate.passed(request) as told:
                engine: Any = self.crawler.engine
                response: Response = await engine.download_async(request)
                told(response)
                return response
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
    return urlparse_cached(response).hostname or ""
