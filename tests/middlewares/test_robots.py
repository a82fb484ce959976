"""robots.txt of a host, for each of its records (RFC 9309)."""

from collections import Counter
from collections.abc import Callable

import pytest
from crawling import PAGE, Crawl, Server, SiteProcess, rules, site_of

from urlcrawler.demo.messages import Request, Response

FORBIDS = "User-agent: *\nDisallow: /private\n"


def crawl_of(crawl: Callable[..., Crawl], server: Server, *words: str, pages: int = 3) -> Crawl:
    """Crawl a few pages and a forbidden one of *server*."""
    with site_of(server.routes) as site:
        root = f"http://127.0.0.1:{site.port}"
        return crawl([*(f"{root}/{n}" for n in range(pages)), f"{root}/private"], *words)


def outcomes(crawled: Crawl) -> list[str]:
    return [row["error"] or row["outcome"] for row in crawled.rows]


def test_every_record_that_waits_for_robots_txt_obeys_it(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """Requests that wait together for the same robots.txt all learn what it says."""
    crawled = crawl(
        [site.url(f"/private/{page}", host=7) for page in range(12)],
        *["-s", "AUTOTHROTTLE_ENABLED=0"],
    )
    assert {row["outcome"] for row in crawled.rows} == {"robots"}
    assert len(crawled.rows) == 12


def test_robots_txt_is_ignored_on_request(crawl: Callable[..., Crawl], site: SiteProcess) -> None:
    """ROBOTSTXT_OBEY keeps its meaning."""
    assert crawl([site.url("/private/secret")], "-s", "ROBOTSTXT_OBEY=0").only()["status"] == "200"


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_robots_txt_that_is_not_there_allows_everything(
    crawl: Callable[..., Crawl], status: int
) -> None:
    """4xx is unavailable, whatever rules the body of the error page holds (2.3.1.3)."""
    server = Server(robots=Response(FORBIDS.encode(), status))
    assert outcomes(crawl_of(crawl, server)) == ["ok"] * 4
    assert len(server.robots_times) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_robots_txt_that_fails_is_tried_again(crawl: Callable[..., Crawl], status: int) -> None:
    """Until it is there nothing is requested, and nothing is lost (2.3.1.4)."""

    def robots(request: Request, number: int) -> Response:
        return rules(FORBIDS) if number > 2 else Response(b"", status)

    server = Server(robots=robots)
    crawled = crawl_of(crawl, server)
    assert outcomes(crawled) == ["ok"] * 3 + ["robots"]
    assert [row["attempts"] for row in crawled.rows] == ["1", "1", "1", "0"]
    assert len(server.robots_times) == 3
    assert server.robots_times[-1] < server.times[0][0]


def test_retry_after_of_a_robots_txt_is_waited_for(crawl: Callable[..., Crawl]) -> None:
    """A server that is being mended says when it is back."""

    def robots(request: Request, number: int) -> Response:
        return rules("") if number > 1 else Response(b"", 503, [("Retry-After", "2")])

    server = Server(robots=robots)
    crawl_of(crawl, server)
    assert server.robots_times[1] - server.robots_times[0] >= 2


def test_a_host_whose_robots_txt_stays_unreachable_is_not_crawled(
    crawl: Callable[..., Crawl],
) -> None:
    """Every record has its row, no page was requested, and robots.txt a few times."""
    server = Server(robots=Response(b"", 503))
    crawled = crawl_of(crawl, server, pages=300)
    assert Counter(outcomes(crawled)) == {"robots-unreachable": 301}
    assert {row["outcome"] for row in crawled.rows} == {"skipped"}
    assert {row["reason"] for row in crawled.rows} == {"robots.txt: the server answered 503"}
    assert server.times == []
    assert len(server.robots_times) < 10
    assert crawled.exit_code == 0


def test_a_host_that_cannot_be_spoken_to_says_so_itself(crawl: Callable[..., Crawl]) -> None:
    """That robots.txt was refused is no news when every connection is."""
    assert outcomes(crawl(["http://127.0.0.1:1/"])) == ["refused"]


def test_rules_count_to_500_kib(crawl: Callable[..., Crawl]) -> None:
    """What stands behind that is not read, nor taken over the network to its end (2.5)."""
    filler = "# a comment that says nothing\n" * 30_000
    early = Server(robots=rules(FORBIDS + filler * 10))
    late = Server(robots=rules("User-agent: *\n" + filler + "Disallow: /private\n"))
    assert outcomes(crawl_of(crawl, early)) == ["ok"] * 3 + ["robots"]
    assert outcomes(crawl_of(crawl, late)) == ["ok"] * 4


def test_a_redirect_of_robots_txt_is_followed(crawl: Callable[..., Crawl]) -> None:
    """Its rules are those of the host that was asked (2.3.1.2)."""

    def answer(request: Request, number: int) -> Response:
        return rules(FORBIDS) if request.path == "/rules" else Response(PAGE)

    server = Server(answer, Response(status=301, headers=[("Location", "/rules")]))
    assert outcomes(crawl_of(crawl, server)) == ["ok"] * 3 + ["robots"]


def test_a_robots_txt_that_redirects_for_ever_allows_everything(
    crawl: Callable[..., Crawl],
) -> None:
    """As if it were not there (2.3.1.2)."""
    server = Server(robots=Response(status=302, headers=[("Location", "/robots.txt")]))
    assert outcomes(crawl_of(crawl, server)) == ["ok"] * 4


def test_robots_txt_is_fetched_once(crawl: Callable[..., Crawl]) -> None:
    """However many requests wait for it."""
    server = Server(robots=rules(FORBIDS))
    crawl_of(crawl, server, "-s", "AUTOTHROTTLE_ENABLED=0", pages=50)
    assert len(server.robots_times) == 1


def test_rules_for_this_crawler_go_before_those_for_all(crawl: Callable[..., Crawl]) -> None:
    """The name in USER_AGENT is the one that robots.txt means."""
    server = Server(robots=rules("User-agent: urlcrawler\nDisallow: /1\n\n" + FORBIDS))
    assert outcomes(crawl_of(crawl, server)) == ["ok", "robots", "ok", "ok"]
