"""Fixtures of the suites that crawl."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from crawling import HOSTS, Crawl, SiteProcess, crawl_list, run_scrapy, serving

from urlcrawler.demo import names


@pytest.fixture(scope="session")
def site() -> Iterator[SiteProcess]:
    with serving(names.addresses(HOSTS)) as process:
        yield process


@pytest.fixture
def scrapy(tmp_path: Path) -> Callable[..., Crawl]:
    """`run_scrapy` in an empty folder."""
    return partial(run_scrapy, tmp_path)


@pytest.fixture
def crawl(tmp_path: Path) -> Callable[..., Crawl]:
    """`crawl_list` in an empty folder."""
    return partial(crawl_list, tmp_path)
