"""Scrapy's seam for "what is next": asked exactly when the engine has room for a request."""

import logging
from asyncio import CancelledError
from collections.abc import Callable
from typing import Any

from scrapy import Request, Spider
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler
from scrapy.dupefilters import BaseDupeFilter
from scrapy.utils.misc import build_from_crawler, load_object

from urlcrawler.exceptions import InvalidUrl
from urlcrawler.inputs.hosts import Host, HostQueue
from urlcrawler.inputs.index import Resolved
from urlcrawler.inputs.records import Record
from urlcrawler.items import Page

logger = logging.getLogger(__name__)


class ListScheduler(BaseScheduler):
    """Give out the records of the list, and whatever else the engine schedules, host by host.

    A request for a record is built when it is given out, so their number is bounded by the
    concurrency. Redirects, retries and requests of a spider's own wait here for room on their
    host, before its next record.
    """

    def __init__(self, crawler: Crawler, dupefilter: BaseDupeFilter) -> None:
        self.crawler = crawler
        self._dupefilter = dupefilter
        self._out: dict[Request, Host[Request]] = {}
        self._hosts: HostQueue[Request]

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "ListScheduler":
        """Build the scheduler with the DUPEFILTER_CLASS, for requests that are no records."""
        filter_class = load_object(crawler.settings["DUPEFILTER_CLASS"])
        return cls(crawler, build_from_crawler(filter_class, crawler))

    def open(self, spider: Spider) -> Any:
        """Take over the list that the spider has indexed."""
        list_spider: Any = spider
        self._spider = list_spider
        self._hosts = HostQueue(
            list_spider.index,
            total=self.crawler.settings.getint("CONCURRENT_REQUESTS"),
            per_host=self.crawler.settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN"),
            done=list_spider.ledger.__contains__,
        )
        return self._dupefilter.open()

    def close(self, reason: str) -> Any:
        """Close the duplicate filter; records without a row are the next run's."""
        return self._dupefilter.close(reason)

    def has_pending_requests(self) -> bool:
        """Return whether a record or a request waits."""
        return bool(self._hosts)

    def enqueue_request(self, request: Request) -> bool:
        """Let *request* wait for its host; return False for a filtered duplicate."""
        if not request.dont_filter and self._dupefilter.request_seen(request):
            self._dupefilter.log(request, self._spider)
            return False
        slot = self.crawler.engine.downloader.get_slot_key(request)
        self._hosts.push(slot, request, request.priority)
        self._note(request, self._spider.ledger.take)
        return True

    def next_request(self) -> Request | None:
        """Return the next request, or None while no host that has work has room."""
        while turn := self._hosts.take():
            request = turn.request if turn.record is None else self._build(turn.record)
            if request is not None:
                self._out[request] = turn.host
                self._note(request, self._spider.ledger.take)
                return request
            self._hosts.give_back(turn.host)
        return None

    def finished(self, request: Request) -> None:
        """Note that the downloader is done with *request*; `ListDownloader` calls it."""
        host = self._out.pop(request, None)
        if host is not None:  # None: robots.txt and the like never went through here
            self._hosts.give_back(host)
        self._note(request, self._spider.ledger.let_go)

    @staticmethod
    def _note(request: Request, what: Callable[[int], None]) -> None:
        """Tell the ledger what happens to the record that *request* is for, if it is for one."""
        record = request.meta.get("record")
        if isinstance(record, Record):
            what(record.position)

    def _build(self, resolved: Resolved) -> Request | None:
        """Return the request for a record, or write its row when the spider cannot build one."""
        record, target = resolved
        self._spider.ledger.hand_out(record.position)
        if isinstance(target, InvalidUrl):  # the list has changed under the index
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
        return request
