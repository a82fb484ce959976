"""Scrapy's seam for "what is next": asked exactly when the engine has room for a request."""

import logging
from asyncio import CancelledError
from collections.abc import Callable
from time import monotonic
from typing import Any, NamedTuple, cast
from urllib.parse import urlparse

from scrapy import Request, Spider
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler
from scrapy.dupefilters import BaseDupeFilter
from scrapy.utils.asyncio import CallLaterResult, call_later
from scrapy.utils.misc import build_from_crawler, load_object

from urlcrawler.exceptions import InvalidUrl
from urlcrawler.hosts.guests import Guests
from urlcrawler.hosts.manners import Sent
from urlcrawler.hosts.origin import Origin
from urlcrawler.hosts.queue import HostQueue, Turn
from urlcrawler.hostsettings import OwnManners, manners_of
from urlcrawler.inputs.index import Resolved
from urlcrawler.inputs.records import Record
from urlcrawler.inputs.urls import origin_of
from urlcrawler.items import Page
from urlcrawler.meta import BACK_TO, IS_LAST_ROUND, LAST_ROUND, NOT_BEFORE, PLAIN, RECORD
from urlcrawler.rendering.tabs import Tabs
from urlcrawler.writeoff import WriteOff

logger = logging.getLogger(__name__)

# What the answer may depend on; the rest is about the record.
_KEPT_BY_PROBES = {"proxy", "cookiejar", "dont_merge_cookies", "download_timeout", "download_slot"}


class Out(NamedTuple):
    """A request that was given out: its origin, and what was known of its host then."""

    origin: Origin[Request]
    sent: Sent


