"""Nothing that a page sends stalls the crawl: its row says so, and the others do not wait."""

import asyncio
import json
import re
import time
from collections.abc import Callable

import pytest
from crawling import Crawl, Server, crawl_list, site_of

from urlcrawler.demo.messages import Request, Response

pytestmark = pytest.mark.usefixtures("default_handler")

HTML = "text/html; charset=utf-8"


def attributes(count: int) -> bytes:
    """One tag with so many of them."""
    return b"<title>A</title><p " + b" ".join(b"a%d=1" % n for n in range(count)) + b">"


def punycode(size: int) -> bytes:
    return "<title>Punycode</title>🫖".encode("punycode").ljust(size, b"a")


# What comes, as which type, and what becomes of it; none may hold up the others.
PAGES: dict[str, tuple[bytes, str, str]] = {
    "attributes-of-a-small-page": (attributes(8_000), HTML, ""),
    "attributes": (attributes(60_000), HTML, "too-complex"),
    "more-attributes": (attributes(150_000), HTML, "too-complex"),
    "attributes-hidden": (attributes(0)[:-1] + b' x=">"' * 500_000 + b">", HTML, ""),
    "punycode": (punycode(200_000), "text/html; charset=punycode", ""),
    "punycode-in-meta": (b'<meta charset="punycode">' + punycode(200_000), "text/html", ""),
    "idna": (b"<title>A</title>" + b"a" * 300_000, "text/html; charset=idna", ""),
    "rot13": (b"<title>A</title>", "text/html; charset=rot13", ""),
    "zlib": (b"<title>A</title>", "text/html; charset=zlib", ""),
    "deep": (b"<title>A</title>" + b"<div>" * 400_000, HTML, ""),
    "deep-b": (b"<title>A</title>" + b"<b>" * 400_000, HTML, ""),
    "tables": (b"<title>A</title>" + b"<table><tr><td>" * 150_000, HTML, ""),
    "forms": (b"<title>A</title>" + b"<form><select><option>" * 100_000, HTML, ""),
    "many-tags": (b"<title>A</title>" + b"<p>" * 600_000, HTML, "too-complex"),
    "large": (b"<title>A</title>" + b"<p>words and words and more</p>" * 200_000, HTML, ""),
    "comments": (b"<title>A</title>" + b"<!--" * 200_000, HTML, ""),
    "entities": (b"<title>A</title>" + b"&amp;&lt;&#1234;" * 500_000, HTML, ""),
    "one-long-line": (b"<title>A</title>" + b"x" * 9_000_000, HTML, ""),
    "long-title": (b"<title>" + b"A " * 4_000_000, HTML, ""),
    "scripts": (b"<title>A</title>" + b"<script>a<b</script>" * 150_000, HTML, ""),
    "latin-without-a-word": (b"<title>A</title>" + b"\xe9t\xe9 " * 200_000, "text/html", ""),
    "nothing-but-bytes": (bytes(range(128, 256)) * 50_000, "text/html", ""),
    "xml": (b"<?xml version='1.0'?><a><title>A</title>" + b"<b>" * 300_000, "text/xml", ""),
    "xml-entities": (
        b'<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx">'
        + b"".join(b'<!ENTITY x%d "%s">' % (n, b"&x%d;" % (n - 1) * 10) for n in range(1, 20))
        + b"]><a>&x19;</a>",
        "text/xml",
        "",
    ),
    "json": (b"[" * 3_000_000, "application/json", ""),
}


@pytest.fixture(scope="module")
def heavy(default_handler: str, tmp_path_factory: pytest.TempPathFactory) -> Crawl:
    """The crawl of all of them, each between two ordinary pages; the loop is watched meanwhile."""

    async def answer(request: Request) -> Response:
        name = request.path[1:]
        if name not in PAGES:
            return Response(b"<title>Ordinary</title>")
        body, kind, _ = PAGES[name]
        return Response(body, content_type=kind)

    with site_of({"/*": answer, "/robots.txt": Server().robots}) as site:
        names = [part for name in PAGES for part in (f"before-{name}", name, f"after-{name}")]
        lines = [f"http://127.0.0.1:{site.port}/{name}" for name in names]
        extensions = json.dumps({"saboteurs.WatchesTheLoop": 0})
        words = ("-s", f"EXTENSIONS={extensions}", "-s", "PARSE_TIMEOUT=3")
        return crawl_list(tmp_path_factory.mktemp("heavy"), lines, *words)


