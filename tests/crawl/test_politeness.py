"""What servers ask for is done, and what they cannot carry is not asked of them."""

import asyncio
import json
import os
import re
import signal
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from crawling import (
    PAGE,
    Crawl,
    Server,
    SiteProcess,
    crawl_that_says,
    needs_addresses,
    rules,
    site_of,
)

from urlcrawler.demo import names
from urlcrawler.demo.messages import Handler, Request, Response

OTHER = "127.0.0.2"


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_waited_for(crawl: Callable[..., Crawl], form: str) -> None:
    """In both forms: the host is left alone, the record is tried again, and no attempt is lost."""

    def answer(request: Request, count: int) -> Response:
        if count > 1:
            return Response(PAGE)
        at = datetime.now(UTC) + timedelta(seconds=2)
        date = at.strftime("%a, %d %b %Y %H:%M:%S GMT")
        return Response(b"", 429, [("Retry-After", "1" if form == "seconds" else date)])

    server = Server(answer)
    with site_of(server.routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(3)]
        crawled = crawl(lines, "-s", "RETRY_TIMES=0")
    assert [row["outcome"] for row in crawled.rows] == ["ok"] * 3
    assert server.gaps()[0] > 0.9
    assert sorted(row["attempts"] for row in crawled.rows) == ["1", "1", "2"]


@needs_addresses
def test_a_pause_is_that_of_one_host(crawl: Callable[..., Crawl]) -> None:
    """While one host has its rest, the others are crawled to the end."""

    def answer(request: Request, count: int) -> Response:
        if request.host == "127.0.0.1" and request.visit() == 1:
            return Response(b"", 429, [("Retry-After", "2")])
        return Response(PAGE)

    server = Server(answer)
    with site_of(server.routes, "127.0.0.1", OTHER) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(1)]
        lines += [f"http://{OTHER}:{site.port}/{n}" for n in range(40)]
        crawled = crawl(lines)
    assert [row["outcome"] for row in crawled.rows] == ["ok"] * 41
    assert [host for _, host, _ in server.times][-1] == "127.0.0.1"


@needs_addresses
def test_a_large_host_is_not_left_over_at_the_end(crawl: Callable[..., Crawl]) -> None:
    """With room for eight in all it has four of them from the start, and ends with the others."""

    small = [f"127.0.0.{host}" for host in range(2, 22)]
    asked: list[str] = []

    async def note(request: Request) -> Response | None:
        asked.append(request.host)
        await asyncio.sleep(0.06)
        return Response(PAGE)

    with site_of({"*": note}, "127.0.0.1", *small) as site:
        lines = [f"http://{host}:{site.port}/{n}" for host in small for n in range(6)]
        lines += [f"http://127.0.0.1:{site.port}/{n}" for n in range(120)]
        crawled = crawl(
            lines, "-s", "CONCURRENT_REQUESTS=8", "-s", "AUTOTHROTTLE_ENABLED=0",
            "-s", "ROBOTSTXT_OBEY=0",
        )  # fmt: skip
    assert len(crawled.rows) == 240
    assert asked[:120].count("127.0.0.1") > 25  # a few, without regard for what is left


def test_a_record_is_paused_five_times_at_most(crawl: Callable[..., Crawl]) -> None:
    """A page that answers 429 for ever gets its row, with the status, while others are crawled."""

    def answer(request: Request, count: int) -> Response:
        if request.path == "/limited":
            return Response(b"", 429, [("Retry-After", "0")])
        return Response(PAGE)

    server = Server(answer)
    with site_of(server.routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(200)]
        lines.insert(1, f"http://127.0.0.1:{site.port}/limited")
        crawled = crawl(lines)
    row = crawled.by_position[2]
    assert (row["outcome"], row["status"], row["error"]) == ("http_error", "429", "rate-limited")
    assert Counter(path for *_, path in server.times)["/limited"] == int(row["attempts"]) <= 6
    assert [row["outcome"] for row in crawled.rows].count("ok") == 200