class ListScheduler(BaseScheduler):
    """Give out the records of the list, and whatever else the engine schedules, host by host.

    A request for a record is built when it is given out, so their number is bounded by the
    concurrency. Redirects, retries and requests of a spider's own wait here for room on their
    host, before its next record.

    Attributes:
        hosts: the state of the hosts; middlewares and extensions tell it what they learn.
        guests: lets requests pass that do not come from here.
        tabs: pages that wait for the browser.
    """

    hosts: HostQueue[Request]
    guests: Guests[Request]

    def __init__(self, crawler: Crawler, dupefilter: BaseDupeFilter) -> None:
        self.crawler = crawler
        self._dupefilter = dupefilter
        self._out: dict[Request, Out] = {}
        self._alarm: CallLaterResult | None = None
        self._alarm_at = 0.0
        self._is_closed = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "ListScheduler":
        """Build the scheduler with the DUPEFILTER_CLASS, for requests that are no records."""
        filter_class = load_object(crawler.settings["DUPEFILTER_CLASS"])
        return cls(crawler, build_from_crawler(filter_class, crawler))

    def open(self, spider: Spider) -> Any:
        """Take over the list that the spider has indexed."""
        list_spider: Any = spider
        self._spider = list_spider
        settings = self.crawler.settings
        self.tabs = Tabs(settings.getint("RENDER_TABS"))
        self._longest_url = settings.getint("URLLENGTH_LIMIT")
        manners = manners_of(settings)
        shards = list_spider.shard.count if list_spider.shard else 1
        self.hosts = HostQueue(
            list_spider.index,
            total=settings.getint("CONCURRENT_REQUESTS"),
            manners=manners,
            own_manners=OwnManners(settings, manners, list_spider.own_groups, shards),
            done=list_spider.ledger.__contains__,
            sizes=list_spider.index.sizes(list_spider.ledger.done()),
            group=self._find_group,
        )
        self.guests = Guests(self.hosts)
        self._write_off = WriteOff(list_spider, self.hosts, self._wake)
        return self._dupefilter.open()

    def close(self, reason: str) -> Any:
        """Close the duplicate filter; records without a row are the next run's."""
        self._is_closed = True
        self._write_off.close()
        if self._alarm:
            self._alarm.cancel()
        return self._dupefilter.close(reason)

    def has_pending_requests(self) -> bool:
        """Return whether a record or a request waits."""
        return bool(self.hosts or self.tabs)

    def enqueue_request(self, request: Request) -> bool:
        """Let *request* wait for its host; return False for a filtered duplicate.

        With `not_before` in its meta it waits for that time, with `last_round` for all others.
        """
        if not request.dont_filter and self._dupefilter.request_seen(request):
            self._dupefilter.log(request, self._spider)
            return False
        if PLAIN in request.meta:
            self.tabs.push(request)
            self._note(request, self._spider.ledger.take)
            return True
        not_before = request.meta.pop(NOT_BEFORE, 0.0)
        name = request.meta.pop(BACK_TO, None)
        record = request.meta.get(RECORD)
        if request.meta.pop(LAST_ROUND, False) and isinstance(record, Record):
            error, _, status = request.meta["failure"]
            attempts = request.meta["retry_times"]
            self.hosts.remaining.last_round.defer(record.position, attempts, error, status)
            self._spider.ledger.put_back(record.position)
            return True
        downloader: Any = cast("Any", self.crawler.engine).downloader
        if redirected := request.meta.get("redirect_urls"):
            # Scrapy lets it keep the slot of the host that it comes from.
            downloader.leave_slot(request, urlparse(redirected[-1]).hostname or "")
        origin = origin_of(request.url)
        if name or self.hosts.kept.get(slot := downloader.get_slot_key(request)):
            self.hosts.push(name or slot, origin, request, request.priority, not_before)
        else:
            self.hosts.push_to_group(slot, origin, request, request.priority)
        self._note(request, self._spider.ledger.take)
        self._watch()
        return True

    def next_request(self) -> Request | None:
        """Return the next request, or None while no host that has work has room."""
        request = self.tabs.take()
        if request or self.tabs.is_crowded:
            return request
        while request is None and (turn := self.hosts.take()):
            if turn.probe is not None:
                request = self._probe(turn.probe, turn.origin)
            else:
                request = turn.request if turn.record is None else self._build(turn.record, turn)
            if request is not None:
                self._out[request] = Out(turn.origin, turn.sent)
                self._note(request, self._spider.ledger.take)
            else:
                self.hosts.give_back(turn.origin)
        self._watch()
        return request

    def finished(self, request: Request) -> None:
        """Note that the downloader is done with *request*; `ListDownloader` calls it."""
        if PLAIN in request.meta:
            self.tabs.leave(request)
        out = self._out.pop(request, None)
        if out is not None:  # None: robots.txt and the like never went through here
            if request.callback is _nothing:
                out.origin.probed(out.sent, monotonic())
            self.hosts.give_back(out.origin)
        self._note(request, self._spider.ledger.let_go)
        self._watch()

    def out(self, request: Request) -> Out | None:
        """Return to which origin *request* was given out; None when it came another way."""
        return self._out.get(request)

    @staticmethod
    def _note(request: Request, what: Callable[[int], None]) -> None:
        """Tell the ledger what happens to the record that *request* is for, if it is for one."""
        record = request.meta.get(RECORD)
        if isinstance(record, Record):
            what(record.position)

    def _find_group(self, host: str, ready: Callable[[str], None]) -> None:
        is_now = True

        def found(group: str) -> None:
            ready(group)
            if not is_now:
                self._wake()

        cast("Any", self.crawler.engine).downloader.groups.find(host, found)
        is_now = False

    def _watch(self) -> None:
        """See to what becomes due without anything else happening."""
        while self.hosts.given_up:
            self._write_off.start(self.hosts.given_up.popleft())
        at = self.hosts.wake_at
        if at is None or (self._alarm and self._alarm_at <= at) or self._is_closed:
            return
        if self._alarm:
            self._alarm.cancel()
        self._alarm_at = at
        self._alarm = call_later(max(0.0, at - monotonic()), self._ring)

    def _ring(self) -> None:
        # No new alarm from here: the engine may have no room, and what is due would ring again at
        # once and for ever. It asks when it has, and `next_request` sets the next one.
        self._alarm = None
        self._wake()

    def _wake(self) -> None:
        downloader: Any = self.crawler.engine and self.crawler.engine.downloader
        downloader.wake()

    @staticmethod
    def _probe(good: Request, origin: Origin[Request]) -> Request:
        """Return what went well before, to be asked once more; the answer is nobody's page."""
        meta = {key: value for key, value in good.meta.items() if key in _KEPT_BY_PROBES}
        meta |= {
            "dont_obey_robotstxt": True,  # the page was allowed before
            "dont_redirect": True,
            "dont_retry": True,
            "dont_cache": True,
            "download_timeout": origin.probe_timeout(meta["download_timeout"]),
        }
        return good.replace(callback=_nothing, errback=_nothing, dont_filter=True, meta=meta)

    def _build(self, resolved: Resolved, turn: Turn[Request]) -> Request | None:
        """Return the request for a record, or write its row when the spider cannot build one."""
        record, target = resolved
        self._spider.ledger.hand_out(record.position)
        if not isinstance(target, InvalidUrl) and 0 < self._longest_url < len(target.url):
            reason = f"the URL has more than {self._longest_url} characters (URLLENGTH_LIMIT)"
            target = InvalidUrl("bad-url", reason)
        if isinstance(target, InvalidUrl):  # so, or the list has changed under the index
            self._spider.write_row(Page.of(record).fail(target.error, str(target)))
            return None
        try:
            request = self._spider.request_for(record, target)
            if not isinstance(request, Request):
                raise TypeError(f"returned {type(request).__name__}, no Request")
        except (Exception, SystemExit, KeyboardInterrupt, CancelledError) as error:
            logger.exception("request_for failed on %(record)s", {"record": record})
            reason = f"request_for raised {type(error).__name__}: {error}"
            self._spider.write_row(Page.of(record).fail("extract", reason))
            return None
        if turn.attempts:
            request.meta["retry_times"] = turn.attempts
            request.meta[IS_LAST_ROUND] = True
        return request


def _nothing(result: Any) -> None:
    """Take what comes of a probe: the middlewares have told the host."""
