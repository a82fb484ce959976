"""Several crawls in one process, each with settings of its own."""

import subprocess
import sys
from pathlib import Path

import pytest
from crawling import ENVIRONMENT, TIMEOUT, Server, read_table, site_of

# The strict one begins, the other follows; then, when both have ended, the other one alone.
PROGRAM = """
import asyncio, sys
from scrapy.crawler import AsyncCrawlerRunner
from scrapy.utils.project import get_project_settings
from scrapy.utils.reactor import install_reactor
from urlcrawler.spiders.urls import UrlsSpider

def crawl(name, allowed):
    settings = get_project_settings()
    settings.set("ALLOW_PRIVATE_ADDRESSES", allowed)
    settings.set("FEEDS", {f"{name}.csv": {"format": "csv"}})
    return AsyncCrawlerRunner(settings).crawl(UrlsSpider, file=f"{name}.txt")

async def main():
    await asyncio.gather(crawl("strict", False), crawl("other", True))
    await crawl("later", True)

install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
from twisted.internet import reactor
from twisted.internet.defer import Deferred
Deferred.fromFuture(asyncio.ensure_future(main())).addBoth(lambda _: reactor.stop())
reactor.run()
"""


@pytest.mark.usefixtures("handler")
def test_the_strictest_of_several_crawls_in_a_process_is_not_loosened(tmp_path: Path) -> None:
    """Whichever begins last; when it has ended, it binds nobody any more."""
    with site_of(Server().routes) as site:
        for name in ("strict", "other", "later"):
            lines = [f"http://127.0.0.1:{site.port}/{name}/{n}" for n in range(20)]
            (tmp_path / f"{name}.txt").write_text("\n".join(lines))
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=tmp_path,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    errors = {
        name: {row["error"] for row in read_table(tmp_path / f"{name}.csv")}
        for name in ("strict", "other", "later")
    }
    assert errors["strict"] == {"private-address"}, done.stderr
    assert errors["later"] == {""}
