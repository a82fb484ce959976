"""Pages that fail for now are tried again, and hosts that are down cost seconds."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from statistics import median

import pytest
from crawling import PAGE, Crawl, Server, SiteProcess, needs_addresses, site_of

from urlcrawler.demo import names
from urlcrawler.demo.messages import Request, Response

MINE = ("-s", "SPIDER_MODULES=urlcrawler.spiders,saboteurs")


async def hang() -> None:
    await asyncio.sleep(600)


def test_a_host_that_is_down_costs_a_few_requests_and_no_other_host_a_second(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """5,000 records of a host that refuses, before those of others: every record has its row."""
    others = [site.url(f"/page/{n}?size=500", host) for host in (2, 3) for n in range(50)]
    crawled = crawl([f"http://127.0.0.1:1/{n}" for n in range(5000)] + others)
    found = Counter((row["outcome"], row["error"]) for row in crawled.rows)
    assert found["ok", ""] == 100
    assert found["skipped", "host-down"] + found["failed", "refused"] == 5000
    assert sum(int(row["attempts"]) for row in crawled.rows if row["error"] == "refused") < 20
    assert "http://127.0.0.1:1 is given up: the server refused the connection" in crawled.log
    assert crawled.exit_code == 0


def test_a_host_that_goes_silent_is_given_up_too(crawl: Callable[..., Crawl]) -> None:
    """After a timeout it is asked with shorter and shorter patience, not once for every record."""
    server = Server()

    async def silent(request: Request) -> Response | None:
        if len(server.times) < 20:
            return await server.page(request)
        await hang()
        return None

    with site_of({**server.routes, "/*": silent}) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(1000)]
        crawled = crawl(lines, "-s", "DOWNLOAD_TIMEOUT=1")
    found = Counter(row["error"] for row in crawled.rows)
    assert found[""] == 20
    assert found["host-down"] > 950
    assert len(crawled.rows) == 1000


def test_broken_pages_in_a_row_are_not_taken_for_a_host_that_is_down(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """A host is asked for a page that went well before it is given up."""
    lines = [site.url(f"/page/{n}?size=500", 32) for n in range(10)]
    lines += [site.url(f"/drop?n={n}", 32) for n in range(20)]
    lines += [site.url(f"/page/{n}?size=500", 32) for n in range(10, 20)]
    crawled = crawl(lines)
    found = Counter(row["error"] for row in crawled.rows)
    assert found == {"": 20, "reset": 20}


def test_a_host_that_only_refuses_is_given_up(crawl: Callable[..., Crawl]) -> None:
    """It is asked a few times, at growing intervals, and not once for every record."""
    server = Server(lambda request, count: Response(b"", 429))
    with site_of(server.routes) as site:
        crawled = crawl([f"http://127.0.0.1:{site.port}/{n}" for n in range(500)])
    assert {row["error"] for row in crawled.rows} <= {"rate-limited", "host-down"}
    assert len(crawled.rows) == 500
    assert len(server.times) < 20
    assert crawled.exit_code == 0


def test_a_page_that_went_well_and_then_fails_ends_no_crawl(crawl: Callable[..., Crawl]) -> None:
    """A host that answers 500 to its probes is asked a few times, not without end."""

    def answer(request: Request, number: int) -> Response:
        if number > 20:
            return Response(b"", 403 if request.visit() == 1 and "/0" not in request.path else 500)
        return Response(PAGE)

    server = Server(answer)
    with site_of(server.routes) as site:
        crawled = crawl([f"http://127.0.0.1:{site.port}/{n}" for n in range(100)])
    assert len(crawled.rows) == 100
    assert len(server.times) < 60
    assert "is given up: the server answered 500" in crawled.log


def test_a_probe_that_a_middleware_swallows_ends_no_crawl(crawl: Callable[..., Crawl]) -> None:
    """What nobody calls a success is none."""
    middlewares = json.dumps({"saboteurs.SwallowsProbes": 800})
    server = Server(lambda request, number: Response(PAGE, 200 if number <= 5 else 403))
    with site_of(server.routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(60)]
        crawled = crawl(lines, "-s", f"DOWNLOADER_MIDDLEWARES={middlewares}")
    assert len(crawled.rows) == 60
    assert Counter(row["error"] for row in crawled.rows)["host-down"] > 40


def test_what_is_still_failing_is_tried_once_more_at_the_end(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """After RETRY_TIMES the record waits until all others are done."""
    lines = [site.url("/flaky/late?times=3", 33), *(site.url(f"/page/{n}", 33) for n in range(20))]
    row = crawl(lines).by_position[1]
    assert (row["outcome"], row["attempts"]) == ("ok", "4")


def test_the_last_round_can_be_left_out(crawl: Callable[..., Crawl], site: SiteProcess) -> None:
    """RETRY_LAST_ROUND=0: three attempts, and no more."""
    row = crawl([site.url("/flaky/no?times=3", 33)], "-s", "RETRY_LAST_ROUND=0").only()
    assert (row["error"], row["attempts"]) == ("http-5xx", "3")


def test_what_is_no_transient_failure_is_not_retried(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """404 stays 404, and a TLS that is none stays none."""
    lines = [site.url("/status/404", 34), site.url("/x", 34).replace("http:", "https:")]
    crawled = crawl(lines)
    assert [(row["error"], row["attempts"]) for row in crawled.rows] == [
        ("http-4xx", "1"),
        ("tls", "1"),
    ]


def test_records_that_wait_for_the_last_round_keep_what_is_known_of_them(
    crawl: Callable[..., Crawl],
) -> None:
    """When their host is given up meanwhile, the row has the status and the attempts they had."""

    async def answer(request: Request) -> Response | None:
        server.times.append((time.time(), request.host, request.path))
        if len(server.times) > 40:
            await hang()
        return Response(PAGE, 500 if request.path.endswith("bad") else 200)

    server = Server()
    with site_of({**server.routes, "/*": answer}) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}bad" for n in range(4)]
        lines += [f"http://127.0.0.1:{site.port}/{n}" for n in range(28)]
        crawled = crawl(lines, "-s", "DOWNLOAD_TIMEOUT=1", "-s", "BACKOFF_START=0.01")
    bad = [row for row in crawled.rows if row["url"].endswith("bad")]
    assert {(row["error"], row["status"]) for row in bad} <= {
        ("http-5xx", "500"),
        ("read-timeout", ""),
    }
    assert all(int(row["attempts"]) >= 3 for row in bad)


def test_retries_back_off(crawl: Callable[..., Crawl]) -> None:
    """A page that failed is asked again after a while, at random, and not at once."""
    server = Server(lambda request, number: Response(PAGE, 500 if request.visit() == 1 else 200))
    with site_of(server.routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(24)]
        crawled = crawl(lines, "-s", "BACKOFF_START=2", "-s", "AUTOTHROTTLE_ENABLED=0")
    assert {row["attempts"] for row in crawled.rows} == {"2"}
    first: dict[str, float] = {}
    waits = [at - first.setdefault(path, at) for at, _, path in server.times]
    assert 0.4 < median(filter(None, waits)) < 3


def test_one_port_without_robots_txt_does_not_hold_up_the_other(
    crawl: Callable[..., Crawl],
) -> None:
    """Two sites on one host name: each has a robots.txt of its own."""
    well, ill = Server(), Server(robots=Response(b"", 503))
    with site_of(well.routes) as first, site_of(ill.routes) as second:
        lines = [f"http://127.0.0.1:{second.port}/{n}" for n in range(3)]
        lines += [f"http://127.0.0.1:{first.port}/{n}" for n in range(100)]
        crawled = crawl(lines)
    found = Counter(row["error"] for row in crawled.rows)
    assert found == {"": 100, "robots-unreachable": 3}
    assert len(ill.robots_times) == 4


def test_a_host_that_is_unavailable_from_the_start_is_given_up(crawl: Callable[..., Crawl]) -> None:
    """503 to everything: it is asked a few times, not three times for every record."""
    server = Server(lambda request, number: Response(b"", 503))
    with site_of(server.routes) as site:
        crawled = crawl([f"http://127.0.0.1:{site.port}/{n}" for n in range(1000)])
    found = Counter((row["outcome"], row["error"]) for row in crawled.rows)
    assert found.total() == 1000
    assert set(found) == {("http_error", "http-5xx"), ("skipped", "host-down")}
    assert len(server.times) < 40
    assert "is given up: the server answered 503" in crawled.log


@pytest.mark.parametrize("times", [1, 2])
def test_a_host_each_of_whose_pages_is_unavailable_at_first_is_not(
    crawl: Callable[..., Crawl], times: int
) -> None:
    """It wakes up page by page; a probe is the next attempt of a record, too."""
    server = Server(lambda request, n: Response(PAGE, 503 if request.visit() <= times else 200))
    with site_of(server.routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(100)]
        crawled = crawl(lines, "-s", "BACKOFF_START=0.05")
    assert Counter(row["outcome"] for row in crawled.rows) == {"ok": 100}
    assert {row["attempts"] for row in crawled.rows} <= {"2", "3"}


def test_unavailable_pages_are_not_taken_for_a_host_that_is_down(
    crawl: Callable[..., Crawl],
) -> None:
    """Fifty in a row, behind one gateway; the host still gives the page that went well before."""

    def answer(request: Request, number: int) -> Response:
        return Response(PAGE, 502 if 20 <= int(request.path[1:]) < 70 else 200)

    server = Server(answer)
    with site_of(server.routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(90)]
        crawled = crawl(lines, "-s", "BACKOFF_START=0.05")
    found = Counter((row["error"], row["status"]) for row in crawled.rows)
    assert found == {("", "200"): 40, ("http-5xx", "502"): 50}
    assert {row["attempts"] for row in crawled.rows if row["error"]} == {"4"}


def test_a_port_that_is_down_does_not_hold_up_the_other(crawl: Callable[..., Crawl]) -> None:
    """Two servers on one host: one is given up, the other keeps the limit of the host."""
    well, ill = Server(), Server()

    async def silent(request: Request) -> Response | None:
        ill.times.append((time.time(), request.host, request.path))
        await hang()
        return None

    with site_of(well.routes) as first, site_of({**ill.routes, "/*": silent}) as second:
        lines = [f"http://127.0.0.1:{second.port}/{n}" for n in range(1000)]
        lines += [f"http://127.0.0.1:{first.port}/{n}" for n in range(300)]
        crawled = crawl(lines, "-s", "DOWNLOAD_TIMEOUT=1")
    found = Counter(row["error"] for row in crawled.rows)
    assert found[""] == 300
    assert found["host-down"] > 990
    assert len(ill.times) < 10


@needs_addresses
@pytest.mark.parametrize("kind", ["domain", "ip"])
def test_a_member_of_a_group_that_is_down_is_given_up_alone(
    crawl: Callable[..., Crawl], kind: str
) -> None:
    """One name of a domain, or of an address, is dead: the others are crawled to the end."""
    dead, alive = ("localhost", "127.0.0.1") if kind == "ip" else (names.shop(1), names.shop(2))
    server = Server()
    addresses = ["127.0.0.1"] if kind == "ip" else ["127.0.0.1", names.address_of(alive)]
    with site_of(server.routes, *addresses) as site:
        lines = [f"http://{dead}:1/{n}" for n in range(1000)]
        lines += [f"http://{alive}:{site.port}/{n}" for n in range(100)]
        crawled = crawl(lines, "-s", f"THROTTLE_GROUP_BY={kind}")
    found = Counter((row["outcome"], row["error"]) for row in crawled.rows)
    assert found["ok", ""] == 100
    assert found["skipped", "host-down"] > 990
    assert found.total() == 1100
