"""Before anything reads the text of a page, its encoding is one that can be read."""

from scrapy import Request
from scrapy.http import Response

from urlcrawler.extract.encoding import with_known_encoding


class KnownEncoding:
    """Read a page that claims an encoding which no browser knows as browsers do."""

    def process_response(self, request: Request, response: Response) -> Response:
        """Return *response*, with another encoding if that is necessary."""
        return with_known_encoding(response)
