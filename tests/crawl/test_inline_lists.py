"""Lists that come in an argument: `-a urls=...`."""

from collections.abc import Callable
from pathlib import Path

from crawling import Crawl, SiteProcess, read_table


def test_an_inline_list_is_crawled_by_several_processes_and_looked_at(
    scrapy: Callable[..., Crawl], site: SiteProcess, tmp_path: Path
) -> None:
    """Its table is named after its content, has all of its records, and is known to `plan`."""
    urls = [site.url("/page/1"), site.url("/page/2", host=2), "not-a-url:", site.url("/page/1")]
    given = ("-a", "urls=\n" + "\n ".join(urls))
    crawled = scrapy("crawl", "urls", *given, "-s", "PROCESSES=2")
    assert crawled.exit_code == 0, crawled.log
    (table,) = (tmp_path / "data/results").glob("urls-*.csv")
    rows = read_table(table)
    assert [row["url"] for row in rows] == urls
    assert [row["outcome"] for row in rows] == ["ok", "ok", "invalid", "duplicate"]
    planned = scrapy("plan", *given)
    assert f"{table.name} has the rows of 4 records" in planned.stdout
