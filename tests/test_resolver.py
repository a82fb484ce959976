"""Host names -> addresses: asked once, remembered, and never waited for too long."""

import json
import socket
import time
from collections import Counter
from collections.abc import Callable

from crawling import Crawl, SiteProcess

MINE = ("-s", "TWISTED_DNS_RESOLVER=saboteurs.TellingResolver")


def test_a_name_is_asked_for_once_for_all_who_wait_for_it(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """Sixteen requests to a new host are one question, and the answer serves the whole crawl."""
    lines = [site.url(f"/page/{n}?size=500") for n in range(60)]
    crawled = crawl(lines, *MINE, "-s", "AUTOTHROTTLE_ENABLED=0", "-s", "ROBOTSTXT_OBEY=0")
    assert Counter(row["outcome"] for row in crawled.rows) == {"ok": 60}
    assert crawled.stdout.count("asked for shop-01.demo.test") == 1


def test_a_name_that_does_not_resolve_is_remembered_too(crawl: Callable[..., Crawl]) -> None:
    """The records of a name that nobody knows do not each ask for it."""
    crawled = crawl([f"http://gone.invalid/{n}" for n in range(30)], *MINE)
    assert {row["error"] for row in crawled.rows} <= {"dns", "host-down"}
    assert crawled.stdout.count("asked for gone.invalid") == 1


def test_a_resolver_that_never_answers_costs_dns_timeout(crawl: Callable[..., Crawl]) -> None:
    """The name counts as not to be resolved."""
    began = time.monotonic()
    crawled = crawl(["http://never.example.test/"], *MINE, "-s", "DNS_TIMEOUT=1")
    assert crawled.only()["error"] == "dns"
    assert time.monotonic() - began < 20


def test_a_thousand_slow_names_do_not_hold_up_the_others(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """While they are waited for, the hosts that resolve are crawled to their end."""
    slow = [f"http://never.h{n}.test:{site.port}/page/1" for n in range(1000)]
    well = [site.url(f"/page/{n}?size=500", host) for host in (2, 3) for n in range(20)]
    words = ("-s", "SORT_TABLE=0", "-s", "RETRY_TIMES=0", "-s", "DNS_TIMEOUT=5")
    crawled = crawl(slow + well, *MINE, *words)
    places = [place for place, row in enumerate(crawled.rows) if row["outcome"] == "ok"]
    assert places == list(range(40))
    assert len(crawled.rows) == 1040


def test_addresses_of_both_families_are_tried(crawl: Callable[..., Crawl]) -> None:
    """[::1] and names with only an AAAA record are reachable."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
            server.listen()
            port = server.getsockname()[1]
    except OSError:
        return  # this machine has no IPv6
    assert crawl([f"http://[::1]:{port}/"]).only()["error"] == "refused"


def test_without_a_cache_every_connection_asks(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """DNSCACHE_ENABLED keeps its meaning."""
    lines = [site.url(f"/drop?n={n}") for n in range(3)]
    crawled = crawl(lines, *MINE, "-s", "DNSCACHE_ENABLED=0", "-s", "RETRY_ENABLED=0")
    assert crawled.stdout.count("asked for shop-01.demo.test") > 1
    assert json.dumps([row["error"] for row in crawled.rows]) == '["reset", "reset", "reset"]'
