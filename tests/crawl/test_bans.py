"""Pages that stand in for the page that was asked for, and hosts that ban."""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from crawling import PAGE, Crawl, Server, site_of

from urlcrawler.demo.messages import Request, Response

MINE = ("-s", "SPIDER_MODULES=urlcrawler.spiders,saboteurs")


def cached(folder: Path) -> list[str]:
    """Return the words for a crawl whose answers are kept."""
    return ["-s", "HTTPCACHE_ENABLED=1", "-s", f"HTTPCACHE_DIR={folder / 'cache'}"]


def test_a_challenge_page_is_no_page(crawl: Callable[..., Crawl]) -> None:
    """Its row says blocked instead of ok, whatever the status."""

    def answer(request: Request, count: int) -> Response:
        if request.path == "/1":
            return Response(b"<title>Wait...</title>", 200, [("cf-mitigated", "challenge")])
        return Response(PAGE)

    server = Server(answer)
    with site_of(server.routes) as site:
        crawled = crawl([f"http://127.0.0.1:{site.port}/{n}" for n in range(3)])
    assert [row["error"] for row in crawled.rows] == ["", "blocked", ""]
    row = crawled.by_position[2]
    assert (row["outcome"], row["status"], row["title"]) == ("failed", "200", "")
    assert row["reason"] == "a page of Cloudflare answered instead of the page"


def test_a_ban_is_waited_out(crawl: Callable[..., Crawl]) -> None:
    """403 to everything, on a host that had answered: its records are not lost to it."""
    banned: list[float] = []

    def answer(request: Request, count: int) -> Response:
        if count == 60:
            banned.append(time.time())
        if banned and time.time() < banned[0] + 2:
            return Response(b"go away", 403)
        return Response(PAGE)

    server = Server(answer)
    with site_of(server.routes) as site:
        crawled = crawl([f"http://127.0.0.1:{site.port}/{n}" for n in range(300)])
    found = Counter(row["error"] for row in crawled.rows)
    assert found[""] >= 297  # those before it was clear
    assert found["http-4xx"] <= 3
    assert sum(banned[0] <= at < banned[0] + 2 for at, *_ in server.times) < 30


def test_forbidden_pages_in_a_row_are_no_ban(crawl: Callable[..., Crawl]) -> None:
    """A page that went well is still given, so 403 is what these pages answer."""

    def answer(request: Request, count: int) -> Response:
        return Response(PAGE, 403 if 20 <= int(request.path[1:]) < 60 else 200)

    server = Server(answer)
    with site_of(server.routes) as site:
        crawled = crawl([f"http://127.0.0.1:{site.port}/{n}" for n in range(80)])
    assert Counter(row["error"] for row in crawled.rows) == {"": 40, "http-4xx": 40}
    assert {row["status"] for row in crawled.rows if row["error"]} == {"403"}


def test_a_probe_is_the_request_that_went_well(crawl: Callable[..., Crawl]) -> None:
    """With its headers: without them the host would be taken for one that bans."""

    def answer(request: Request, number: int) -> Response:
        is_page = "x-key" in request.headers and not 20 <= int(request.path[1:]) < 40
        return Response(PAGE, 200 if is_page else 403)

    server = Server(answer)
    with site_of(server.routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(60)]
        crawled = crawl(lines, "crawl", "adds_a_header", *MINE)
    assert Counter(row["error"] for row in crawled.rows) == {"": 40, "http-4xx": 20}


def test_a_probe_follows_no_redirect(crawl: Callable[..., Crawl]) -> None:
    """It asks whether the host is well, and an answer says so, wherever it leads."""

    def answer(request: Request, number: int) -> Response:
        if request.path in ("/0", "/1", "/2", "/3", "/4"):
            moved = [("Location", "/elsewhere")]
            return Response(PAGE) if request.visit() == 1 else Response(b"", 302, moved)
        return Response(PAGE, 403 if number < 12 else 200)

    server = Server(answer)
    with site_of(server.routes) as site:
        crawled = crawl([f"http://127.0.0.1:{site.port}/{n}" for n in range(20)])
    visits = Counter(path for *_, path in server.times)
    assert "/elsewhere" not in visits
    assert visits["/4"] > 1  # the probe: a page that went well before
    assert len(crawled.rows) == 20


def test_a_refresh_in_a_challenge_page_is_not_followed(crawl: Callable[..., Crawl]) -> None:
    """It leads back to the same page, again and again."""
    body = b'<meta http-equiv="refresh" content="0; url=/elsewhere">'
    server = Server(lambda request, number: Response(body, 200, [("cf-mitigated", "challenge")]))
    with site_of(server.routes) as site:
        crawled = crawl([f"http://127.0.0.1:{site.port}/"], "-s", "METAREFRESH_ENABLED=1")
    assert crawled.only()["error"] == "blocked"
    assert {path for *_, path in server.times} == {"/"}


def test_a_challenge_page_out_of_the_cache_is_blocked_too(
    crawl: Callable[..., Crawl], tmp_path: Path
) -> None:
    """With HTTPCACHE_ENABLED the second crawl asks nobody, and its table is the same."""
    challenge = [("cf-mitigated", "challenge")]
    server = Server(lambda r, n: Response(PAGE, 200, challenge if r.path == "/1" else []))
    with site_of(server.routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(4)]
        first = crawl(lines, *cached(tmp_path))
        asked = len(server.times)
        second = crawl(lines, *cached(tmp_path))
    assert len(server.times) == asked
    assert [row["error"] for row in first.rows] == ["", "blocked", "", ""]
    assert [row["error"] for row in second.rows] == ["", "blocked", "", ""]


@pytest.mark.parametrize("what", ["page", "robots.txt"])
def test_a_failure_of_the_moment_is_not_kept_in_the_cache(
    crawl: Callable[..., Crawl], tmp_path: Path, what: str
) -> None:
    """Tomorrow's crawl asks again."""
    ill = [what]

    def answer(path: str) -> Callable[[Request, int], Response]:
        return lambda request, number: Response(PAGE, 503 if path in ill else 200)

    server = Server(answer("page"), answer("robots.txt"))
    words = (*cached(tmp_path), "-s", "RETRY_TIMES=0", "-s", "BACKOFF_START=0.01")
    with site_of(server.routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/"]
        error = crawl(lines, *words).only()["error"]
        ill.clear()
        row = crawl(lines, *words).only()
    assert error == ("http-5xx" if what == "page" else "robots-unreachable")
    assert row["outcome"] == "ok"
