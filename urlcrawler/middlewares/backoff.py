"""What went wrong for now: tried again later, and never at the cost of the host."""

import logging
import random
import sys
from collections.abc import Iterator, Mapping
from time import monotonic, time
from typing import Any, NamedTuple, cast

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.http import Response
from scrapy.settings import default_settings
from scrapy.utils.misc import load_object

from urlcrawler.failures import explain
from urlcrawler.hosts.blocked import challenge
from urlcrawler.hosts.circuit import TIMEOUT
from urlcrawler.hosts.headers import exhausted_for, retry_after
from urlcrawler.hosts.treatment import SILENCES
from urlcrawler.inputs.records import Record
from urlcrawler.items import status_reason
from urlcrawler.meta import (
    BACK_TO,
    BROKEN_BODY,
    IS_LAST_ROUND,
    LAST_ROUND,
    NOT_BEFORE,
    RECORD,
    ROBOTS_TXT,
    SPENT,
)
from urlcrawler.outcomes import TRANSIENT, error_of_status

LONG_PAUSE = 30.0  # seconds; whoever looks on should know what is waited for
MOST_PAUSES = 5  # of one record, before it gets its row
MOST_PAUSED = 1800.0  # seconds of one record in all

logger = logging.getLogger(__name__)

# Nobody answered. What else fails has been answered, if only by something that is not HTTP.
_UNREACHABLE = SILENCES | {"dns", "refused", "reset", "tls", "proxy"}
_ANSWERED = frozenset({"truncated", "protocol", "decode", "too-large"})
_OVERLOAD = frozenset({500, 502, 503, 504, 520, 521, 522, 523, 524})
_UNAVAILABLE = _OVERLOAD - {500, 520}  # the server, or the one behind it, and not the page


class Failure(NamedTuple):
    """Why a request waits: what its row says when it waits in vain."""

    error: str
    reason: str
    status: int | None = None


