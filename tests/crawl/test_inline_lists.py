"""Lists that come in an argument: `-a urls=...`; and crawls that are jobs of scrapyd."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from crawling import ENVIRONMENT, Crawl, SiteProcess, read_table


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


def test_two_jobs_of_one_list_have_two_tables(scrapy: Callable[..., Crawl], tmp_path: Path) -> None:
    """scrapyd passes the id of the job; with the same id the table goes on."""
    (tmp_path / "urls.txt").write_text("not a url\n")
    tables = tmp_path / "data/results"
    for job in ("monday", "../tuesday", "monday"):
        crawled = scrapy("crawl", "urls", "-a", "file=urls.txt", "-a", f"_job={job}")
        last = crawled.log.splitlines()[-1]
        assert last.endswith(f"Job {job} has ended: exit code 0, 1 of 1 records have their row")
    assert "urls.monday.csv: 1 of 1 records have their row from an earlier run" in crawled.log
    names = sorted(path.name for path in tables.glob("[!.]*"))
    assert [name.rpartition("-")[0] or name for name in names] == [
        "urls._tuesday",
        "urls.monday.csv",
    ]


def test_what_items_dir_of_scrapyd_takes_the_place_of_is_said(tmp_path: Path) -> None:
    """A feed of the spider that is not written, and tables that would be deleted soon."""
    (tmp_path / "scrapyd.conf").write_text("[scrapyd]\njobs_to_keep = 5\n")
    feeds = {(tmp_path / "items/p/feeder/a%20b.jl").as_uri(): {"format": "jsonlines"}}
    words = ("-s", "SPIDER_MODULES=feeders", "-s", f"FEEDS={json.dumps(feeds)}", "-a", "urls=x:y")
    done = subprocess.run(
        [sys.executable, "-m", "scrapyd.runner", "crawl", "feeder", *words, "-a", "_job=a%20b"],
        cwd=tmp_path,
        env={**ENVIRONMENT, "SCRAPY_PROJECT": "p", "SCRAPY_SETTINGS_MODULE": "loopback"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "FEEDS of the spider: mine.csv is not written, because items_dir" in done.stderr
    assert "jobs_to_keep of scrapyd is 5" in done.stderr
    assert not (tmp_path / "mine.csv").exists()
    assert len(read_table(tmp_path / "items/p/feeder/a%20b.jl")) == 1


def test_a_job_that_would_wait_for_standard_input_is_refused(scrapy: Callable[..., Crawl]) -> None:
    """scrapyd gives it one into which nobody ever writes, and which nobody closes."""
    refused = scrapy("crawl", "urls", "-a", "file=-", "-a", "_job=1", stdin="http://a.example/\n")
    assert "a job of scrapyd has no standard input" in refused.log
    assert refused.exit_code == 1
