"""Bodies that are not whole are no pages."""

from scrapy import Request
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.exceptions import DownloadCancelledError, ResponseDataLossError
from scrapy.http import Response

from urlcrawler.meta import BROKEN_BODY
from urlcrawler.unpacking import BROKEN, IncompleteError, TooLargeError, unpack


class Decompression(HttpCompressionMiddleware):
    """Unpack bodies as Scrapy does, but take no part of one for the whole.

    `_decode` is private there, and the one place between the loop over the encodings of a body and
    functions that do not tell; `tests/crawl/test_whole_answers.py` fails when it goes.
    """

    def process_response(  # type: ignore[override]
        self, request: Request, response: Response
    ) -> Request | Response:
        """Return *response* unpacked. What is not whole waits for Backoff, which decides whether
        to ask again: an exception from here would be the last word.
        """
        try:
            return super().process_response(request, response)
        except (ResponseDataLossError, DownloadCancelledError, OSError) as error:
            if response.status < 400:  # else the status says what there is to say
                request.meta[BROKEN_BODY] = error
            return response.replace(body=b"")

    @staticmethod
    def _decode(body: bytes, encoding: bytes, max_size: int) -> bytes:
        """Undo one encoding of *body*."""
        try:
            return unpack(body, encoding.decode("ascii"), max_size)
        except IncompleteError as error:
            raise ResponseDataLossError(str(error)) from error
        except TooLargeError as error:
            raise DownloadCancelledError(str(error)) from error
        except BROKEN as error:
            raise OSError(str(error)) from error  # what RETRY_EXCEPTIONS has for it
