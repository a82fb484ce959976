"""Exceptions on the way to an answer, and what the row says about them."""

import builtins
import zlib
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from OpenSSL.SSL import Error as TLSError
from OpenSSL.SSL import SysCallError
from scrapy import Request, exceptions
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.http import Response
from scrapy.utils.misc import build_from_crawler
from scrapy.utils.test import get_crawler
from twisted.internet import error as txerror
from twisted.python.failure import Failure
from twisted.web._newclient import ParseError, ResponseFailed, ResponseNeverReceived

from urlcrawler.failures import RobotsForbidden, explain
from urlcrawler.outcomes import ERRORS


def classes_of(module: Any) -> list[type[BaseException]]:
    found = [thing for thing in vars(module).values() if isinstance(thing, type)]
    return [kind for kind in found if issubclass(kind, BaseException)]


def raised(kind: type[BaseException], cause: BaseException) -> BaseException:
    """Return what `raise kind() from cause` raises."""
    exception = kind()
    exception.__cause__ = cause
    return exception


def lost(kind: Any, *reasons: BaseException) -> Any:
    """Return one of the exceptions of Twisted's client that carry a list of reasons."""
    return kind([Failure(reason) for reason in reasons])


class UnprintableError(Exception):
    """An exception of a careless library: its text cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


KNOWN = [
    *classes_of(exceptions),
    *classes_of(txerror),
    *[kind for kind in classes_of(builtins) if not issubclass(kind, Warning)],
    TLSError, SysCallError, ParseError, ResponseFailed, ResponseNeverReceived, zlib.error,
    RobotsForbidden, UnprintableError,
]  # fmt: skip
arguments = st.lists(
    st.none() | st.integers() | st.text(max_size=9) | st.lists(st.tuples(st.text(), st.text())),
    max_size=3,
)


WITH_REASONS = (ResponseFailed, ResponseNeverReceived)


@st.composite
def failures(draw: st.DrawFn) -> BaseException:
    """Draw an exception of any known class, built from whatever it takes."""
    kind = draw(st.sampled_from(KNOWN))
    if issubclass(kind, WITH_REASONS):
        return lost(kind, *draw(st.lists(failures(), max_size=2)))
    try:
        exception = kind(*draw(arguments))
    except Exception:
        assume(False)
        raise
    if draw(st.booleans()):
        exception.__cause__ = draw(failures())
    return exception


# What Scrapy's handler, its middlewares and the libraries below them raise.
CASES: list[tuple[BaseException, str]] = [
    (RobotsForbidden(), "robots"),
    (exceptions.CannotResolveHostError(), "dns"),
    (raised(exceptions.CannotResolveHostError, txerror.DNSLookupError()), "dns"),
    (exceptions.DownloadConnectionRefusedError(), "refused"),
    (raised(exceptions.DownloadConnectionRefusedError, txerror.ConnectionRefusedError()),
     "refused"),
    (raised(exceptions.DownloadFailedError, txerror.NoRouteError()), "refused"),
    (raised(exceptions.DownloadFailedError, txerror.ConnectError()), "refused"),
    (raised(exceptions.DownloadTimeoutError, txerror.TimeoutError()), "connect-timeout"),
    (raised(exceptions.DownloadTimeoutError, txerror.TCPTimedOutError()), "connect-timeout"),
    (exceptions.DownloadTimeoutError(), "read-timeout"),
    (TLSError([("SSL routines", "", "certificate verify failed")]), "tls"),
    (raised(exceptions.DownloadFailedError,
            lost(ResponseNeverReceived, TLSError([("", "", "wrong version number")]))), "tls"),
    (SysCallError(-1, "Unexpected EOF"), "tls"),
    (raised(exceptions.DownloadFailedError, lost(ResponseNeverReceived,
            txerror.ConnectionLost())), "reset"),
    (lost(ResponseNeverReceived, txerror.ConnectionDone()), "reset"),
    (exceptions.DownloadFailedError(), "reset"),
    (exceptions.ResponseDataLossError(), "truncated"),
    (lost(ResponseFailed, txerror.ConnectionDone(), ParseError("x", b"x")), "protocol"),
    (exceptions.DownloadCancelledError(), "too-large"),
    (exceptions.IgnoreRequest("a reason"), "ignored"),
    (exceptions.IgnoreRequest(), "ignored"),
    (ValueError("oops"), "middleware"),
    (KeyError(), "middleware"),
]  # fmt: skip


@given(failures())
def test_any_exception_has_a_slug_and_a_sentence(exception: BaseException) -> None:
    """The function that fills the row of a failed request never raises itself."""
    slug, reason = explain(exception)
    assert slug in ERRORS
    assert reason.strip()
    assert len(reason) < 500


@pytest.mark.parametrize("kind", KNOWN, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_class_is_explained(kind: type[BaseException]) -> None:
    """Built in the first way that it allows."""
    ways: list[Any] = [
        (), ([Failure(ValueError())],), ("a", b"b"), ("a", 1, OSError()), ("a", [ValueError()]),
        ("a", "b", 0, 1, "c"), ("a", b"b", 0, 1, "c"), ("a", 0, 1, "c"),
    ]  # fmt: skip
    for arguments in ways:
        try:
            exception = kind(*arguments)
        except (TypeError, ValueError):
            continue
        slug, reason = explain(exception)
        assert slug in ERRORS
        assert reason.strip()
        return
    pytest.fail("cannot be built")


@pytest.mark.parametrize(("exception", "slug"), CASES, ids=lambda value: repr(value)[:60])
def test_an_exception_has_its_slug(exception: BaseException, slug: str) -> None:
    """The stage that failed decides, not the class that was raised last."""
    assert explain(exception)[0] == slug


@pytest.mark.parametrize(
    ("exception", "reason"),
    [
        (TLSError([("a", "b", "certificate verify failed")]), "certificate verify failed"),
        (TLSError([]), "no secure connection: the handshake failed"),
        (TLSError(), "no secure connection: the handshake failed"),
        (TLSError("no cipher"), "no secure connection: no cipher"),
        (SysCallError(-1, "Unexpected EOF"), "Unexpected EOF"),
        (exceptions.IgnoreRequest("not\n today "), "not today"),
        (ValueError("oops"), "ValueError: oops"),
        (KeyError(), "KeyError"),
    ],
    ids=repr,
)
def test_the_sentence_has_the_words_that_matter(exception: BaseException, reason: str) -> None:
    """In one line, without numbers and lists of the library."""
    assert explain(exception)[1].endswith(reason)


def test_causes_in_a_circle_end() -> None:
    """Two exceptions that name each other as their cause are two, not endless."""
    first, second = ValueError("a"), txerror.TimeoutError()
    first.__cause__, second.__cause__ = second, first
    assert explain(first)[0] == "connect-timeout"


def test_a_long_text_is_cut() -> None:
    """A reason is a sentence, not a page."""
    assert len(explain(ValueError("x" * 10_000))[1]) < 400


def too_many_redirects(crawler: Any) -> None:
    middleware = build_from_crawler(RedirectMiddleware, crawler)
    request = Request("http://a.com/", meta={"redirect_ttl": 0})
    middleware.process_response(request, Response("http://a.com/", 302, {"Location": "/b"}))


def test_what_the_middlewares_of_scrapy_raise_is_known() -> None:
    """Known by its words: this fails when a new Scrapy changes them."""
    crawler = get_crawler()
    crawler.spider = crawler._create_spider("any")
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one is Scrapy's business
        too_many_redirects(crawler)
    assert explain(caught.value)[0] == "redirect-loop"
