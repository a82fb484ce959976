"""From a page as it was fetched to the page as a browser has it."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from playwright.async_api import BrowserContext, Error
from playwright.async_api import Request as Asked
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import HtmlResponse, Response

from urlcrawler.exceptions import NotRendered
from urlcrawler.inputs.urls import origin_of
from urlcrawler.meta import RECORD
from urlcrawler.rendering.browsers import Browsers
from urlcrawler.rendering.running import BrowserGoneError
from urlcrawler.rendering.shared import Shared
from urlcrawler.rendering.tab import LONGEST, Rendered, Tab

logger = logging.getLogger(__name__)

_TRIES, _MOST_TRIES = 2, 5  # of one page of which the browser may have gone, or of another one


class Renderer:
    """Has pages rendered, each in a tab of its own.

    What else a page asks for is downloaded by the crawl itself: with its guard against private
    addresses, its robots.txt, its limits for each host. The browser has no network of its own.
    """

    def __init__(self, crawler: Crawler, wait_for: str, count: Callable[[str], None]) -> None:
        """Start nothing.

        Args:
            wait_for: a CSS selector, see `Tab.render`.
            count: called with what there is one more of: browsers, requests, forbidden.
        """
        self._crawler = crawler
        self._wait_for = wait_for
        self._count = count
        self._seconds = crawler.settings.getfloat("RENDER_TIMEOUT")
        self._largest = crawler.settings.getint("DOWNLOAD_MAXSIZE")
        self._memory = crawler.settings.getint("RENDER_MEMORY_MB")
        self._shared = Shared(crawler.settings)
        self._browsers = Browsers(crawler.settings, partial(count, "browsers"))

    async def close(self) -> None:
        """End the browser."""
        await self._browsers.close()

    async def rendered(self, request: Request, plain: Response) -> tuple[Response, str | None]:
        """Return the page as the browser has it, and why it may not be complete.

        Raises:
            NotRendered: with a sentence.
        """
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
                raise NotRendered(why) from None
            except BrowserGoneError as error:
                problems.append(error)
            except NotRendered:
                raise
            except Error as error:
                raise NotRendered(self._why(error)) from error
            except Exception as error:  # what no test has thought of costs no page
                logger.exception("%(url)s could not be rendered", {"url": plain.url})
                raise NotRendered(f"{type(error).__name__}: {error}") from error
            else:
                return _response(plain, rendered), rendered.problem
        raise NotRendered(str(problems[-1]))

    def _why(self, error: Error) -> str:
        if "crashed" in error.message:
            return f"the page has crashed, or had over {self._memory} MB (RENDER_MEMORY_MB)"
        return error.message.splitlines()[0]

    async def _in_tab(self, request: Request, plain: Response, context: BrowserContext) -> Rendered:
        fetch = partial(self._fetch, request)
        tab = Tab(context, plain, fetch, min(LONGEST, self._seconds / 2))
        fragment = request.meta[RECORD].url.partition("#")[2]  # no server hears of it
        return await tab.render(fragment, self._wait_for, self._largest)

    async def _fetch(self, page: Request, asked: Asked) -> Response | None:
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
            return await self._shared.answer(request, asked.resource_type, self._download)
        except IgnoreRequest:
            self._count("forbidden")
        except Exception as error:
            logger.debug("%(url)s: %(error)r", {"url": asked.url, "error": error})
        return None

    async def _download(self, request: Request) -> Response:
        engine: Any = self._crawler.engine
        response: Response = await engine.download_async(request)
        return response


def _response(plain: Response, rendered: Rendered) -> HtmlResponse:
    headers = plain.headers.copy()
    headers["Content-Type"] = b"text/html; charset=utf-8"
    is_web = rendered.url.startswith(("http://", "https://"))
    return HtmlResponse(
        rendered.url if is_web else plain.url, plain.status, headers,
        rendered.html.encode("utf-8", "replace"), encoding="utf-8",
        ip_address=plain.ip_address, protocol=plain.protocol,
    )  # fmt: skip
