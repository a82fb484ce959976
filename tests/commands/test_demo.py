"""`scrapy demo`: the first thing that a new user sees."""

from collections import Counter
from collections.abc import Callable

import pytest
from crawling import Crawl

from urlcrawler.demo import names, urls


@pytest.fixture
def demo(scrapy: Callable[..., Crawl]) -> Crawl:
    return scrapy("demo", table="data/results/demo.csv")


def test_the_demo_shows_every_kind_of_row(demo: Crawl) -> None:
    """A few hundred pages, and among them what lists are full of; the exit code is 0."""
    listed = [line for line in urls.lines(1) if line and not line.startswith("#")]
    outcomes = Counter(row["outcome"] for row in demo.rows)
    assert sorted(demo.by_position) == list(range(1, len(listed) + 1))
    assert outcomes["ok"] > 300
    assert {"http_error", "failed", "invalid", "duplicate", "robots"} <= set(outcomes)
    assert demo.exit_code == 0
    assert "The table: data/results/demo.csv" in demo.log
    assert "$ scrapy crawl urls -a file=data/results/demo.txt" in demo.stdout


def test_the_demo_works_where_only_one_address_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS every made-up host is 127.0.0.1."""
    monkeypatch.setattr(names, "answers_everywhere", lambda: False)
    assert names.addresses() == ["127.0.0.1"]


def test_each_host_of_the_demo_has_an_address_of_its_own() -> None:
    """On Linux the many hosts are many addresses."""
    if not names.answers_everywhere():
        pytest.skip("this machine answers on 127.0.0.1 only")
    assert len(names.addresses()) == names.SHOPS
