"""Before anything reads the text of a page, its encoding is one that can be read."""

from scrapy import Request
from scrapy.http import Response, TextResponse

from urlcrawler.extract.encoding import known_encoding


class KnownEncoding:
    """Read a page that claims an encoding which no browser knows as browsers do."""

    def process_response(self, request: Request, response: Response) -> Response:
        """Return *response*, with another encoding if that is necessary."""
        if isinstance(response, TextResponse) and response.body:
            encoding = known_encoding(response)
            if encoding != response.encoding:
                return response.replace(encoding=encoding)
        return response
