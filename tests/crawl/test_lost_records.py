"""Every way in which Scrapy loses a record, and the row it has here."""

import json
from collections.abc import Callable

import pytest
from crawling import Crawl, SiteProcess
from saboteurs import VICTIM

PIPELINE = "ITEM_PIPELINES"
DOWNLOADER = "DOWNLOADER_MIDDLEWARES"
SPIDER = "SPIDER_MIDDLEWARES"
FLATTEN = {"urlcrawler.pipelines.Flatten": 1000}

COMPONENTS = [
    # class in saboteurs.py, setting, order, outcome, error, words of the reason
    ("DropsInPipeline", PIPELINE, 500, "skipped", "dropped", "not wanted"),
    ("RaisesInPipeline", PIPELINE, 500, "failed", "pipeline", "ValueError: broken pipeline"),
    ("ReturnsNothing", PIPELINE, 500, "failed", "lost", "nothing came back"),
    ("DropsRow", PIPELINE, 1001, "skipped", "dropped", "not wanted"),
    ("RaisesInRequest", DOWNLOADER, 50, "failed", "middleware", "ValueError: broken middleware"),
    ("RaisesInRequest", DOWNLOADER, 990, "failed", "middleware", "ValueError: broken middleware"),
    ("RaisesInResponse", DOWNLOADER, 50, "failed", "middleware", "ValueError: broken middleware"),
    ("RaisesInResponse", DOWNLOADER, 990, "failed", "middleware", "ValueError: broken middleware"),
    ("Ignores", DOWNLOADER, 50, "skipped", "ignored", "not today"),
    ("ForgetsMeta", DOWNLOADER, 50, "failed", "lost", "nothing came back"),
    ("RaisesOnInput", SPIDER, 500, "failed", "middleware", "ValueError: broken middleware"),
    ("RaisesOnOutput", SPIDER, 500, "failed", "middleware", "ValueError: broken middleware"),
    ("SwallowsOutput", SPIDER, 500, "failed", "lost", "nothing came back"),
]

SPIDERS = [
    # name in saboteurs.py, outcome, error, words of the reason
    ("raises", "failed", "extract", "ValueError: broken callback"),
    ("raises_in_generator", "failed", "extract", "ValueError: broken callback"),
    ("raises_in_coroutine", "failed", "extract", "ValueError: broken callback"),
    ("cancels", "failed", "extract", "CancelledError"),
    ("exits", "failed", "extract", "SystemExit"),
    ("interrupts", "failed", "extract", "KeyboardInterrupt"),
    ("closes", "ok", "", ""),
    ("invents", "failed", "pipeline", "outcome 'sold-out' is none of: ok, http_error"),
    ("sets", "failed", "pipeline", "its values cannot be written: TypeError"),
    ("cannot_build", "failed", "extract", "ValueError: broken request"),
]

MINE = ["-s", "SPIDER_MODULES=urlcrawler.spiders,saboteurs"]


def listed(site: SiteProcess) -> list[str]:
    return [site.url(VICTIM), site.url("/page/1", host=2), site.url("/page/2", host=3)]


@pytest.mark.parametrize(("name", "setting", "order", "outcome", "error", "reason"), COMPONENTS)
def test_a_component_that_loses_a_record_leaves_its_row(
    crawl: Callable[..., Crawl],
    site: SiteProcess,
    name: str,
    setting: str,
    order: int,
    outcome: str,
    error: str,
    reason: str,
) -> None:
    """The row of the record says what the component did; the others are untouched."""
    components: dict[str, int | None] = {f"saboteurs.{name}": order}
    if setting == PIPELINE:
        components |= FLATTEN
    crawled = crawl(listed(site), "-s", f"{setting}={json.dumps(components)}")
    row = crawled.by_position[1]
    assert (row["outcome"], row["error"]) == (outcome, error), crawled.log
    assert reason in row["reason"]
    assert [crawled.by_position[place]["outcome"] for place in (2, 3)] == ["ok", "ok"]
    assert (len(crawled.rows), crawled.exit_code) == (3, 0)