def test_a_quota_that_is_used_up_pauses_the_host_before_it_refuses(
    crawl: Callable[..., Crawl],
) -> None:
    """RateLimit-Remaining: 0 is enough."""

    def answer(request: Request, count: int) -> Response:
        left = "0" if count == 2 else "9"
        return Response(PAGE, 200, [("X-RateLimit-Remaining", left), ("X-RateLimit-Reset", "1")])

    server = Server(answer)
    with site_of(server.routes) as site:
        crawl([f"http://127.0.0.1:{site.port}/{n}" for n in range(4)])
    assert max(server.gaps()) == server.gaps()[1] > 0.9


@pytest.mark.parametrize("rule", ["Crawl-delay: 0.4", "Request-rate: 5/2"])
def test_the_pace_of_robots_txt_is_kept(crawl: Callable[..., Crawl], rule: str) -> None:
    """Both ways of asking for it; the first page already waits for none."""
    server = Server(robots=rules(f"User-agent: *\n{rule}\n"))
    with site_of(server.routes) as site:
        crawled = crawl([f"http://127.0.0.1:{site.port}/{n}" for n in range(5)])
    assert len(crawled.rows) == 5
    assert min(server.gaps()[1:]) > 0.37
    assert max(server.gaps()) < 4  # the engine is told; of its own accord it looks every 5 s


def test_an_absurd_crawl_delay_is_capped_and_said(crawl: Callable[..., Crawl]) -> None:
    """An hour between two pages is a mistake, or means "not at all"; the log says what it gets."""
    server = Server(robots=rules("User-agent: *\nCrawl-delay: 3600\n"))
    with site_of(server.routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(4)]
        crawled = crawl(lines, "-s", "AUTOTHROTTLE_MAX_DELAY=0.3")
    assert "asks in its robots.txt for 3600 s between two requests; it gets 0.3 s" in crawled.log
    assert len(crawled.rows) == 4
    assert min(server.gaps()[1:]) > 0.27


def test_download_delay_keeps_its_meaning(crawl: Callable[..., Crawl]) -> None:
    """It is the least delay of each host, as with AutoThrottle."""
    server = Server()
    with site_of(server.routes) as site:
        crawl([f"http://127.0.0.1:{site.port}/{n}" for n in range(4)], "-s", "DOWNLOAD_DELAY=0.3")
    assert min(server.gaps()) > 0.27


