"""robots.txt."""

from scrapy import Request
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.robotstxt import RobotParser

from urlcrawler.failures import RobotsForbidden


class Robots(RobotsTxtMiddleware):
    """Obey robots.txt as Scrapy does, and say so in the row instead of dropping the request."""

    def process_request_2(self, rp: RobotParser | None, request: Request) -> None:
        """Check *request* against the parsed robots.txt of its host.

        Raises:
            RobotsForbidden: it is forbidden.
        """
        try:
            super().process_request_2(rp, request)
        except IgnoreRequest as error:
            raise RobotsForbidden(str(error)) from error
