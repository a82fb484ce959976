"""Many large pages at a time: memory is bounded, and all of them come."""

import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable

import pytest
from crawling import Crawl, Server, needs_addresses, site_of

from urlcrawler.demo import names
from urlcrawler.demo.messages import Request, Response

pytestmark = pytest.mark.usefixtures("default_handler")

SIZE = 6_000_000
PIECE = b"\x00\x01\x02\x03" * 25_000
EXTENSIONS = json.dumps({"saboteurs.WatchesTheLoop": 0})


async def large(request: Request) -> Response:
    """An image, or something like it, of 6 MB."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(SIZE // len(PIECE)):
            yield PIECE

    return Response(pieces(), content_type="image/png")


@needs_addresses
def test_a_hundred_large_pages_at_a_time_do_not_fill_the_memory(
    crawl: Callable[..., Crawl],
) -> None:
    """600 MB are asked for at once; the memory of the whole process stays far below."""
    hosts = [names.shop(n) for n in range(1, 101)]
    addresses = [names.address_of(host) for host in hosts]
    with site_of({"/*": large, "/robots.txt": Server().robots}, *addresses) as site:
        lines = [f"http://{host}:{site.port}/{n}" for n, host in enumerate(hosts)]
        words = ("-s", f"EXTENSIONS={EXTENSIONS}", "-s", "DOWNLOAD_MAXSIZE_TOTAL=50000000")
        crawled = crawl(lines, *words)
    assert Counter(row["outcome"] for row in crawled.rows) == {"ok": 100}
    assert {row["bytes"] for row in crawled.rows} == {str(SIZE)}
    found = re.search(r"and the process has had (\d+) MB", crawled.log)
    assert found
    assert int(found[1]) < 300
