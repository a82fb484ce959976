"""Code that ends in no Exception, or never: a row, or a clean stop."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from crawling import Crawl, SiteProcess, crawl_list, run_scrapy

COMPONENTS = {
    # where it raises: error and words of the row. Without a page the row comes at the end.
    "process_request": ("middleware", "Downloader.process_request raised "),
    "process_response": ("middleware", "Downloader.process_response raised "),
    "process_spider_input": ("middleware", "Spider.process_spider_input raised "),
    "process_item": ("pipeline", "Pipeline.process_item raised "),
    "process_spider_output": ("middleware", "Spider.process_spider_output raised "),
}
SLOW = {
    # where it waits: error and reason of the row
    "process_request": ("middleware", "SlowDownloader.process_request took longer than 1 s"),
    "process_response": ("middleware", "SlowDownloader.process_response took longer than 1 s"),
    # Its steps include those of parse_page, which has a second of its own.
    "process_spider_output": (
        "middleware",
        "SlowSpider.process_spider_output took longer than 2 s",
    ),
    "process_item": ("pipeline", "SlowPipeline.process_item took longer than 1 s"),
    "coroutine": ("extract", "parse_page took longer than 1 s"),
    "generator": ("extract", "parse_page took longer than 1 s"),
    "callback": ("", ""),  # one for a request of the spider's own
    "item_scraped": ("", ""),  # an extension
}
MINE = ["-s", "SPIDER_MODULES=urlcrawler.spiders,stoppers"]


def components(prefix: str = "") -> list[str]:
    """Return the words that put the components of stoppers.py in."""
    words = []
    for setting, name in [
        ("DOWNLOADER_MIDDLEWARES", "Downloader"),
        ("SPIDER_MIDDLEWARES", "Spider"),
        ("ITEM_PIPELINES", "Pipeline"),
    ]:
        words += ["-s", f"{setting}={json.dumps({f'stoppers.{prefix}{name}': 50})}"]
    return words


def test_a_component_that_raises_cancelled_error_leaves_the_row(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """Scrapy would wait for ever for three of the five. N records, N rows, none of them lost."""
    lines = [site.url(f"/page/{name}") for name in [*COMPONENTS, "fine"]]
    crawled = crawl(lines, *components(), "-s", "STOPPER=CancelledError")
    expected = [(error, f"{words}CancelledError") for error, words in COMPONENTS.values()]
    assert [(row["error"], row["reason"]) for row in crawled.rows] == [*expected, ("", "")]
    assert crawled.exit_code == 0


@pytest.mark.parametrize("kind", ["SystemExit", "KeyboardInterrupt"])
def test_a_component_that_ends_the_process_stops_the_crawl_cleanly(
    tmp_path: Path, site: SiteProcess, kind: str
) -> None:
    """Each run stops with 75 at the next of the components, and the last one completes the table.

    Scrapy would hang, or leave with exit code 0 and no row.
    """
    lines = []
    for name in COMPONENTS:  # the page between two of them is under way when the crawl stops
        lines += [site.url(f"/page/{name}"), site.url(f"/page/fine?delay=0.4&after={name}")]
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    again = ["crawl", "urls", "-a", "file=urls.txt", "-o", "table.csv"]
    for place, (name, (error, words)) in enumerate(COMPONENTS.items()):
        crawled = run_scrapy(
            tmp_path, *again, *components(), "-s", f"STOPPER={kind}", "-s", "CONCURRENT_REQUESTS=1"
        )
        assert crawled.exit_code == 75, crawled.log
        assert f"The crawl stops, because {words}{kind}" in crawled.log
        errors = [row["error"] for _, row in sorted(crawled.by_position.items()) if row["error"]]
        # Of the last one the page may still have been coming when the crawl stopped.
        has_row = name != "process_spider_output"
        assert (len(errors), errors[place:]) == (place + has_row, [error] * has_row)
    crawled = run_scrapy(tmp_path, *again)
    assert [row["url"] for row in crawled.rows] == lines
    assert [row["outcome"] for row in crawled.rows[-2:]] == ["ok", "ok"]
    assert crawled.exit_code == 0


def test_what_never_returns_is_cut_short(crawl: Callable[..., Crawl], site: SiteProcess) -> None:
    """COMPONENT_TIMEOUT: each row says which code was waited for, and the crawl ends."""
    lines = [site.url(f"/page/{name}") for name in [*SLOW, "fine"]]
    crawled = crawl(
        lines,
        *["crawl", "slow", *MINE, *components("Slow")],
        *["-s", 'EXTENSIONS={"stoppers.SlowHandler": 500}', "-s", "STOPPER_SIGNALS=item_scraped"],
        *["-s", "COMPONENT_TIMEOUT=1"],
    )
    found = [(row["error"], row["reason"].partition(",")[0]) for row in crawled.rows]
    assert found == [*SLOW.values(), ("", "")], crawled.log
    assert "Slow.parse_more took longer than 1 s" in crawled.log
    assert "SlowHandler.handler took longer than 1 s" in crawled.log
    assert crawled.exit_code == 0


def test_a_forgotten_record_has_its_row_while_the_crawl_goes_on(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """Its row does not wait for the slowest page of the list.

    Nobody works on it: other than on a page that is still fetched, or whose items keep an item
    pipeline busy for longer than it takes to call a record forgotten (here 1.1 s).
    """
    paths = ["/slow?delay=4", "/page/forgotten", "/page/items"]
    crawled = crawl(
        [site.url(path, host) for host, path in enumerate(paths, 1)],
        *["crawl", "slow", *MINE, "-s", 'ITEM_PIPELINES={"stoppers.Forgets": 500}'],
        *["-s", "COMPONENT_TIMEOUT=0.5", "-s", "SORT_TABLE=0"],
    )
    assert [row["position"] for row in crawled.rows][-1] == "1", crawled.log
    assert [crawled.by_position[n]["error"] for n in (1, 2, 3)] == ["", "lost", ""]
    assert "1 records were lost by a component; their rows say so. First: [2]" in crawled.log
    assert (len(crawled.rows), crawled.exit_code) == (3, 0)


def test_a_handler_that_raises_cancelled_error_costs_nothing(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """An extension that fails is a line in the log; Scrapy would hang after some of these."""
    signals = "spider_idle,request_scheduled,response_received,response_downloaded,item_scraped"
    crawled = crawl(
        [site.url("/page/1"), site.url("/page/2", host=2), "nope nope"],
        *["-s", 'EXTENSIONS={"stoppers.Handler": 500}', "-s", "STOPPER=CancelledError"],
        *["-s", f"STOPPER_SIGNALS={signals},request_left_downloader,spider_closed"],
    )
    assert [row["outcome"] for row in crawled.rows] == ["ok", "ok", "invalid"]
    assert "Handler.handler raised CancelledError" in crawled.log
    assert crawled.exit_code == 0


@pytest.mark.parametrize(
    ("signal", "kind"),
    [("item_scraped", "SystemExit"), ("response_downloaded", "KeyboardInterrupt")],
)
def test_a_handler_that_ends_the_process_stops_the_crawl_cleanly(
    crawl: Callable[..., Crawl], site: SiteProcess, signal: str, kind: str
) -> None:
    """Pages under way have their rows, the others are the next run's."""
    crawled = crawl(
        [site.url(f"/page/{page}?delay=0.2") for page in range(5)],
        *["-s", 'EXTENSIONS={"stoppers.Handler": 500}', "-s", f"STOPPER={kind}"],
        *["-s", f"STOPPER_SIGNALS={signal}", "-s", "CONCURRENT_REQUESTS=1"],
    )
    assert f"The crawl stops, because Handler.handler raised {kind}: 0" in crawled.log
    assert {row["outcome"] for row in crawled.rows} == {"ok"}
    assert (len(crawled.rows) < 5, crawled.exit_code) == (True, 75)


