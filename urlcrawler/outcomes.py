"""The closed lists: what can happen to a record, and why a row is not `ok`."""

from typing import NamedTuple

OUTCOMES = {
    "ok": "fetched: the status is 2xx",
    "http_error": "the server answered with a 4xx or 5xx status",
    "failed": "no usable answer: the network, the protocol or the code that reads the page failed",
    "invalid": "the record holds no URL that can be requested",
    "duplicate": "the same request as an earlier record, see `duplicate_of`",
    "robots": "robots.txt of the host forbids it",
    "skipped": "not requested or not kept: its host is down, or a component decided so",
    "unchanged": "the page is what an earlier crawl has found: a 304, or the same body",
}

THERE = ("ok", "unchanged")  # of pages that were found


class Error(NamedTuple):
    """A line of the table of errors.

    Attributes:
        outcome: outcome of a row with this error.
        retryable: whether crawling the record again may help.
        meaning: a sentence for README.
    """

    outcome: str
    retryable: bool
    meaning: str


ERRORS = {
    "bad-url": Error("invalid", False, "not a URL: no host, a broken port or IPv6 address, ..."),
    "bad-scheme": Error("invalid", False, "a scheme other than http and https"),
    "bad-record": Error("invalid", False, "the line of the list cannot be read as a record"),
    "robots": Error("robots", False, "robots.txt forbids the URL to this crawler"),
    "robots-unreachable": Error(
        "skipped", True, "robots.txt could not be fetched, so nothing may be requested (RFC 9309)"
    ),
    "host-down": Error("skipped", True, "not requested: the host did not answer other requests"),
    "dns": Error("failed", True, "the host name does not resolve"),
    "refused": Error("failed", True, "the server refused the connection, or is not reachable"),
    "connect-timeout": Error("failed", True, "no connection within DOWNLOAD_TIMEOUT"),
    "read-timeout": Error("failed", True, "connected, but no complete answer in DOWNLOAD_TIMEOUT"),
    "tls": Error("failed", True, "no secure connection: handshake or certificate failed"),
    "reset": Error("failed", True, "the server closed the connection before it answered"),
    "truncated": Error("failed", True, "the body is shorter than the server announced"),
    "protocol": Error("failed", True, "what the server sent is not HTTP"),
    "too-large": Error("failed", False, "the answer is larger than DOWNLOAD_MAXSIZE allows"),
    "too-complex": Error("failed", False, "the page cannot be parsed in reasonable time or memory"),
    "decode": Error("failed", True, "the compressed body cannot be unpacked"),
    "proxy": Error("failed", True, "the proxy did not open a connection"),
    "private-address": Error(
        "failed", False, "the host is not on the public internet, see ALLOW_PRIVATE_ADDRESSES"
    ),
    "redirect-loop": Error("failed", False, "more than REDIRECT_MAX_TIMES redirects"),
    "bad-redirect": Error("failed", False, "a redirect without a target that can be requested"),
    "http-4xx": Error("http_error", False, "the status is 4xx"),
    "http-5xx": Error("http_error", True, "the status is 5xx"),
    "rate-limited": Error("http_error", True, "the status is 429: too many requests"),
    "blocked": Error("failed", True, "a protection service answered, or the host bans the crawler"),
    "extract": Error("failed", True, "code of the spider (`parse_page`) raised"),
    "middleware": Error("failed", True, "a downloader or spider middleware raised"),
    "pipeline": Error("failed", True, "an item pipeline raised"),
    "ignored": Error("skipped", False, "a middleware raised IgnoreRequest"),
    "dropped": Error("skipped", False, "an item pipeline raised DropItem"),
    "lost": Error("failed", True, "handed out, and nothing came back: a bug in a component"),
}

RETRYABLE = frozenset(slug for slug, error in ERRORS.items() if error.retryable)
# What may be over in a minute, so that the crawl itself tries again. The other retryable ones want
# somebody to look at them first, or another day.
TRANSIENT = frozenset(
    {
        "dns", "refused", "connect-timeout", "read-timeout", "reset", "truncated", "protocol",
        "decode", "proxy", "http-5xx", "rate-limited",
    }
)  # fmt: skip


def error_of_status(status: int) -> str | None:
    """Return the slug for a final HTTP status, or None when the status is no error."""
    if status == 429:
        return "rate-limited"
    if status >= 500:
        return "http-5xx"
    if status >= 400:
        return "http-4xx"
    if status < 200:
        return "protocol"  # 1xx comes before an answer, and 000 is none
    if 300 <= status < 400 and status != 304:
        return "bad-redirect"  # one that could be followed has been followed
    return None
