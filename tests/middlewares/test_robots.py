"""robots.txt of a host, for each of its records."""

from collections.abc import Callable

from crawling import Crawl, SiteProcess


def test_every_record_that_waits_for_robots_txt_obeys_it(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """Requests that wait together for the same robots.txt all learn what it says."""
    crawled = crawl([site.url(f"/private/{page}", host=7) for page in range(12)])
    assert {row["outcome"] for row in crawled.rows} == {"robots"}
    assert len(crawled.rows) == 12


def test_robots_txt_is_ignored_on_request(crawl: Callable[..., Crawl], site: SiteProcess) -> None:
    """ROBOTSTXT_OBEY keeps its meaning."""
    assert crawl([site.url("/private/secret")], "-s", "ROBOTSTXT_OBEY=0").only()["status"] == "200"
