"""The throttle hears what happens through Scrapy's signals."""

from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Request, Spider, signals
from scrapy.http import Response
from scrapy.robotstxt import ProtegoRobotParser
from scrapy.utils.misc import build_from_crawler
from scrapy.utils.test import get_crawler

from urlcrawler.extensions.throttle import HostThrottle
from urlcrawler.hosts.kept import KeptHosts
from urlcrawler.hosts.manners import Manners, Sent
from urlcrawler.hosts.window import Window

URL = "http://example.com/"


@pytest.fixture
def crawler() -> Any:
    """A crawler with a throttle, whose scheduler has given out one request of one host."""
    crawler: Any = get_crawler(Spider, {"USER_AGENT": "urlcrawler"})
    crawler.spider = SimpleNamespace(ledger=None)
    kept = KeptHosts[Request](Manners(), {})
    origin = kept.origin("example.com", "http://example.com", 0.0)
    sent = origin.host.sent(0.0)
    request = Request(URL, meta={"download_latency": 0.25, "download_slot": "example.com"})
    crawler.engine = SimpleNamespace(
        scheduler=SimpleNamespace(
            hosts=SimpleNamespace(kept=kept),
            out={request: SimpleNamespace(origin=origin, sent=sent)}.get,
        ),
        downloader=SimpleNamespace(
            window=Window(16),
            slots={"example.com": SimpleNamespace(concurrency=16, delay=0.0, jitter=0.5)},
            get_slot_key=lambda request: "example.com",
        ),
    )
    crawler.kept, crawler.host, crawler.request = kept, origin.host, request
    crawler.throttle = build_from_crawler(HostThrottle, crawler)  # signals hold it weakly
    return crawler


def download(crawler: Any, request: Request | None = None, status: int = 200) -> None:
    crawler.signals.send_catch_log(
        signals.response_downloaded,
        response=Response(URL, status=status),
        request=request or crawler.request,
        spider=crawler.spider,
    )


def test_an_answer_tells_its_latency(crawler: Any) -> None:
    """From the request's meta, to the host that it was given out to."""
    download(crawler)
    assert crawler.host.usage.latency == 0.25


def test_what_an_answer_waits_in_this_process_is_not_its_hosts(crawler: Any) -> None:
    """Nor is connecting. As the wait is a mean, it never takes more than half of an answer."""
    crawler.engine.downloader.window.wait = 0.04
    crawler.request.meta["host_latency"] = 0.2
    download(crawler)
    assert crawler.host.usage.latency == pytest.approx(0.16)
    crawler.request.meta["host_latency"] = 0.05
    download(crawler)
    download(crawler)
    assert crawler.host.usage.latency == pytest.approx(0.025)


def test_the_download_slot_shows_what_was_decided(crawler: Any) -> None:
    """Requests that do not come through the scheduler are held to it as well."""
    crawler.host.pace.ask(2.0, 0.0)
    download(crawler)
    slot = crawler.engine.downloader.slots["example.com"]
    assert (slot.concurrency, slot.delay, slot.jitter) == (1, 2.0, 0.0)


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_a_complaint_tells_no_latency(crawler: Any, status: int) -> None:
    """Refusing is fast, and says nothing of how long a page takes."""
    download(crawler, status=status)
    assert crawler.host.usage.latency is None


def test_what_went_around_the_scheduler_tells_nothing(crawler: Any) -> None:
    """robots.txt is a small file, and no page."""
    download(crawler, Request(URL, meta={"download_latency": 9.0}))
    assert crawler.host.usage.latency is None


def test_a_redirect_is_an_answer(crawler: Any) -> None:
    """No middleware of ours sees it after the one for redirects."""
    download(crawler, status=302)
    assert crawler.host.usage.ok == 1
    silent = crawler.kept.origin("b.com", "http://b.com", 0.0)
    for origin in (silent, crawler.kept.origin("c.com", "http://c.com", 0.0)):
        origin.unreachable(Sent(0.0, 1, 1), 1.0, "read-timeout", "", weight=3)
    assert not crawler.kept.may_be_offline(silent)


@pytest.mark.parametrize(
    ("rules", "delay"),
    [
        ("User-agent: *\nCrawl-delay: 7", 7.0),
        ("User-agent: *\nRequest-rate: 1/20", 20.0),
        ("User-agent: *\nCrawl-delay: 7\n\nUser-agent: urlcrawler\nCrawl-delay: 3", 3.0),
        ("User-agent: *\nCrawl-delay: 999", 60.0),
        ("User-agent: *\nCrawl-delay: -1", 0.0),
        ("User-agent: *\nCrawl-delay: soon\nRequest-rate: 0/0", 0.0),
        ("User-agent: *\nDisallow: /x", 0.0),
    ],
)
def test_a_robots_txt_tells_a_pace(crawler: Any, rules: str, delay: float) -> None:
    """The one for this crawler, within AUTOTHROTTLE_MAX_DELAY."""
    crawler.signals.send_catch_log(
        signals.robots_parsed,
        robotparser=ProtegoRobotParser(rules.encode(), None),
        request=crawler.request,
    )
    assert crawler.host.pace.delay(0.0) == delay
