"""Redirects."""

from scrapy import Request
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.http import Response


class Redirect(RedirectMiddleware):
    """Follow redirects as Scrapy does; one to something that is no URL is the final answer."""

    def process_response(  # type: ignore[override]
        self, request: Request, response: Response
    ) -> Request | Response:
        """Return the request for the target, or *response* when there is none to follow."""
        try:
            return super().process_response(request, response)
        except ValueError:  # `Location: http://[::1`
            return response
