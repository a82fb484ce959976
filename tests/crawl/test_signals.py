"""What an extension hears of a record, as README says it."""

import json
import re
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

from crawling import Crawl, SiteProcess
from listener import NAMES

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SECTION = README.split("\n## Signals\n")[1].split("\n## ")[0]
LISTED = {
    name
    for line in SECTION.splitlines()
    if line.startswith("| `")
    for name in re.findall(r"`(\w+)`", line.split("|")[1])
}
SENT = ["request_reached_downloader"]
ANSWERED = [*SENT, "headers_received", "bytes_received", "response_downloaded"]
RETRIED = [*ANSWERED, "request_left_downloader"]
RECEIVED = [*RETRIED, "response_received"]
SCHEDULED = ["request_scheduled"]
ROW = ["item_scraped"]
# Of each record what is sent about its URL, and whether its row comes with a response.
HEARD = {
    "/page/1": ([*RECEIVED, *ROW], True),
    "/status/404": ([*RECEIVED, *ROW], True),
    "/page/3": ([*RECEIVED, *ROW], True),  # parse_page raises
    "/page/4": ([*RECEIVED, "item_dropped", *ROW], False),
    "/page/5": ([*RECEIVED, "item_error", *ROW], False),
    "/flaky/heard": ([*RETRIED, *SCHEDULED, *RECEIVED, *ROW], True),
    "/private/1": (ROW, True),  # of a failure: robots.txt forbids it
}
LAST = [
    "spider_idle", "spider_closed", "feed_slot_closed", "feed_exporter_closed", "engine_stopped",
]  # fmt: skip


def test_readme_says_of_a_record_which_signals_are_sent(
    crawl: Callable[..., Crawl], tmp_path: Path, site: SiteProcess
) -> None:
    """Each row exactly once; requests when they are sent; what raises in `parse_page` is a row."""
    lines = [*map(site.url, HEARD), "not a url", site.url("/redirect/1", host=2)]
    modules = ("-s", "SPIDER_MODULES=listener")
    crawled = crawl(lines, "crawl", "heard", *modules, "-s", "RETRY_TIMES=1")
    assert crawled.exit_code == 0
    with (tmp_path / "signals.jsonl").open() as file:
        # A body may come in several pieces.
        heard = [json.loads(line) for line, _ in groupby(file)]
    for path, (signals, has_response) in HEARD.items():
        about = [one for one in heard if one["about"] == site.url(path)]
        # The first request to a host has its robots.txt read before.
        assert [one["signal"] for one in about if one["signal"] != "robots_parsed"] == signals
        assert about[-1]["response"] is has_response
        kinds = {one["signal"]: one["item"] for one in about if one["item"]}
        assert kinds.pop("item_scraped") == "Row"
        assert {*kinds.values()} <= {"Page"}
    (invalid,) = [one for one in heard if one["about"] == "not a url"]
    assert (invalid["signal"], invalid["response"]) == ("item_scraped", False)
    redirect = [one["signal"] for one in heard if one["about"] == site.url("/redirect/1", host=2)]
    assert "response_received" not in redirect
    target = [one["signal"] for one in heard if one["about"] == site.url("/page/1", host=2)]
    assert target == [*SCHEDULED, *RECEIVED]
    sent = [one["signal"] for one in heard]
    assert sent[-len(LAST) :] == LAST
    assert sent.count("item_scraped") == len(lines) == len(crawled.rows)
    assert {*sent, "spider_error"} - {"spider_opened", "engine_started"} == LISTED
    assert {*NAMES} > LISTED
    assert "spider_error" not in sent
