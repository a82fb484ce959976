"""What pages and lists say reaches the log in writing, and no password does."""

import logging
from collections.abc import Callable

from crawling import Crawl, Server, site_of

from urlcrawler.demo.messages import Response
from urlcrawler.extensions.cleanlogs import CleanLogs


def test_escape_sequences_do_not_reach_the_terminal(crawl: Callable[..., Crawl]) -> None:
    """Neither out of the list nor out of a page, at any level of the log."""
    body = b"<title>\x1b]0;owned\x07\x1b[31m</title>"
    headers = [("X-Header", "\x1b[2J"), ("Location", "/\x1b[2J")]
    with site_of(Server(lambda request, number: Response(body, 200, headers)).routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/\x1b[2J", "\x1b[2J\x9b5n\u202e", "mailto:\x1b[1m"]
        crawled = crawl(lines, "-s", "LOG_LEVEL=DEBUG")
    assert len(crawled.rows) == 3
    assert all(char.isprintable() or char in "\n\t" for char in crawled.log)


def test_passwords_of_the_list_are_in_no_log(crawl: Callable[..., Crawl]) -> None:
    """The table has the URL as the list has it; the log, with all of Scrapy's lines, does not."""
    with site_of(Server(lambda request, number: Response(b"", 404)).routes) as site:
        lines = [
            f"http://me:s3cret@127.0.0.1:{site.port}/",
            "http://me:s3cret@127.0.0.1:1/",
            "http://me:s3cret@a..b/",
        ]
        crawled = crawl(lines, "-s", "LOG_LEVEL=DEBUG", "-s", "STATS_DUMP=1")
    assert [row["error"] for row in crawled.rows] == ["http-4xx", "refused", "bad-url"]
    assert "s3cret" not in crawled.log
    assert "s3cret" not in " ".join(str(row["reason"]) for row in crawled.rows)


def test_a_log_call_with_a_mistake_in_it_harms_nobody() -> None:
    """The handler says so, as ever; whoever called goes on."""
    record = logging.LogRecord("any", logging.INFO, "file", 1, "%d items", ("x",), None)
    CleanLogs()
    for handler in logging.getLogger().handlers:
        assert handler.filter(record)
