"""Redirects."""

from scrapy import Request
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.http import Response
from scrapy.settings import BaseSettings

from urlcrawler.exceptions import InvalidUrl
from urlcrawler.inputs.urls import parse_target


class Redirect(RedirectMiddleware):
    """Follow redirects as Scrapy does; one to something that is no URL is the final answer.

    So is one to a URL that is longer than URLLENGTH_LIMIT.
    """

    def __init__(self, settings: BaseSettings) -> None:
        super().__init__(settings)
        self._longest = settings.getint("URLLENGTH_LIMIT")

    def process_response(  # type: ignore[override]
        self, request: Request, response: Response
    ) -> Request | Response:
        """Return the request for the target, or *response* when there is none to follow."""
        try:
            followed = super().process_response(request, response)
            if isinstance(followed, Request):
                parse_target(followed.url)
                if 0 < self._longest < len(followed.url):
                    return response
        except (ValueError, InvalidUrl):  # `Location: http://[::1`, `http://a b/`
            return response
        return followed
