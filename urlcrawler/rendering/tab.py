"""One page in the browser: from the answer that the crawl has to the page as people see it."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, NamedTuple
from urllib.parse import urldefrag

from playwright.async_api import BrowserContext, Dialog, Error, Page, Request, Route, WebSocketRoute
from scrapy.http import Response

from urlcrawler.exceptions import NotRendered

QUIET = 0.3  # seconds without a request and without a change, after which a page is complete
LONGEST = 10.0  # seconds after which one that never comes to rest is taken as it is
MOST_NAVIGATIONS = 3  # of one page, by itself
MOST_REQUESTS = 300  # of one page: scripts, styles, data
_PAUSE = 0.05  # seconds between two looks
_UNSEEN = frozenset({"image", "media", "font"})
# Headers that are about the body as it came.
_OF_THE_WIRE = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection"})
_WATCH = """
(() => {
    let changed = performance.now();
    const watch = () => new MutationObserver(() => { changed = performance.now(); }).observe(
        document, {subtree: true, childList: true, characterData: true, attributes: true});
    Object.defineProperty(window, "__quiet", {value: () => performance.now() - changed});
    watch();
})();
"""
_LOOK = """
(selector) => ({
    quiet: typeof window.__quiet === "function" ? window.__quiet() : 0,
    complete: document.readyState === "complete",
    found: Boolean(selector && document.querySelector(selector)),
})
"""

Fetch = Callable[[Request], Awaitable[Response | None]]


class Rendered(NamedTuple):
    """A page as the browser has it.

    Attributes:
        html: of it.
        url: where it is; a script may have left what it was loaded from.
        problem: why it may not be complete.
    """

    html: str
    url: str
    problem: str | None


class Tab:
    """A page that is loaded from an answer, in a context of its own.

    Attributes:
        requests: how many others it has asked for.
    """

    def __init__(
        self, context: BrowserContext, plain: Response, fetch: Fetch, longest: float = LONGEST
    ) -> None:
        """Hand *plain* to the page as the answer to its own request.

        Args:
            longest: seconds after which it is taken as it is.
            fetch: returns the answer to any other; None when it must not be asked for.
        """
        self._context = context
        self._plain = plain
        self._fetch = fetch
        self._longest = longest
        self._page: Page | None = None
        self._under_way = 0
        self._busy_at = 0.0
        self._navigations = 0
        self._has_crashed = False
        self.requests = 0

    async def render(self, fragment: str, wait_for: str, largest: int) -> Rendered:
        """Return the page when it has come to rest, or has what is waited for.

        Args:
            fragment: of the URL, for the page to read.
            wait_for: a CSS selector; "" for the page to come to rest.
            largest: characters that it may have; 0 for any number.

        Raises:
            Error: the page, or the browser, has crashed.
            NotRendered: it has more.
        """
        await self._context.add_init_script(_WATCH)
        await self._context.route("**/*", self._route)
        await self._context.route_web_socket("**/*", _refuse)  # past the crawl
        self._page = page = await self._context.new_page()
        self._context.on("page", _close)  # popups
        page.on("dialog", _dismiss)
        page.on("crash", self._crashed)
        url = urldefrag(self._plain.url).url + (f"#{fragment}" if fragment else "")
        await page.goto(url, wait_until="commit", timeout=0)
        problem = await self._rest(page, wait_for)
        size = await page.evaluate("document.documentElement?.outerHTML.length ?? 0")
        if largest and size > largest:
            raise NotRendered(
                f"the page has {size} characters after it was rendered, more than {largest} "
                "(DOWNLOAD_MAXSIZE)"
            )
        return Rendered(await page.content(), page.url, problem)

    async def _rest(self, page: Page, wait_for: str) -> str | None:
        began = self._busy_at = monotonic()
        while (now := monotonic()) - began < self._longest:
            await asyncio.sleep(_PAUSE)
            try:
                state: dict[str, Any] = await page.evaluate(_LOOK, wait_for)
            except Error:
                if page.is_closed() or self._has_crashed:
                    raise
                continue  # it goes to another page right now
            if wait_for:
                if state["found"]:
                    return None
                continue
            is_quiet = state["quiet"] >= QUIET * 1000 and now - self._busy_at >= QUIET
            if state["complete"] and is_quiet and not self._under_way:
                return None
        what = f"had no {wait_for}" if wait_for else "was not at rest"
        return f"the page {what} after {self._longest:g} s, and was taken as it was"

    def _crashed(self, page: Page) -> None:
        self._has_crashed = True

    async def _route(self, route: Route, request: Request) -> None:
        self._under_way += 1
        try:
            await self._answer(route, request)
        except Error:
            pass  # the page is gone, or has changed its mind
        finally:
            self._under_way -= 1
            self._busy_at = monotonic()

    async def _answer(self, route: Route, request: Request) -> None:
        if request.frame.page is not self._page or request.resource_type in _UNSEEN:
            await route.abort()  # a popup, or what no field is taken from
            return
        if request.is_navigation_request() and request.frame.parent_frame is None:
            self._navigations += 1
            if self._navigations > MOST_NAVIGATIONS:
                await route.abort("aborted")  # it stays where it is
                return
            if urldefrag(request.url).url == urldefrag(self._plain.url).url:
                await route.fulfill(**_answer_of(self._plain))
                return
        self.requests += 1
        if self.requests > MOST_REQUESTS:
            await route.abort()
            return
        answer = await self._fetch(request)
        if answer is None:
            await route.abort("blockedbyclient")
        else:
            await route.fulfill(**_answer_of(answer))


def _answer_of(response: Response) -> dict[str, Any]:
    """Return an answer in playwright's words."""
    headers = {}
    for key, values in response.headers.items():
        name = key.decode("latin-1")
        if name.lower() not in _OF_THE_WIRE:
            between = b"\n" if name.lower() == "set-cookie" else b", "
            headers[name] = between.join(values).decode("latin-1")
    return {"status": response.status, "headers": headers, "body": response.body}


async def _dismiss(dialog: Dialog) -> None:
    await dialog.dismiss()


async def _refuse(socket: WebSocketRoute) -> None:
    await socket.close()


async def _close(page: Page) -> None:
    await page.close()
