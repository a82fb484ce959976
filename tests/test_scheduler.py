"""What is next: records by turns, and what else the engine schedules."""

import json
from collections.abc import Callable
from urllib.request import urlopen

from crawling import Crawl, SiteProcess, serving

from urlcrawler.demo import names


def stats(site: SiteProcess) -> dict[str, dict[str, int]]:
    with urlopen(f"http://127.0.0.1:{site.port}/__stats__") as answer:
        found: dict[str, dict[str, int]] = json.load(answer)
        return found


def test_no_host_has_more_requests_than_its_ceiling(crawl: Callable[..., Crawl]) -> None:
    """CONCURRENT_REQUESTS_PER_DOMAIN holds for records and for what they redirect to."""
    with serving(sorted({"127.0.0.1", *names.addresses(5)})) as site:
        target = site.url("/page/1?delay=0.2", host=3)
        redirects = [site.url(f"/redirect/1?to={target}", host=2 + n % 4) for n in range(20)]
        pages = [site.url(f"/page/{page}?delay=0.2") for page in range(20)]
        crawl(
            redirects + pages,
            "-a",
            "duplicates=fetch",
            "-s",
            "CONCURRENT_REQUESTS_PER_DOMAIN=3",
            "-s",
            "AUTOTHROTTLE_ENABLED=0",
        )
        peak = stats(site)["peak"]
    assert (peak[names.shop(1)], peak[names.shop(3)]) == (3, 3)


def test_hosts_are_crawled_side_by_side(crawl: Callable[..., Crawl], site: SiteProcess) -> None:
    """A list sorted by host is not crawled host by host."""
    lines = [site.url(f"/page/{page}?delay=0.1", host) for host in (1, 2, 3) for page in range(8)]
    crawled = crawl(lines, "-s", "SORT_TABLE=0")
    first = {row["url"].split(":")[1] for row in crawled.rows[:9]}
    assert len(first) == 3


def test_each_page_is_requested_once(crawl: Callable[..., Crawl]) -> None:
    """N different pages cost N requests and one robots.txt."""
    with serving(sorted({"127.0.0.1", *names.addresses(1)})) as site:
        crawl([site.url(f"/page/{page}") for page in range(30)])
        requests = stats(site)["requests"]
    assert requests == {
        f"{names.shop(1)} {path}": 1
        for path in ["/robots.txt", *(f"/page/{page}" for page in range(30))]
    }


def test_an_ordinary_spider_keeps_the_parts_of_scrapy(
    scrapy: Callable[..., Crawl], site: SiteProcess
) -> None:
    """A spider that reads no list crawls beside the others, with its own items and feed."""
    crawled = scrapy(
        "crawl",
        "ordinary",
        "-a",
        f"root={site.url('/page/1')}",
        "-O",
        "table.csv",
        "-s",
        "SPIDER_MODULES=urlcrawler.spiders,saboteurs",
    )
    assert crawled.rows == [{"title": "Product 1"}]
    assert crawled.exit_code == 0
