"""The last lines of a run."""

import re
from collections.abc import Callable
from pathlib import Path

from crawling import Crawl, SiteProcess, crawl_list


def test_the_summary_says_what_happened(crawl: Callable[..., Crawl], site: SiteProcess) -> None:
    """Records by outcome, errors with an example, speed, and where the table is."""
    gone = site.url("/status/404")
    log = crawl([site.url("/ok"), site.url("/page/1"), gone, "not a url"]).log
    summary = log[log.index("4 of 4 records have their row. 3") :]
    assert re.search(r"3 pages in \d+\.\d s, \d+\.\d a second", summary)
    assert re.search(r"^ +2  ok$", summary, re.MULTILINE)
    assert re.search(r"^ +1  http_error$", summary, re.MULTILINE)
    assert re.search(rf"^ +1  http-4xx +'{re.escape(gone)}'$", summary, re.MULTILINE)
    assert summary.rstrip().endswith("The table: table.csv")


def test_the_summary_of_a_resumed_crawl_is_about_the_whole_table(
    tmp_path: Path, site: SiteProcess
) -> None:
    """Rows of earlier runs are counted by outcome and error; the pages are those of this run."""
    lines = [site.url("/page/1"), site.url("/status/404"), "not a url", site.url("/page/2")]
    crawl_list(tmp_path, lines[:3])
    log = crawl_list(tmp_path, lines, fresh=False).log
    assert re.search(r"4 of 4 records have their row\. 1 pages in", log)
    assert re.search(r"^ +2  ok$", log, re.MULTILINE)
    assert re.search(r"^ +1  http-4xx *$", log, re.MULTILINE)


def test_the_summary_says_how_to_crawl_failed_records_again(
    tmp_path: Path, site: SiteProcess
) -> None:
    """When that may help, and when it does no more, not."""
    flaky = [site.url(f"/flaky/1?{tmp_path.name}"), site.url("/status/404")]
    log = crawl_list(tmp_path, flaky, "-s", "RETRY_TIMES=0").log
    assert "1 of them may go well another time: scrapy crawl urls -s RETRY_TIMES=0" in log
    assert log.rstrip().endswith("-o table.csv -a retry=failed")
    retried = crawl_list(tmp_path, flaky, "-a", "retry=failed", fresh=False)
    assert "another time" not in retried.log


def test_the_five_most_frequent_errors_are_shown(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """The most frequent first; the others are in the table."""
    paths = ["/status/404", "/status/403", "/drop", "/loop", "/redirect-bad", "/private/secret"]
    log = crawl([*map(site.url, paths), "not a url", "ftp://x/"]).log
    errors = log[log.index("The most frequent errors") : log.index("The table")]
    shown = re.findall(r"^ +(\d+)  ([\w-]+) +'", errors, re.MULTILINE)
    assert len(shown) == 5
    assert shown[0] == ("2", "http-4xx")


def test_control_characters_of_a_list_do_not_reach_the_terminal(
    crawl: Callable[..., Crawl],
) -> None:
    """An example URL is shown escaped: a list may hold anything."""
    log = crawl(["http://exa mple/\x1b[31mred"]).log
    assert "\x1b" not in log


def test_an_unfinished_crawl_says_what_to_type(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """The command line is the user's own, with -o for the table that is there."""
    lines = [site.url(f"/page/{page}?delay=0.2") for page in range(100)]
    log = crawl(lines, "-s", "CLOSESPIDER_ITEMCOUNT=3").log
    assert "scrapy crawl urls -s CLOSESPIDER_ITEMCOUNT=3 -a file=urls.txt -s" in log
    assert log.rstrip().endswith("-o table.csv")