def row_of(crawled: Crawl, name: str) -> dict[str, str]:
    return next(row for row in crawled.rows if row["url"].endswith(f"/{name}"))


@pytest.mark.parametrize("name", PAGES)
def test_a_heavy_page_has_its_row(heavy: Crawl, name: str) -> None:
    """Whole, or with the reason why it could not be read; those beside it are ordinary."""
    row = row_of(heavy, name)
    assert row["error"] == PAGES[name][2], row["reason"]
    assert row["status"] == "200"
    for beside in (f"before-{name}", f"after-{name}"):
        assert row_of(heavy, beside)["title"] == "Ordinary"


def test_no_page_blocks_the_loop(heavy: Crawl) -> None:
    """For more than half a second: downloads, pauses and Ctrl-C go on."""
    found = re.search(r"the loop was blocked for ([\d.]+) s at most", heavy.log)
    assert found
    assert float(found[1]) < 0.5


def test_memory_stays_within_bounds(heavy: Crawl) -> None:
    """300 MB, whatever comes."""
    found = re.search(r"and the process has had (\d+) MB", heavy.log)
    assert found
    assert int(found[1]) < 300


def test_pages_that_are_stuck_cost_no_other_page(crawl: Callable[..., Crawl]) -> None:
    """Those that would take minutes are left behind when all others are done, which are whole."""
    large = b"<title>Large</title>" + b"<p>words and words</p>" * 10_000

    async def answer(request: Request) -> Response:
        if request.path < "/6":
            return Response(PAGES["more-attributes"][0], content_type=HTML)
        await asyncio.sleep(4)  # until those have been given up
        return Response(large, content_type="text/xml" if request.path == "/7" else HTML)

    with site_of({"/*": answer, "/robots.txt": Server().robots}) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(10)]
        began = time.monotonic()
        crawled = crawl(lines, "-s", "PARSE_TIMEOUT=0.5")
    assert [row["error"] for row in crawled.rows] == ["too-complex"] * 6 + [""] * 4
    assert {row["title"] for row in crawled.rows[6:]} == {"Large"}
    assert time.monotonic() - began < 30
    assert (crawled.exit_code, "Traceback" in crawled.log) == (0, False)


def test_redirects_that_take_their_time_share_one_timeout(crawl: Callable[..., Crawl]) -> None:
    """A page has DOWNLOAD_TIMEOUT, not each of the twenty hops on the way to it."""

    async def answer(request: Request) -> Response:
        await asyncio.sleep(0.9)
        return Response(b"", 302, [("Location", f"/{int(request.path[1:]) + 1}")])

    with site_of({"/*": answer, "/robots.txt": Server().robots}) as site:
        words = ("-s", "DOWNLOAD_TIMEOUT=3", "-s", "RETRY_TIMES=0")
        row = crawl([f"http://127.0.0.1:{site.port}/0"], *words).only()
    assert row["error"] == "read-timeout"
    assert 2 <= int(row["redirects"]) <= 4


def test_a_retry_has_its_own_time(crawl: Callable[..., Crawl]) -> None:
    """What the first attempt and its redirects took is not taken from the second."""

    async def answer(request: Request) -> Response | None:
        if request.path == "/":
            await asyncio.sleep(1.5)
            return Response(b"", 302, [("Location", "/target")])
        if request.visit() == 1:
            await asyncio.sleep(1)
            return Response(b"", 500)
        await asyncio.sleep(1.5)
        return Response(b"<title>There</title>")

    with site_of({"/*": answer, "/robots.txt": Server().robots}) as site:
        row = crawl([f"http://127.0.0.1:{site.port}/"], "-s", "DOWNLOAD_TIMEOUT=3").only()
    assert (row["outcome"], row["attempts"]) == ("ok", "2")
