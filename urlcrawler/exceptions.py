"""Exceptions of the project.

UrlcrawlerError
├── ArgumentError     a spider argument is missing, unknown or wrong
├── ListError         the list cannot be read
├── OutputError       the table cannot be written where it was asked for
├── ServerError       a server with scrapyd is not there, or does not do what it is asked
├── CrawlError        a crawl that Python code has started did not come to a good end
├── Interrupted       a signal came before the first request
├── NotRendered       a page stays as it was fetched, as the browser could not have it
├── ComponentError    code of somebody else took too long, or would have stopped Scrapy
├── InvalidUrl        one record holds no URL that can be requested
├── HeadTooLarge      an answer does not come to its body
└── PrivateAddress    a host is not on the public internet
"""


class UrlcrawlerError(Exception):
    """Base of all. Its text is one or two sentences for the user, shown without a traceback."""


class ArgumentError(UrlcrawlerError):
    """Raised by `spiders.base.UrlListSpider.from_crawler` before the first request."""


class ListError(UrlcrawlerError):
    """Raised by `inputs` while the list is opened or indexed, before the first request."""


class OutputError(UrlcrawlerError):
    """Raised by `spiders.feeds`, `spiders.resume` and what opens tables, before the first request;
    by `ordering` at the end.
    """


class ServerError(UrlcrawlerError):
    """Raised by `remote.server` for `scrapy submit`.

    Attributes:
        is_passing: whether it may go well in a moment.
    """

    def __init__(self, text: str, *, is_passing: bool = False) -> None:
        super().__init__(text)
        self.is_passing = is_passing


class CrawlError(UrlcrawlerError):
    """Raised by `crawling.crawl`.

    Attributes:
        exit_code: of the crawl, see `exitcodes.EXIT_CODES`.
    """

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code


class Interrupted(UrlcrawlerError):  # noqa: N818 - what the user wanted, not an error
    """Raised by `spiders.interrupt` when Ctrl-C or TERM comes while the list is read.

    Attributes:
        signal: number of the signal.
    """

    def __init__(self, signal: int) -> None:
        super().__init__("interrupted while the list was read. Nothing was requested or written")
        self.signal = signal


class NotRendered(UrlcrawlerError):  # noqa: N818 - what has become of a page
    """Raised by `rendering.renderer`; `middlewares.render` puts it into the row."""


class ComponentError(UrlcrawlerError):
    """Raised by `guard.Guard` in place of what a middleware, pipeline, callback or handler raised.

    Attributes:
        is_exit: whether the code wanted the process to end.
    """

    def __init__(self, text: str, *, is_exit: bool = False) -> None:
        super().__init__(text)
        self.is_exit = is_exit


class InvalidUrl(UrlcrawlerError):  # noqa: N818 - names a record, not a failure of the program
    """Raised by `inputs.urls` for a record that becomes an `invalid` row.

    Attributes:
        error: slug of `outcomes.ERRORS`.
    """

    def __init__(self, error: str, reason: str) -> None:
        super().__init__(reason)
        self.error = error


class HeadTooLarge(UrlcrawlerError):  # noqa: N818 - as above
    """Raised by `handlers.protocol` while the head of an answer is read."""

    def __init__(self, most: int, lines: int) -> None:
        super().__init__(
            f"the head of the answer has more than {most} bytes (DOWNLOAD_HEAD_MAXSIZE) "
            f"or {lines} lines"
        )


class PrivateAddress(UrlcrawlerError):  # noqa: N818 - names an address, not a failure of ours
    """Raised by `handlers` instead of a connection to a private address.

    Attributes:
        host: as the URL has it.
    """

    def __init__(self, host: str, address: str, kind: str) -> None:
        leads = f"{host} leads to {address}, which" if host != address else host
        super().__init__(f"{leads} is {kind}. -s ALLOW_PRIVATE_ADDRESSES={address} allows it")
        self.host = host
        self._address = address
        self._kind = kind

    def again(self) -> "PrivateAddress":
        """Return a copy: raised twice, one exception would keep the frames of both."""
        return PrivateAddress(self.host, self._address, self._kind)
