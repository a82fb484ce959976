"""The one place that every request of the scheduler passes, both ways."""

import json
from collections.abc import Callable

import pytest
from crawling import Crawl, SiteProcess
from saboteurs import VICTIM

PATHS = ["/page/1", "/private/1", VICTIM, "/drop", "/redirect/2", "/status/503", "/loop"]


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("-s", "HTTPCACHE_ENABLED=1"),
        ("-s", f"DOWNLOADER_MIDDLEWARES={json.dumps({'saboteurs.RaisesInRequest': 50})}"),
        ("-s", f"DOWNLOADER_MIDDLEWARES={json.dumps({'saboteurs.RaisesInResponse': 50})}"),
        ("-s", f"DOWNLOADER_MIDDLEWARES={json.dumps({'saboteurs.Ignores': 50})}"),
    ],
    ids=["as it is", "cached", "raising before", "raising after", "ignoring"],
)
def test_a_request_gives_its_place_back_however_it_ends(
    crawl: Callable[..., Crawl], site: SiteProcess, words: tuple[str, ...]
) -> None:
    """One place on the host, and all its records are crawled: none kept the place.

    This fails when Scrapy takes another way from the scheduler to the downloader and back.
    """
    lines = [site.url(f"{path}?n={n}") for n in range(3) for path in PATHS]
    crawled = crawl(lines, "-s", "CONCURRENT_REQUESTS_PER_DOMAIN=1", *words)
    assert sorted(crawled.by_position) == list(range(1, len(lines) + 1))
    assert "lost" not in {row["error"] for row in crawled.rows}
