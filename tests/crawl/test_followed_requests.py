"""Requests that a spider follows from the page of a record, and the one row that they fill."""

import asyncio
import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from crawling import (
    RESOLVER,
    Crawl,
    Server,
    SiteProcess,
    crawl_list,
    crawl_under_way,
    read_table,
    run_scrapy,
    site_of,
)

from urlcrawler.demo.messages import Request, Response

MINE = ("-s", "SPIDER_MODULES=urlcrawler.spiders,followers")


def listed(site: SiteProcess, count: int = 6) -> list[str]:
    return [site.url(f"/page/{n}", host=n % 3 + 1) for n in range(count)]


def stock_of(path: str) -> str:
    """Return the stock that the demo site says to have of a page."""
    from urlcrawler.demo.pages import product

    found = re.search(rb'class="stock">(\d+)', product(path, 1000))
    assert found
    return found[1].decode()


def test_a_followed_request_adds_to_the_row_of_its_record(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """All records follow the same URL, and each has one row with what was found there."""
    crawled = crawl(listed(site), "crawl", "follows", *MINE)
    assert [row["stock"] for row in crawled.rows] == [stock_of("/page/stock")] * 6
    assert {row["outcome"] for row in crawled.rows} == {"ok"}
    assert [row["title"] for row in crawled.rows] == [f"Product {n}" for n in range(6)]
    assert crawled.exit_code == 0


def test_several_requests_add_to_one_row(crawl: Callable[..., Crawl], site: SiteProcess) -> None:
    """Two are followed from the page, a third one from the second of these."""
    crawled = crawl(listed(site), "crawl", "follows_twice", *MINE)
    assert {row["stock"] for row in crawled.rows} == {stock_of("/page/stock")}
    assert all(row["sku"].startswith("SKU-") for row in crawled.rows), crawled.rows
    assert (len(crawled.rows), crawled.exit_code) == (6, 0)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/status/404", "parse_stock (the server answered 404 Not Found)"),
        ("/status/500", "parse_stock (the server answered 500 Internal Server Error)"),
        ("http://127.0.0.1:1/", "refused the connection"),
        ("/loop", "max redirections reached"),
    ],
)
def test_a_followed_request_that_fails_is_named_in_the_row(
    crawl: Callable[..., Crawl], site: SiteProcess, path: str, reason: str
) -> None:
    """The page itself is ok; `missing` says what it lacks, and why."""
    words = ("-a", f"stock_url={path}", "-s", "RETRY_TIMES=0")
    crawled = crawl(listed(site), "crawl", "follows_to", *MINE, *words)
    assert all(reason in row["missing"] for row in crawled.rows), crawled.rows
    assert {row["outcome"] for row in crawled.rows} == {"ok"}
    assert (len(crawled.rows), crawled.exit_code) == (6, 0)


