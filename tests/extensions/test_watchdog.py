"""The code that keeps everything else waiting is named."""

import re
from collections.abc import Callable

from crawling import Crawl, Server, site_of

MINE = ("-s", "SPIDER_MODULES=urlcrawler.spiders,saboteurs")


def test_a_callback_that_blocks_is_named_once(crawl: Callable[..., Crawl]) -> None:
    """With its file and line; the crawl goes on, and the stats keep for how long it was."""
    with site_of(Server().routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(3)]
        crawled = crawl(lines, "crawl", "works_hard", *MINE, "-s", "STATS_DUMP=1")
    assert [row["outcome"] for row in crawled.rows] == ["ok"] * 3
    assert crawled.log.count("Nothing else has gone on for over 0.5 s") == 1
    assert "saboteurs.py:" in crawled.log.split("the crawl stands in ")[1].split("\n")[0]
    blocked = re.search(r"'watchdog/blocked_max': ([\d.]+)", crawled.log)
    assert blocked
    assert 1.1 < float(blocked[1]) < 5


def test_it_can_be_switched_off(crawl: Callable[..., Crawl]) -> None:
    """LOOP_BLOCKED_WARNING=0."""
    with site_of(Server().routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/1"]
        crawled = crawl(lines, "crawl", "works_hard", *MINE, "-s", "LOOP_BLOCKED_WARNING=0")
    assert "Nothing else has gone on" not in crawled.log


def test_an_ordinary_crawl_says_nothing(crawl: Callable[..., Crawl]) -> None:
    """Nobody is named who has not done anything."""
    with site_of(Server().routes) as site:
        crawled = crawl([f"http://127.0.0.1:{site.port}/{n}" for n in range(50)])
    assert "Nothing else has gone on" not in crawled.log
