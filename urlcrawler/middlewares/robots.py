"""robots.txt."""

from scrapy import Request
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.robotstxt import RobotParser
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.defer import Deferred

from urlcrawler.failures import RobotsForbidden


class Robots(RobotsTxtMiddleware):
    """Obey robots.txt as Scrapy does, and say so in the row instead of dropping the request."""

    async def robot_parser(self, request: Request) -> RobotParser | None:
        """Return the parsed robots.txt of the host of *request*; None when there is none.

        Scrapy 2.19 lets all who wait for the same robots.txt await one Deferred, which gives its
        result to the first and None, which means "allowed", to the others. What it has stored by
        then is right, so that is looked up (`_parsers`, private; a test fails when it changes).
        """
        parser = await super().robot_parser(request)
        if parser is None:
            stored = self._parsers[urlparse_cached(request).netloc]
            parser = None if isinstance(stored, Deferred) else stored
        return parser

    def process_request_2(self, rp: RobotParser | None, request: Request) -> None:
        """Check *request* against the parsed robots.txt of its host.

        Raises:
            RobotsForbidden: it is forbidden.
        """
        try:
            super().process_request_2(rp, request)
        except IgnoreRequest as error:
            raise RobotsForbidden(str(error)) from error