def test_an_errback_of_the_spider_may_fill_the_row(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """It is called instead, and `missing` stays empty."""
    words = ("-a", "stock_url=/status/404")
    crawled = crawl(listed(site), "crawl", "hears_failures", *MINE, *words)
    assert {(row["sku"], row["missing"]) for row in crawled.rows} == {("HttpError", "")}
    assert (len(crawled.rows), crawled.exit_code) == (6, 0)


def test_a_callback_that_raises_ends_in_the_row(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """The row names it."""
    crawled = crawl(listed(site), "crawl", "raises_later", *MINE)
    assert {row["reason"] for row in crawled.rows} == {
        "parse_stock raised ValueError: no stock here"
    }
    assert {row["error"] for row in crawled.rows} == {"extract"}
    assert crawled.exit_code == 0


def test_a_followed_request_may_be_given_the_meta_of_its_page(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """It is not taken for a request for the record."""
    crawled = crawl(listed(site), "crawl", "hands_on_meta", *MINE)
    assert {row["stock"] for row in crawled.rows} == {stock_of("/page/stock")}
    assert (len(crawled.rows), crawled.exit_code) == (6, 0)


def test_a_spider_may_ask_for_the_page_of_a_record_again(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """The row is that of the last attempt."""
    crawled = crawl(listed(site), "crawl", "asks_again", *MINE)
    assert {(row["sku"], row["attempts"], row["stock"]) for row in crawled.rows} == {
        ("third", "3", "")
    }
    assert (len(crawled.rows), crawled.exit_code) == (6, 0)


def test_a_followed_request_that_never_comes_back_costs_no_row(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """A middleware has dropped it: the page is written, and says that something is missing."""
    drops = json.dumps({"followers.DropsRequests": 500})
    crawled = crawl(listed(site), "crawl", "follows", *MINE, "-s", f"SPIDER_MIDDLEWARES={drops}")
    assert {row["outcome"] for row in crawled.rows} == {"ok"}
    assert {row["missing"] for row in crawled.rows} == {"what a request would have added"}
    assert (len(crawled.rows), crawled.exit_code) == (6, 0)


@pytest.mark.parametrize(
    ("spider", "error", "reason"),
    [
        ("names_no_callback", "extract", "/page/next has no callback: name one, or yield"),
        ("misspells", "pipeline", "'stok' in page.fields is no column. Name it in `columns`"),
    ],
)
def test_a_mistake_in_a_spider_is_said_in_the_row(
    crawl: Callable[..., Crawl], site: SiteProcess, spider: str, error: str, reason: str
) -> None:
    """What would otherwise be lost without a word is the reason of the row."""
    crawled = crawl(listed(site), "crawl", spider, *MINE)
    assert all(reason in row["reason"] for row in crawled.rows), crawled.rows
    assert {row["error"] for row in crawled.rows} == {error}
    assert (len(crawled.rows), crawled.exit_code) == (6, 0)


@pytest.mark.parametrize(
    ("spider", "sentence"),
    [
        ("bad_column", "every table has a column 'status'. Choose another name in `columns`"),
        ("bad_type", "the type of column 'stock' must be one of str, int, float, bool, json, not"),
    ],
)
def test_columns_of_a_spider_are_checked_before_the_first_request(
    crawl: Callable[..., Crawl], site: SiteProcess, spider: str, sentence: str
) -> None:
    """One sentence, and no table."""
    crawled = crawl(listed(site), "crawl", spider, *MINE)
    assert sentence in crawled.log
    assert (crawled.exit_code, crawled.table.exists()) == (1, False)


@pytest.mark.parametrize("spider", ["retries_later", "follows_the_same_twice"])
def test_a_followed_request_may_be_asked_again(
    crawl: Callable[..., Crawl], site: SiteProcess, spider: str
) -> None:
    """By get_retry_request, by replace(), or as it is."""
    crawled = crawl(listed(site), "crawl", spider, *MINE)
    stocks = {"1"} if spider == "retries_later" else {stock_of("/page/stock")}
    assert {row["stock"] for row in crawled.rows} == stocks
    assert {row["outcome"] for row in crawled.rows} == {"ok"}
    assert (len(crawled.rows), crawled.exit_code, "Traceback" in crawled.log) == (6, 0, False)


def test_a_followed_callback_that_ends_the_crawl_has_its_row(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """Otherwise the next run would end at the same record, and so would each one after it."""
    rows = 0
    for _ in range(4):
        crawled = crawl(listed(site, 3), "crawl", "closes_later", *MINE, fresh=False)
        assert len(crawled.rows) > rows or crawled.exit_code == 0
        rows = len(crawled.rows)
    assert {row["stock"] for row in crawled.rows} == {stock_of("/page/stock")}
    assert (rows, crawled.exit_code) == (3, 0)


def test_a_callback_may_return_one_item(tmp_path: Path, site: SiteProcess) -> None:
    """Of any class."""
    (tmp_path / "urls.txt").write_text("\n".join(listed(site)))
    words = ("crawl", "returns_one", *MINE, "-a", "file=urls.txt", "-s", f"FEEDS={FEED}")
    crawled = run_scrapy(tmp_path, *words)
    assert {row["outcome"] for row in crawled.rows} == {"ok"}
    assert len(read_table(tmp_path / "reviews.jsonl")) == 6


def test_a_dead_host_that_is_followed_to_costs_seconds(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """What waits for it is given up with it: no request each, with all its retries."""
    words = ("-a", "stock_url=http://127.0.0.1:1/")
    began = time.monotonic()
    crawled = crawl(listed(site, 150), "crawl", "follows_to", *MINE, *words)
    assert all("refused the connection" in row["missing"] for row in crawled.rows)
    assert {row["outcome"] for row in crawled.rows} == {"ok"}
    assert (len(crawled.rows), crawled.exit_code) == (150, 0)
    assert time.monotonic() - began < 40


def test_rows_that_wait_are_asked_for_again_after_a_kill(tmp_path: Path, site: SiteProcess) -> None:
    """A row is written when it is complete, so a kill leaves none that lacks what it waits for."""
    lines = listed(site, 120)
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    words = (*MINE, "-o", "table.csv")
    slowly, kills = ("-s", "CONCURRENT_REQUESTS_PER_DOMAIN=1"), 0
    for rows in (20, 60):
        with crawl_under_way(tmp_path, *words, *slowly, rows=rows, spider="follows") as process:
            kills += process.poll() is None
            process.kill()
    crawled = run_scrapy(tmp_path, "crawl", "follows", "-a", "file=urls.txt", *words)
    assert [row["position"] for row in crawled.rows] == [str(n + 1) for n in range(120)]
    assert {row["stock"] for row in crawled.rows} == {stock_of("/page/stock")}
    assert (kills, crawled.exit_code) == (2, 0)


FEED = json.dumps(
    {
        "table.csv": {"format": "csv"},
        "reviews.jsonl": {"format": "jsonlines", "item_classes": ["followers.Review"]},
    }
)


def test_items_of_another_class_go_to_a_feed_of_their_own(
    tmp_path: Path, site: SiteProcess
) -> None:
    """The table has one row per record all the same."""
    (tmp_path / "urls.txt").write_text("\n".join(listed(site)))
    words = ("crawl", "reviews", *MINE, "-a", "file=urls.txt", "-s", f"FEEDS={FEED}")
    crawled = run_scrapy(tmp_path, *words)
    reviews = read_table(tmp_path / "reviews.jsonl")
    assert sorted(review["url"] for review in reviews) == sorted(3 * listed(site))
    assert (len(crawled.rows), crawled.exit_code) == (6, 0)


def test_a_spider_that_names_only_a_feed_for_its_items_has_its_table_too(
    tmp_path: Path, site: SiteProcess
) -> None:
    """The table is where it is without that feed."""
    (tmp_path / "urls.txt").write_text("\n".join(listed(site)))
    words = ("crawl", "reviews_of_its_own", *MINE, "-a", "file=urls.txt")
    crawled = run_scrapy(tmp_path, *words, table="data/results/urls.csv")
    assert (len(crawled.rows), crawled.exit_code) == (6, 0)
    assert len(read_table(tmp_path / "reviews.jsonl")) == 18


def test_a_feed_of_items_goes_on_after_a_kill(tmp_path: Path, site: SiteProcess) -> None:
    """No item of a page that has its row is lost; a torn one at its end is taken away."""
    lines = listed(site, 90)
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    words, feed = (*MINE, "-s", f"FEEDS={FEED}"), tmp_path / "reviews.jsonl"
    slowly = ("-s", "CONCURRENT_REQUESTS_PER_DOMAIN=1")
    with crawl_under_way(tmp_path, *words, *slowly, rows=30, spider="reviews") as process:
        assert process.poll() is None
        process.kill()
    with feed.open("a") as torn:
        torn.write('{"url": "http')
    crawled = run_scrapy(tmp_path, "crawl", "reviews", "-a", "file=urls.txt", *words)
    reviews = read_table(feed)
    assert {review["url"] for review in reviews} == set(lines)
    assert len(reviews) >= 270
    assert (len(crawled.rows), crawled.exit_code) == (90, 0)


@pytest.mark.parametrize("processes", ["1", "2"])
def test_items_of_all_processes_go_to_the_feed(
    tmp_path: Path, site: SiteProcess, processes: str
) -> None:
    """With a table or without naming one, whole and once."""
    lines = listed(site, 20)
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    words = ("crawl", "reviews_of_its_own", *MINE, "-a", "file=urls.txt", "-o", "table.csv")
    crawled = run_scrapy(tmp_path, *words, "-s", f"PROCESSES={processes}")
    reviews = read_table(tmp_path / "reviews.jsonl")
    assert sorted(review["url"] for review in reviews) == sorted(3 * lines)
    assert (len(crawled.rows), crawled.exit_code) == (20, 0)


def test_a_feed_of_items_that_processes_cannot_share_is_refused(
    tmp_path: Path, site: SiteProcess
) -> None:
    """Each of them would write a header of its own."""
    (tmp_path / "urls.txt").write_text("\n".join(listed(site)))
    feed = json.dumps({"r.csv": {"format": "csv", "item_classes": ["followers.Review"]}})
    words = ("crawl", "reviews", *MINE, "-a", "file=urls.txt", "-s", f"FEEDS={feed}")
    crawled = run_scrapy(tmp_path, *words, "-s", "PROCESSES=2")
    assert "feeds of other items must be local files in JSON Lines. Name it so" in crawled.log
    assert crawled.exit_code == 1


def test_a_feed_of_items_begins_anew_with_its_table(tmp_path: Path, site: SiteProcess) -> None:
    """`-O` is for the table, `overwrite` for the feed of the items."""
    feed = json.dumps(
        {"reviews.jsonl": {"format": "jsonl", "item_classes": ["followers.Review"],
                           "overwrite": True}}
    )  # fmt: skip
    for _ in range(2):
        crawled = crawl_list(tmp_path, listed(site), "crawl", "reviews", *MINE, "-s",
                             f"FEEDS={feed}")  # fmt: skip
        assert (len(crawled.rows), crawled.exit_code) == (6, 0)
        assert len(read_table(tmp_path / "reviews.jsonl")) == 18


def test_files_of_a_pipeline_are_asked_for_within_the_limit_of_their_host(tmp_path: Path) -> None:
    """Scrapy's FilesPipeline has all files of an item at once; with the pages they are two."""
    under_way = peak = 0

    async def slow(request: Request) -> Response:
        nonlocal under_way, peak
        under_way += 1
        peak = max(peak, under_way)
        await asyncio.sleep(0.02)
        under_way -= 1
        return Response(request.path.encode())

    with site_of({"/*": slow, "/robots.txt": Server().robots}) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(8)]
        words = (*MINE, "-s", "CONCURRENT_REQUESTS_PER_DOMAIN=2", "-a", "file=urls.txt")
        (tmp_path / "urls.txt").write_text("\n".join(lines))
        crawled = run_scrapy(
            tmp_path, "crawl", "saves_files", *words, table="data/results/urls.csv"
        )
    leaflets = [json.loads(line) for line in (tmp_path / "leaflets.jsonl").read_text().splitlines()]
    assert [row["outcome"] for row in crawled.rows] == ["ok"] * 8
    assert sorted(len(leaflet["files"]) for leaflet in leaflets) == [10] * 8
    assert len(list((tmp_path / "files/full").iterdir())) == 80
    assert peak == 2


def test_what_is_downloaded_for_a_request_does_not_wait_for_it(tmp_path: Path) -> None:
    """By a middleware, and by a callback too, on a host that may have one request at a time."""
    asked: list[str] = []

    async def note(request: Request) -> Response:
        asked.append(request.path)
        return Response(b"<h1>Page</h1>")

    middleware = json.dumps({"saboteurs.FetchesToken": 50})
    words = (*MINE, "-s", "CONCURRENT_REQUESTS_PER_DOMAIN=1", "-a", "file=urls.txt")
    words += ("-s", f"DOWNLOADER_MIDDLEWARES={middleware}")
    with site_of({"/*": note, "/robots.txt": Server().robots}) as site:
        urls = [f"http://127.0.0.1:{site.port}/page/{n}" for n in range(6)]
        (tmp_path / "urls.txt").write_text("\n".join(urls))
        began = time.monotonic()
        table = "data/results/urls.csv"
        crawled = run_scrapy(tmp_path, "crawl", "waits", *words, table=table)
    assert time.monotonic() - began < 9
    assert [(row["outcome"], row["extra"]) for row in crawled.rows] == [("ok", "200")] * 6
    assert len(asked) == 6 + 6 + 12


def test_a_look_at_one_page_leaves_no_feed_behind(tmp_path: Path, site: SiteProcess) -> None:
    """`scrapy parse` shows items, and the feed that the spider names for them is not begun."""
    shown = run_scrapy(
        tmp_path, "parse", site.url("/page/1"), "--spider=reviews_of_its_own", *MINE, "-s", RESOLVER
    )
    assert "'stars': " in shown.stdout
    assert [*tmp_path.iterdir()] == []
