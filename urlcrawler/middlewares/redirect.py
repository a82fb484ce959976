"""Redirects."""

from scrapy import Request
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.http import Response
from scrapy.settings import BaseSettings
from w3lib.http import basic_auth_header

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
                target = parse_target(followed.url)
                if 0 < self._longest < len(target.url):
                    return response
                if target.user is not None:  # they belong into a header, as those of a list do
                    login = basic_auth_header(target.user, target.password or "")
                    followed = followed.replace(url=target.url)
                    followed.headers["Authorization"] = login
        except (ValueError, InvalidUrl):  # `Location: http://[::1`, `http://a b/`
            return response
        return followed