def test_a_host_begins_with_one_request_and_never_exceeds_the_ceiling(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """What a host was given stands in a file beside the table."""
    lines = [site.url(f"/page/{n}?delay=0.05&size=500", host=31) for n in range(150)]
    crawled = crawl(lines, "-s", "CONCURRENT_REQUESTS_PER_DOMAIN=4")
    path = crawled.table.with_name(".table.csv.hosts.csv")
    header, line = path.read_text(encoding="utf-8").splitlines()
    used = dict(zip(header.split(","), line.split(","), strict=True))
    assert (used["host"], used["requests"], used["ok"]) == (names.shop(31), "150", "150")
    assert 1 < int(used["highest"]) <= 4
    assert 0.05 <= float(used["latency"]) < 1


@needs_addresses
@pytest.mark.parametrize("kind", ["domain", "ip"])
def test_hosts_of_a_group_share_one_limit(crawl: Callable[..., Crawl], kind: str) -> None:
    """Two names of one domain, or one address: together they get what one host gets."""
    busy, most = [0], [0]

    async def answer(request: Request) -> Response:
        busy[0] += 1
        most[0] = max(most[0], busy[0])
        await asyncio.sleep(0.05)
        busy[0] -= 1
        return Response(PAGE)

    routes: dict[str, Handler] = {"/*": answer, "/robots.txt": Server().robots}
    hosts = ["127.0.0.1", "localhost"] if kind == "ip" else [names.shop(1), names.shop(2)]
    with (
        site_of(routes, "127.0.0.1", names.address_of(hosts[0]), names.address_of(hosts[1]))
        if (kind == "domain")
        else site_of(routes) as site
    ):
        lines = [f"http://{host}:{site.port}/{n}" for host in hosts for n in range(20)]
        crawled = crawl(
            lines,
            *["-s", f"THROTTLE_GROUP_BY={kind}", "-s", "CONCURRENT_REQUESTS_PER_DOMAIN=2"],
            *["-s", "AUTOTHROTTLE_ENABLED=0"],
        )
    assert Counter(row["outcome"] for row in crawled.rows) == {"ok": 40}
    assert most[0] == 2


@needs_addresses
def test_what_redirects_into_a_group_has_the_limit_of_the_group(
    crawl: Callable[..., Crawl],
) -> None:
    """Also when nothing of that host stands in the list, so that its address is not known yet."""
    busy, most = [0], [0]

    async def answer(request: Request) -> Response:
        if request.path.startswith("/from"):
            target = f"http://localhost:{site.port}/to{request.path}"
            return Response(b"", 302, [("Location", target)])
        busy[0] += 1
        most[0] = max(most[0], busy[0])
        await asyncio.sleep(0.05)
        busy[0] -= 1
        return Response(PAGE)

    routes: dict[str, Handler] = {"/*": answer, "/robots.txt": Server().robots}
    with site_of(routes) as site:
        paths = [f"{kind}/{n}" for kind in ("from", "x") for n in range(20)]
        lines = [f"http://127.0.0.1:{site.port}/{path}" for path in paths]
        words = ("-s", "CONCURRENT_REQUESTS_PER_DOMAIN=2", "-s", "AUTOTHROTTLE_ENABLED=0")
        crawled = crawl(lines, *words, "-s", "THROTTLE_GROUP_BY=ip")
    assert Counter(row["outcome"] for row in crawled.rows) == {"ok": 40}
    assert most[0] == 2


def test_the_summary_names_the_hosts_that_took_longest(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """What they were given stands beside them."""
    lines = [site.url(f"/page/{n}?delay=2", 35) for n in range(4)]
    crawled = crawl(lines, "-s", "DOWNLOAD_DELAY=2.5")
    found = re.search(rf"^ +([\d.]+) +4 +4 +0 .*{names.shop(35)}$", crawled.log, re.MULTILINE)
    assert found, crawled.log
    assert float(found[1]) >= 7


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("THROTTLE_GROUP_BY=subnet", "must be host or domain or ip, not 'subnet'"),
        ("AUTOTHROTTLE_TARGET_CONCURRENCY=0", "must be a number from 1 on, not '0'"),
        ("BACKOFF_START=soon", "must be a number from 0 on, not 'soon'"),
        ("CONCURRENT_REQUESTS_PER_DOMAIN=1.5", "must be a whole number from 1 on, not '1.5'"),
        ("DOWNLOAD_DELAY=inf", "must be a number from 0 on, not 'inf'"),
        ("RETRY_HTTP_CODES=5xx", "must be a whole number from 100 on, not '5xx'"),
        ('DOWNLOAD_SLOTS={"a": 1}', "must hold an object for each host"),
        (
            'DOWNLOAD_SLOTS={"a": {"concurrency": 0}}',
            "concurrency of 'a': must be a whole number from 1 on, not 0",
        ),
        ("RETRY_LAST_ROUND=maybe", "must be 1 or 0, not 'maybe'"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(
    crawl: Callable[..., Crawl], setting: str, said: str
) -> None:
    """One sentence with the knob and the value, before the first request."""
    crawled = crawl(["http://127.0.0.1:1/"], "-s", setting)
    assert f"setting {setting.split('=')[0]}: {said}" in crawled.log
    assert (crawled.exit_code, "Traceback" in crawled.log) == (1, False)


def test_debug_shows_what_each_answer_did(crawl: Callable[..., Crawl], site: SiteProcess) -> None:
    """AUTOTHROTTLE_DEBUG keeps its meaning: a line for each answer."""
    crawled = crawl([site.url(f"/page/{n}", 36) for n in range(5)], "-s", "AUTOTHROTTLE_DEBUG=1")
    assert len(re.findall(rf"slot: {names.shop(36)} \| conc: \d of +\d+ ", crawled.log)) == 5


def test_a_middleware_may_keep_answers_out_of_it(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """`autothrottle_dont_adjust_delay` is the meta key of Scrapy: the limit stays where it was."""
    middlewares = json.dumps({"saboteurs.DoesNotAdjust": 50})
    lines = [site.url(f"/page/{n}?delay=0.02&size=500", 37) for n in range(40)]
    crawled = crawl(lines, "-s", f"DOWNLOADER_MIDDLEWARES={middlewares}")
    used = crawled.table.with_name(".table.csv.hosts.csv").read_text(encoding="utf-8")
    header, line = used.splitlines()
    assert dict(zip(header.split(","), line.split(","), strict=True))["highest"] == "1"


def test_ctrl_c_does_not_wait_for_a_pause(crawl: Callable[..., Crawl], tmp_path: Path) -> None:
    """Stopped while a host has its rest, the crawl ends soon, and goes on when it runs again."""
    patient = [True]

    def answer(request: Request, number: int) -> Response:
        if number > 3 and patient:
            return Response(b"", 429, [("Retry-After", "200")])
        return Response(PAGE)

    server = Server(answer)
    with site_of(server.routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(30)]
        (tmp_path / "urls.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        with crawl_that_says(tmp_path, "is left alone for", "-o", "table.csv") as process:
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 130
        patient.clear()
        crawled = crawl(lines, fresh=False)
    assert [int(row["position"]) for row in crawled.rows] == list(range(1, 31))
    assert {row["outcome"] for row in crawled.rows} == {"ok"}
    assert len(server.times) <= 31 + 1


def test_download_slots_keeps_its_meaning(crawl: Callable[..., Crawl], site: SiteProcess) -> None:
    """A host that is named there has that many requests at a time, and that delay."""
    slots = json.dumps({names.shop(38): {"concurrency": 2}, "127.0.0.1": {"delay": 0.3}})
    server = Server()
    with site_of(server.routes) as other:
        lines = [site.url(f"/page/{n}?delay=0.1&size=500", 38) for n in range(30)]
        lines += [f"http://127.0.0.1:{other.port}/{n}" for n in range(4)]
        crawled = crawl(lines, "-s", f"DOWNLOAD_SLOTS={slots}", "-s", "AUTOTHROTTLE_ENABLED=0")
    used = crawled.table.with_name(".table.csv.hosts.csv").read_text(encoding="utf-8")
    highest = {line.split(",")[0]: line.split(",")[5] for line in used.splitlines()}
    assert highest[names.shop(38)] == "2"
    assert min(server.gaps()) > 0.27


MINE = ("-s", "SPIDER_MODULES=urlcrawler.spiders,saboteurs")


def test_what_a_callback_waits_for_is_not_retried_for_ever(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """`engine.download_async` with a record's meta: its attempts, and then the answer."""
    row = crawl([site.url("/page/1", 39)], "crawl", "downloads_again", *MINE).only()
    assert (row["outcome"], row["title"]) == ("ok", "500")


def test_a_request_that_is_no_record_ends_with_its_robots_txt(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """A spider's own request to a host without a robots.txt to be had does not keep the crawl."""
    server = Server(robots=Response(b"", 503))
    with site_of(server.routes) as other:
        elsewhere = f"elsewhere=http://127.0.0.1:{other.port}/"
        lines = [site.url("/page/1", 39)]
        crawled = crawl(lines, "crawl", "asks_elsewhere", *MINE, "-a", elsewhere)
    assert crawled.only()["outcome"] == "ok"
    assert crawled.exit_code == 0
    assert len(server.robots_times) == 4
    assert server.times == []


def test_retry_after_of_a_robots_txt_is_capped(crawl: Callable[..., Crawl]) -> None:
    """By RETRY_AFTER_MAX, like any other."""
    server = Server(robots=Response(b"", 503, [("Retry-After", "86400")]))
    with site_of(server.routes) as site:
        crawled = crawl([f"http://127.0.0.1:{site.port}/"], "-s", "RETRY_AFTER_MAX=0.5")
    assert crawled.only()["error"] == "robots-unreachable"


@needs_addresses
@pytest.mark.parametrize("kind", ["refresh", "redirect"])
def test_what_other_pages_lead_to_is_polite_to_its_own_host(
    crawl: Callable[..., Crawl], kind: str
) -> None:
    """A refresh in a page and a redirect alike, from however many hosts they come."""
    busy, most = [0], [0]

    async def answer(request: Request) -> Response:
        if request.host != "127.0.0.1":
            target = f"http://127.0.0.1:{site.port}{request.path}"
            if kind == "redirect":
                return Response(b"", 302, [("Location", target)])
            return Response(f'<meta http-equiv="refresh" content="0; url={target}">'.encode())
        busy[0] += 1
        most[0] = max(most[0], busy[0])
        await asyncio.sleep(0.05)
        busy[0] -= 1
        return Response(PAGE)

    hosts = [f"127.0.0.{n}" for n in range(2, 8)]
    routes: dict[str, Handler] = {"/*": answer, "/robots.txt": Server().robots}
    with site_of(routes, "127.0.0.1", *hosts) as site:
        lines = [f"http://{host}:{site.port}/{n}{host}" for host in hosts for n in range(4)]
        words = ("-s", "CONCURRENT_REQUESTS_PER_DOMAIN=1", "-s", "AUTOTHROTTLE_ENABLED=0")
        crawled = crawl(lines, *words)
    assert Counter(row["outcome"] for row in crawled.rows) == {"ok": 24}
    assert most[0] == 1


def test_a_crawl_delay_holds_for_those_that_waited_for_it(crawl: Callable[..., Crawl]) -> None:
    """Requests that were given out before the robots.txt was there go out one after the other."""
    server = Server(robots=rules("User-agent: *\nCrawl-delay: 0.3\n"))
    with site_of(server.routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(6)]
        crawl(lines, "-s", "AUTOTHROTTLE_ENABLED=0")
    assert min(server.gaps()) > 0.27


def test_a_slot_of_a_spiders_own_has_the_pauses_of_its_host(crawl: Callable[..., Crawl]) -> None:
    """Whatever `download_slot` says: the host that asked for a rest has it."""

    def answer(request: Request, number: int) -> Response:
        return Response(b"", 429, [("Retry-After", "1")]) if number == 2 else Response(PAGE)

    server = Server(answer)
    with site_of(server.routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(4)]
        crawled = crawl(lines, "crawl", "chooses_a_slot", *MINE)
    assert {row["outcome"] for row in crawled.rows} == {"ok"}
    assert server.gaps()[1] > 0.9


def test_pages_that_always_refuse_do_not_slow_the_others_for_ever(
    crawl: Callable[..., Crawl],
) -> None:
    """429 for a page is not 429 for a rate, when all others are given."""

    def answer(request: Request, number: int) -> Response:
        if int(request.path[1:]) % 10 == 3:
            return Response(b"", 429, [("Retry-After", "0")])
        return Response(PAGE)

    server = Server(answer)
    with site_of(server.routes) as site:
        crawled = crawl([f"http://127.0.0.1:{site.port}/{n}" for n in range(100)])
    assert Counter(row["error"] for row in crawled.rows) == {"": 90, "rate-limited": 10}


def test_an_alarm_does_not_ring_without_end(crawl: Callable[..., Crawl]) -> None:
    """A host that is due while the engine has no room costs no processor time."""

    async def slow(request: Request) -> Response:
        await asyncio.sleep(3)
        return Response(PAGE)

    with site_of({"/*": slow, "/robots.txt": Server().robots}) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(2)]
        lines += [f"http://localhost:{site.port}/{n}" for n in range(2)]
        began = sum(os.times()[2:4])
        words = ("-s", "CONCURRENT_REQUESTS=1", "-s", "DOWNLOAD_DELAY=0.5")
        crawled = crawl(lines, *words)
    assert len(crawled.rows) == 4
    assert sum(os.times()[2:4]) - began < 8  # seconds of the 12 that it takes
