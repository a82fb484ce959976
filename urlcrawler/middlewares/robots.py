"""robots.txt, as RFC 9309 has it."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from random import random
from time import monotonic
from typing import Any, cast

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest, StopDownload
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy.robotstxt import RobotParser
from scrapy.utils.datatypes import LocalCache
from scrapy.utils.httpobj import urlparse_cached
from scrapy.utils.misc import build_from_crawler

from urlcrawler.failures import RobotsForbidden, RobotsUnreachable, explain
from urlcrawler.hosts.circuit import JITTER, PROBES
from urlcrawler.hosts.headers import retry_after
from urlcrawler.meta import BACK_TO, NOT_BEFORE, ROBOTS_TXT

LONGEST = 500 * 1024  # bytes that are read (RFC 9309, 2.5)
OLDEST = 24 * 3600.0  # seconds that a copy is used (RFC 9309, 2.4)
MOST_OUTAGES = 10_000  # hosts whose robots.txt is not to be had
KEPT = 1024  # parsed files
KEPT_BYTES = 1_500_000  # of files, that is; parsed they take 40 times as much
# The host cannot be spoken to at all: its records say so themselves.
_HOST_ERRORS = frozenset({"dns", "refused", "connect-timeout", "tls", "proxy", "private-address"})

_Rules = RobotParser | None  # None: everything is allowed
_File = tuple[_Rules, int]  # and the bytes that were parsed


@dataclass
class _Outage:
    """A robots.txt that is not to be had.

    Attributes:
        tries: how often that was so.
        until: when it is tried again.
        error: what the rows say.
    """

    tries: int
    until: float
    error: RobotsUnreachable

    @property
    def is_final(self) -> bool:
        """Whether it is not tried any more."""
        return self.tries > PROBES


class Robots(RobotsTxtMiddleware):
    """Obey robots.txt, and say so in the row instead of dropping the request.

    What Scrapy does differently: it reads the rules out of the body of any status, error pages
    included, and takes a robots.txt that cannot be fetched for one that allows everything.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._files: OrderedDict[str, tuple[float, asyncio.Future[_File]]] = OrderedDict()
        self._sizes: dict[str, int] = {}  # bytes of the files that were parsed, and of all of them
        self._bytes = 0
        self._outages = LocalCache[str, _Outage](MOST_OUTAGES)
        self._fetching = 0
        settings = crawler.settings
        self._timeout = settings.getfloat("DOWNLOAD_TIMEOUT")
        self._first_wait = 2 * settings.getfloat("BACKOFF_START")  # seconds
        self._longest_wait = settings.getfloat("RETRY_AFTER_MAX")

    async def process_request(  # type: ignore[override]
        self, request: Request
    ) -> Request | None:
        """Check *request*; return it for later while its robots.txt is not to be had.

        Raises:
            RobotsForbidden: it is forbidden.
            RobotsUnreachable: it was not to be had, several times.
        """
        if request.meta.get("dont_obey_robotstxt"):
            return None
        netloc = urlparse_cached(request).netloc
        outage = self._outages.get(netloc)
        try:
            if outage and (outage.is_final or monotonic() < outage.until):
                return self._later(request, netloc, outage.error)
            rules = await self.robot_parser(request)
        except RobotsUnreachable as error:
            return self._later(request, netloc, error)
        self._outages.pop(netloc, None)
        self.process_request_2(rules, request)
        return None

    def process_request_2(self, rp: RobotParser | None, request: Request) -> None:
        """Check *request* against the parsed robots.txt of its host.

        Raises:
            RobotsForbidden: it is forbidden.
        """
        try:
            super().process_request_2(rp, request)
        except IgnoreRequest as error:
            raise RobotsForbidden(str(error)) from error

    async def robot_parser(self, request: Request) -> RobotParser | None:
        """Return the parsed robots.txt of the host of *request*; None when all is allowed.

        It is fetched once for all that wait for it. A failure is not kept: the next one tries
        again.

        Raises:
            RobotsUnreachable: a 5xx, a 429, or no answer: nothing is allowed for now.
            Exception: of the download, when the host cannot be spoken to at all.
        """
        netloc = urlparse_cached(request).netloc
        since, file = self._files.get(netloc, (0.0, None))
        if file is None or monotonic() - since > OLDEST:
            self._forget(netloc)
            file = asyncio.ensure_future(self._fetch(request))
            self._files[netloc] = (monotonic(), file)
        self._files.move_to_end(netloc)
        try:
            # Shielded: one request that is given up must not take it from the others.
            rules, size = await asyncio.shield(file)
        except Exception:
            if self._files.get(netloc, (0.0, None))[1] is file:
                self._forget(netloc)
            raise
        if self._files.get(netloc, (0.0, None))[1] is file and netloc not in self._sizes:
            self._sizes[netloc] = size
            self._bytes += size
            self._forget_oldest()
        return rules

    def _forget(self, netloc: str) -> None:
        self._files.pop(netloc, None)
        self._bytes -= self._sizes.pop(netloc, 0)

    def _forget_oldest(self) -> None:
        """Keep within bounds; what is still being fetched stays, others wait for it."""
        while len(self._sizes) > 1 and (len(self._sizes) > KEPT or self._bytes > KEPT_BYTES):
            self._forget(next(netloc for netloc in self._files if netloc in self._sizes))

    async def _fetch(self, request: Request) -> _File:
        url = urlparse_cached(request)
        robots = Request(
            f"{url.scheme}://{url.netloc}/robots.txt",
            priority=self.DOWNLOAD_PRIORITY,
            meta={"dont_obey_robotstxt": True, ROBOTS_TXT: 0},
            callback=NO_CALLBACK,
        )
        if url.netloc in self._outages:  # the first time has cost enough
            robots.meta["download_timeout"] = self._timeout / 3
        stats = cast("Any", self.crawler.stats)
        stats.inc_value("robotstxt/request_count")
        try:
            response = await self._download(robots)
        except Exception as error:
            slug, reason = explain(error)
            stats.inc_value(f"robotstxt/exception_count/{type(error)}")
            if slug in _HOST_ERRORS:
                raise
            if slug == "redirect-loop":
                return None, 0  # RFC 9309, 2.3.1.2: as if there were none
            raise RobotsUnreachable(f"robots.txt could not be fetched: {reason}") from error
        stats.inc_value("robotstxt/response_count")
        stats.inc_value(f"robotstxt/response_status_count/{response.status}")
        if response.status == 429 or response.status >= 500:
            wait = retry_after((response.headers.get("Retry-After") or b"").decode("latin-1"))
            raise RobotsUnreachable(f"robots.txt: the server answered {response.status}", wait or 0)
        if not 200 <= response.status < 300:
            return None, 0  # RFC 9309, 2.3.1.3: unavailable is not forbidden
        body = response.body
        if len(body) > LONGEST:
            body = body[: body.rfind(b"\n", 0, LONGEST) + 1]
        parser: RobotParser = build_from_crawler(self._parserimpl, self.crawler, body)
        await self.crawler.signals.send_catch_log_async(
            signal=signals.robots_parsed, robotparser=parser, request=request
        )
        return parser, len(body)

    async def _download(self, request: Request) -> Response:
        """Return the answer, of which no more is read than counts."""
        if not self._fetching:  # called for every piece of every page, so not longer than needed
            self.crawler.signals.connect(self.bytes_received, signals.bytes_received)
        self._fetching += 1
        try:
            engine = cast("Any", self.crawler.engine)
            response: Response = await engine.download_async(request)
        finally:
            self._fetching -= 1
            if not self._fetching:
                self.crawler.signals.disconnect(self.bytes_received, signals.bytes_received)
        return response

    def bytes_received(self, data: bytes, request: Request) -> None:
        """Stop reading a robots.txt that is longer than what counts.

        Raises:
            StopDownload: that is enough.
        """
        if ROBOTS_TXT in request.meta:
            request.meta[ROBOTS_TXT] += len(data)
            if request.meta[ROBOTS_TXT] > LONGEST:
                raise StopDownload(fail=False)

    def _later(self, request: Request, netloc: str, error: RobotsUnreachable) -> Request:
        """Return *request* to wait until its robots.txt is tried again.

        Those that wait for the same try learn of it together, and count once.
        """
        now = monotonic()
        outage = self._outages.get(netloc)
        if outage is None or (error is not outage.error and now >= outage.until):
            tries = outage.tries + 1 if outage else 1
            wait = max(self._first_wait * 2 ** (tries - 1), min(error.wait, self._longest_wait))
            outage = _Outage(tries, now + wait * (1 + JITTER * random()), error)
            self._outages[netloc] = outage
        out = cast("Any", self.crawler.engine).scheduler.out(request)
        if outage.is_final or out is None:
            # A copy: each time that one is raised, it keeps the frames, and so the requests.
            raise RobotsUnreachable(str(outage.error), outage.error.wait)
        later = request.copy()
        later.dont_filter = True
        later.meta[NOT_BEFORE] = outage.until
        later.meta[BACK_TO] = out.origin.host.name
        return later