@pytest.mark.parametrize(("spider", "outcome", "error", "reason"), SPIDERS)
def test_a_callback_that_loses_a_record_leaves_its_row(
    crawl: Callable[..., Crawl],
    site: SiteProcess,
    spider: str,
    outcome: str,
    error: str,
    reason: str,
) -> None:
    """Whatever a spider's own code raises, the record has its row, and the crawl ends."""
    crawled = crawl(listed(site), "crawl", spider, *MINE)
    row = crawled.by_position[1]
    assert (row["outcome"], row["error"]) == (outcome, error), crawled.log
    assert reason in row["reason"]


def test_an_errback_that_raises_leaves_the_row(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """An overridden errback that fails costs its words, not the row."""
    crawled = crawl(["http://127.0.0.1:1/refused"], "crawl", "raises_in_errback", *MINE)
    assert (crawled.only()["outcome"], crawled.only()["error"]) == ("failed", "extract")
    assert "broken errback" in crawled.only()["reason"]


def test_a_page_that_is_yielded_twice_has_one_row(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """One record, one row, however often a callback yields it."""
    crawled = crawl(listed(site), "crawl", "yields_twice", *MINE)
    assert sorted(crawled.by_position) == [1, 2, 3]
    assert len(crawled.rows) == 3


def test_a_request_that_the_duplicate_filter_takes_leaves_the_row(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """A middleware may replace a request by one that was seen; the record is wanted."""
    filters = json.dumps({"saboteurs.Filters": 50})
    lines = [site.url(VICTIM), site.url("/page/1")]
    crawled = crawl(lines, "-s", f"DOWNLOADER_MIDDLEWARES={filters}")
    assert {row["outcome"] for row in crawled.rows} == {"ok"}
    assert len(crawled.rows) == 2


def test_a_spider_that_overrides_parse_is_told_so(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """The usual name of a Scrapy callback would lose every row: one sentence, exit code 1."""
    crawled = crawl(listed(site), "crawl", "overrides_parse", *MINE)
    assert "write `parse_page`, not `parse`" in crawled.log
    assert (crawled.exit_code, "Traceback" in crawled.log) == (1, False)


def test_a_url_over_the_length_limit_of_scrapy_is_fetched(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """URLLENGTH_LIMIT is for links that a spider follows, not for records."""
    crawled = crawl([site.url("/page/" + "x" * 5000)])
    assert crawled.only()["outcome"] == "ok"


def test_a_pipeline_of_a_spider_does_not_replace_ours(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """custom_settings take the place of the project's; rows and robots.txt hold all the same."""
    lines = [site.url("/ok"), *(site.url(f"/private/{page}") for page in range(4))]
    crawled = crawl(lines, "crawl", "has_a_pipeline", *MINE)
    assert [row["outcome"] for row in crawled.rows] == ["ok", *["robots"] * 4]


@pytest.mark.parametrize("name", ["ITEM_PIPELINES", "EXTENSIONS", "DOWNLOADER_MIDDLEWARES"])
def test_an_empty_setting_of_components_costs_no_row(
    crawl: Callable[..., Crawl], site: SiteProcess, name: str
) -> None:
    """-s ITEM_PIPELINES={} means: none of mine."""
    crawled = crawl(listed(site), "-s", name + "={}")
    assert [row["outcome"] for row in crawled.rows] == ["ok"] * 3
    assert crawled.exit_code == 0


def test_a_request_that_cannot_be_built_because_of_an_exit_leaves_its_row(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """`sys.exit()` in request_for ended the process with exit code 0 and no table."""
    crawled = crawl(listed(site), "crawl", "exits_while_building", *MINE)
    assert [row["error"] for row in crawled.rows] == ["extract", "", ""]