class Backoff:
    """Takes RetryMiddleware's place: retries wait in the index, for a time and for their host.

    Settings and meta keys are Scrapy's (RETRY_*, `dont_retry`, `max_retry_times`), and each error
    must be TRANSIENT as well: a certificate that has expired does not change within the hour.
    What is still failing in the end is tried once more in a last round, when all else is done.

    It also tells the host what its answers mean: a pause, a block, an outage. See `hosts.host`.
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self.crawler = crawler
        self._retries = settings.getbool("RETRY_ENABLED")
        self._statuses = {int(status) for status in settings.getlist("RETRY_HTTP_CODES")}
        self._exceptions = settings.getlist("RETRY_EXCEPTIONS")
        for kind in self._exceptions:
            if isinstance(kind, str) and kind not in default_settings.RETRY_EXCEPTIONS:
                load_object(kind)  # a wrong name is said now, not in the middle of the crawl
        self._start = settings.getfloat("BACKOFF_START")
        self._most = settings.getfloat("BACKOFF_MAX")
        self._last_round = settings.getbool("RETRY_LAST_ROUND") and settings.getint("RETRY_TIMES")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Backoff":
        """Build the middleware; without RETRY_ENABLED it only listens."""
        return cls(crawler)

    def _kinds(self) -> Iterator[Any]:
        """Yield the classes of RETRY_EXCEPTIONS.

        Without those of modules that nobody has imported, of which there can be none: one is in
        the handler for Twisted, which is seldom needed and takes long to import.
        """
        for kind in self._exceptions:
            if not isinstance(kind, str):
                yield kind
            elif kind.rpartition(".")[0] in sys.modules:
                yield load_object(kind)

    @property
    def _scheduler(self) -> Any:
        return cast("Any", self.crawler.engine).scheduler

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Return a request for later, or *response* when it is final."""
        if broken := request.meta.pop(BROKEN_BODY, None):
            if later := self.process_exception(request, broken):
                return later
            raise broken
        if ROBOTS_TXT in request.meta:
            return response  # robots.txt has a middleware of its own
        out, now = self._scheduler.out(request), monotonic()
        headers = _lower(response.headers)
        if service := challenge(response.status, headers, response.body):
            request.meta["blocked"] = f"a page of {service} answered instead of the page"
            request.meta["dont_redirect"] = True  # nor is a refresh in it followed
        if "cached" in response.flags:
            return response
        status = response.status
        seconds = retry_after(headers.get("retry-after"))
        if status == 429 or (status == 503 and seconds is not None):
            reason = status_reason(status)
            if seconds is not None:
                reason += f" and asked to wait {seconds:.0f} s"
            failure = Failure("rate-limited", reason, status)
            if out is None:  # a pipeline waits for it right now
                return (self._may_retry(request) and self._again(request, failure, out)) or response
            before = out.origin.host.paused_until
            is_again = request.meta.get("pauses", 0) > 0
            until = out.origin.refused(out.sent, seconds, now, reason, is_again=is_again)
            if until > before and until - now >= LONG_PAUSE:
                logger.info(
                    "%(host)s is left alone for %(seconds)d s: %(why)s",
                    {"host": out.origin.host.name, "seconds": until - now, "why": reason},
                )
            return self._wait(request, until - now, failure, out) or response
        blocked = request.meta.get("blocked")
        if blocked or status == 403:
            reason = blocked or status_reason(status)
            again = out and out.origin.blocked(out.sent, now, reason, is_sure=bool(blocked))
            if again:
                request.meta["blocked"] = (
                    blocked or "403 after other pages had been answered: a ban"
                )
                failure = Failure("blocked", request.meta["blocked"], status)
                seconds = out.origin.circuit.probe_at - now
                return self._wait(request, seconds, failure, out) or response
            return response
        if status in _OVERLOAD and out:
            reason, is_unavailable = status_reason(status), status in _UNAVAILABLE
            out.origin.failing(out.sent, now, reason, is_unavailable=is_unavailable)
        elif out:
            good = request if request.method == "GET" and 200 <= status < 300 else None
            self._scheduler.hosts.kept.satisfied(out.origin, out.sent, now, good)
            wait = exhausted_for(headers, time()) if "ratelimit" in " ".join(headers) else None
            if wait:
                out.origin.host.pause(wait, now, "its RateLimit header says so")
        if status in self._statuses and self._may_retry(request):
            slug = error_of_status(status) or "http-5xx"
            failure = Failure(slug, status_reason(status), status)
            return self._again(request, failure, out) or response
        return response

    def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Return a request for later, or None when the failure is final."""
        if ROBOTS_TXT in request.meta:
            return None
        out, now = self._scheduler.out(request), monotonic()
        error, reason = explain(exception)
        if out and error in _UNREACHABLE:
            weight = TIMEOUT if error in SILENCES else 1
            out.origin.unreachable(out.sent, now, error, reason, weight=weight)
        elif out and error in _ANSWERED:
            self._scheduler.hosts.kept.satisfied(out.origin, out.sent, now)
        if (
            error in TRANSIENT
            and any(isinstance(exception, kind) for kind in self._kinds())
            and self._may_retry(request)
        ):
            return self._again(request, Failure(error, reason), out)
        return None

    def _may_retry(self, request: Request) -> bool:
        return self._retries and not request.meta.get("dont_retry", False)

    def _again(self, request: Request, failure: Failure, out: Any) -> Request | None:
        """Return *request* for another attempt, after a while; None when there were enough.

        One that somebody waits for (no *out*: `engine.download_async`) has its attempts at once.
        """
        if request.meta.get(IS_LAST_ROUND):
            return None
        spider = self.crawler.spider
        assert spider is not None  # noqa: S101 - there are requests
        attempts = request.meta.get("retry_times", 0) + request.meta.get("pauses", 0) + 1
        again = get_retry_request(request, spider=spider, reason=failure.error)
        if again is not None:
            # Full jitter (M. Brooker, Exponential Backoff And Jitter, 2015).
            most = min(self._most, self._start * 2 ** (again.meta["retry_times"] - 1))
            again.meta[NOT_BEFORE] = monotonic() + random.uniform(0, most)
        elif self._last_round and out and isinstance(request.meta.get(RECORD), Record):
            again = request.copy()
            again.meta.update({LAST_ROUND: True, "retry_times": attempts, "pauses": 0})
        else:
            return None
        return self._marked(again, failure, out)

    @staticmethod
    def _marked(request: Request, failure: Failure, out: Any) -> Request:
        """Return *request* with what is to be known of it while it waits."""
        request.meta.pop(SPENT, None)  # the next attempt has its own time
        if request.meta.pop("blocked", None):
            request.meta.pop("dont_redirect", None)
        request.meta["failure"] = failure
        if out:
            request.meta[BACK_TO] = out.origin.host.name
        return request

    def _wait(self, request: Request, seconds: float, failure: Failure, out: Any) -> Request | None:
        """Return *request* to be sent when its host may be asked again; None when it has waited
        enough.
        """
        pauses = request.meta.get("pauses", 0) + 1
        paused = request.meta.get("paused", 0.0) + max(0.0, seconds)
        wanted = failure.status in self._statuses or failure.error == "blocked"
        if not wanted or not self._may_retry(request) or request.meta.get(IS_LAST_ROUND):
            return None
        if pauses > MOST_PAUSES or paused > MOST_PAUSED:
            return None
        later = request.copy()
        later.dont_filter = True
        later.priority += 1  # before the retries of others
        later.meta.update(pauses=pauses, paused=paused)
        cast("Any", self.crawler.stats).inc_value("backoff/paused")
        return self._marked(later, failure, out)


def _lower(headers: Any) -> Mapping[str, str]:
    return {
        name.decode("latin-1").lower(): values[-1].decode("latin-1")
        for name, values in dict.items(headers)  # Headers.items() would normalise each once more
        if values
    }
