"""An exception on the way to an answer -> the slug and the sentence of its row."""

from collections.abc import Iterator
from traceback import walk_tb

from OpenSSL.SSL import Error as TLSError
from scrapy import exceptions
from twisted.internet import error as txerror
from twisted.web._newclient import ParseError, ResponseFailed, ResponseNeverReceived

from urlcrawler.exceptions import ComponentError, HeadTooLarge, PrivateAddress, UrlcrawlerError
from urlcrawler.unpacking import BROKEN


class RobotsForbidden(exceptions.IgnoreRequest):
    """Raised by `middlewares.robots` for a URL that robots.txt forbids."""


class RobotsUnreachable(exceptions.IgnoreRequest):
    """Raised by `middlewares.robots` when nothing may be requested for want of a robots.txt.

    Attributes:
        wait: seconds that the server asked to wait before the next try, 0 when it did not.
    """

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


class SecondRow(exceptions.DropItem):
    """Raised by `pipelines.Flatten` for a page whose record has its row already."""


def explain(exception: BaseException) -> tuple[str, str]:
    """Return slug (of `outcomes.ERRORS`) and sentence for a request that ended in *exception*.

    Never raises: what is not known is named by the stage it came from.
    """
    if isinstance(exception, ComponentError):
        return "middleware", raised("a middleware", exception)
    causes = list(_causes(exception))
    for kinds, slug in _BY_CLASS:
        for cause in causes:
            if isinstance(cause, kinds):
                return slug, _sentence(slug, cause)
    text = _text(exception)
    if isinstance(exception, RobotsUnreachable):
        return "robots-unreachable", text
    if isinstance(exception, exceptions.IgnoreRequest):
        for words, slug in _BY_WORDS.items():
            if words in text:
                return slug, text
        return "ignored", text or "a middleware raised IgnoreRequest"
    if isinstance(exception, exceptions.DownloadCancelledError):
        # Of its own accord Scrapy's handler cancels for one reason; time-outs have their class.
        return "too-large", _SENTENCES["too-large"]
    if isinstance(exception, _CUT_SHORT):
        # The parser's own complaints (two lengths, no number, a line too long) are ordinary ones.
        if any(isinstance(cause, ValueError | TypeError | LookupError) for cause in causes):
            return "protocol", _SENTENCES["protocol"]
        return "reset", _SENTENCES["reset"]
    slug = _stage(exception)
    return slug, _SENTENCES.get(slug, _named(exception))


def raised(code: str, exception: BaseException | None) -> str:
    """Return a sentence that says that *code* raised *exception*, which may name it better."""
    if isinstance(exception, ComponentError):
        return _text(exception)
    return f"{code} raised {_named(exception)}"


# In this order: the first class that any of the causes has decides.
_BY_CLASS: list[tuple[type[BaseException] | tuple[type[BaseException], ...], str]] = [
    (RobotsForbidden, "robots"),
    (PrivateAddress, "private-address"),
    (BROKEN, "decode"),
    (HeadTooLarge, "too-large"),
    (TLSError, "tls"),
    (ParseError, "protocol"),
    (exceptions.ResponseDataLossError, "truncated"),
    (exceptions.CannotResolveHostError, "dns"),
    ((txerror.TCPTimedOutError, txerror.TimeoutError), "connect-timeout"),
    (exceptions.DownloadTimeoutError, "read-timeout"),
    ((exceptions.DownloadConnectionRefusedError, txerror.ConnectError), "refused"),
]
_CUT_SHORT = (
    exceptions.DownloadFailedError,
    txerror.ConnectionLost,
    txerror.ConnectionDone,
    ResponseFailed,
    ResponseNeverReceived,
)
# Scrapy raises IgnoreRequest for these; tests fail when it changes the words.
_BY_WORDS = {
    "max redirections reached": "redirect-loop",
}
_SENTENCES = {
    "robots": "robots.txt forbids it",
    "dns": "the host name does not resolve",
    "refused": "the server refused the connection, or is not reachable",
    "connect-timeout": "no connection within DOWNLOAD_TIMEOUT",
    "read-timeout": "no complete answer within DOWNLOAD_TIMEOUT",
    "truncated": "the body ended before it was complete",
    "too-large": "the body is larger than DOWNLOAD_MAXSIZE",
    "reset": "the server closed the connection before it answered",
    "protocol": "what the server sent is not HTTP",
    "decode": "the compressed body cannot be unpacked",
}


def _causes(exception: BaseException) -> Iterator[BaseException]:
    """Yield *exception* and all it came from, Twisted's lists of reasons included."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [exception]
    while waiting:
        cause = waiting.pop(0)
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting.append(cause.__cause__)
        if isinstance(cause, ResponseFailed | ResponseNeverReceived):
            waiting += [reason.value for reason in cause.reasons]


def _sentence(slug: str, cause: BaseException) -> str:
    if slug == "tls":
        return f"no secure connection: {_tls_words(cause)}"
    if isinstance(cause, UrlcrawlerError):
        return _text(cause)
    return _SENTENCES[slug]


def _tls_words(cause: BaseException) -> str:
    """Return what OpenSSL says: a list of (library, function, reason), or a text at the end."""
    words = cause.args[-1] if cause.args else ""
    if isinstance(words, list):
        words = words[-1][-1] if words else ""
    return str(words) or "the handshake failed"


def _stage(exception: BaseException) -> str:
    """Return where an unknown exception came from: the download handler, or a middleware."""
    modules = [frame.f_globals.get("__name__", "") for frame, _ in walk_tb(exception.__traceback__)]
    if any("TunnelError" in type(cause).__name__ for cause in _causes(exception)):
        return "proxy"
    handlers = ("scrapy.core.downloader.handlers", "urlcrawler.handlers")
    return "protocol" if any(module.startswith(handlers) for module in modules) else "middleware"


def _named(exception: BaseException | None) -> str:
    return f"{type(exception).__name__}: {_text(exception)}".removesuffix(": ")


def _text(exception: BaseException | None) -> str:
    try:
        return " ".join(str(exception).split())[:300]
    except Exception:  # a __str__ that raises, in an exception of somebody's own
        return ""