@pytest.mark.parametrize(("kind", "code"), [("SystemExit", 5), ("KeyboardInterrupt", 130)])
def test_the_end_of_the_event_loop_is_no_success(
    crawl: Callable[..., Crawl], site: SiteProcess, kind: str, code: int
) -> None:
    """Nobody can guard what a component gives to the loop; `sys.exit(0)` is not exit code 0."""
    crawled = crawl(
        [site.url(f"/page/{page}?delay=0.2") for page in range(5)],
        *["-s", 'EXTENSIONS={"stoppers.Later": 500}', "-s", f"STOPPER={kind}"],
        *["-s", "STOPPER_SIGNALS=item_scraped", "-s", "CONCURRENT_REQUESTS=1"],
    )
    assert f"{kind} has ended the crawl. The rows so far are whole" in crawled.log
    assert [row["outcome"] for row in crawled.rows] == ["ok"]
    assert crawled.exit_code == code


def test_callbacks_of_the_spider_end_too(crawl: Callable[..., Crawl], site: SiteProcess) -> None:
    """start(), an errback, and the callback of a request that is not for a record."""
    lines = [site.url("/page/callback"), "http://127.0.0.1:1/refused", "nope nope"]
    words = ["crawl", "stops_outside", *MINE, "-s", "RETRY_TIMES=0"]
    crawled = crawl(lines, *words, "-s", "STOPPER=CancelledError")
    assert [row["error"] for row in crawled.rows] == ["", "extract", "bad-url"], crawled.log
    assert crawled.rows[1]["reason"] == "StopsOutside.errback raised CancelledError"
    for words_of_log in ("StopsOutside.parse_more raised", "start raised CancelledError"):
        assert words_of_log in crawled.log
    assert crawled.exit_code == 0


def test_an_exit_in_start_stops_the_crawl(tmp_path: Path, site: SiteProcess) -> None:
    """`sys.exit()` among the first rows ended with exit code 0 and without a word."""
    began = time.monotonic()
    lines = ["nope nope", *(site.url(f"/page/{page}?delay=0.5") for page in range(9))]
    words = ["crawl", "stops_outside", *MINE, "-s", "STOPPER=SystemExit"]
    crawled = crawl_list(tmp_path, lines, *words, "-s", "CONCURRENT_REQUESTS=1")
    assert "The crawl stops, because start raised SystemExit: 0" in crawled.log
    assert (crawled.exit_code, len(crawled.rows) < 10) == (75, True)
    assert time.monotonic() - began < 30
