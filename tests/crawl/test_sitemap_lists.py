"""A sitemap is a list like any other."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from crawling import PAGE, Crawl, Server, SiteProcess, needs_addresses, site_of

from urlcrawler.demo.messages import Request, Response

Scrapy = Callable[..., Crawl]


def write(path: Path, urls: list[str]) -> None:
    entries = "".join(f"<url><loc>{url}</loc><lastmod>2026-11-26</lastmod></url>" for url in urls)
    path.write_bytes(gzip.compress(f"<urlset>{entries}<url/></urlset>".encode()))


@pytest.mark.parametrize("processes", ["1", pytest.param("2", marks=pytest.mark.long)])
def test_a_sitemap_is_crawled(
    scrapy: Scrapy, tmp_path: Path, site: SiteProcess, processes: str
) -> None:
    """One row for each URL of it, with its columns; and a second run knows it again."""
    urls = [site.url("/page/1", host=1), site.url("/status/404", host=2)]
    write(tmp_path / "sitemap.xml.gz", urls)
    words = ("crawl", "urls", "-a", "file=sitemap.xml.gz", "-s", f"PROCESSES={processes}")
    table = "data/results/sitemap.csv"
    crawled = scrapy(*words, table=table)
    assert [row["url"] for row in crawled.rows] == [*urls, ""]
    assert [row["outcome"] for row in crawled.rows] == ["ok", "http_error", "invalid"]
    assert [row["lastmod"] for row in crawled.rows] == ["2026-11-26", "2026-11-26", ""]
    again = scrapy(*words, table=table)
    assert again.rows == crawled.rows
    assert (crawled.exit_code, again.exit_code) == (0, 0)
    write(tmp_path / "sitemap.xml.gz", urls[::-1])
    changed = scrapy(*words, table=table)
    assert changed.exit_code == 1
    assert changed.rows == crawled.rows


@needs_addresses
@pytest.mark.long
def test_several_processes_read_one_copy(scrapy: Scrapy) -> None:
    """A sitemap on a server is fetched once, however many crawl what it holds."""

    def answer(request: Request, number: int) -> Response:
        if request.path == "/sitemap.xml":
            return Response(body(), content_type="text/xml")
        return Response(PAGE)

    def body() -> bytes:
        urls = "".join(
            f"<url><loc>http://127.0.0.{host}:{there.port}/{page}</loc></url>"
            for host in (1, 2)
            for page in (1, 2)
        )
        return f"<urlset>{urls}</urlset>".encode()

    server = Server(answer)
    with site_of(server.routes, "127.0.0.1", "127.0.0.2") as there:
        words = ("-a", f"file=http://127.0.0.1:{there.port}/sitemap.xml", "-s", "PROCESSES=2")
        crawled = scrapy("crawl", "urls", *words, "-O", "table.csv")
    assert [row["outcome"] for row in crawled.rows] == ["ok"] * 4
    assert [path for _, _, path in server.times].count("/sitemap.xml") == 1


def test_a_page_in_the_place_of_a_sitemap_is_one_sentence(scrapy: Scrapy, tmp_path: Path) -> None:
    """With exit code 1, and no table."""
    (tmp_path / "sitemap.xml").write_text("<!DOCTYPE html><html><body/></html>")
    crawled = scrapy("crawl", "urls", "-a", "file=sitemap.xml")
    assert "is XML, but no sitemap: it begins with <html>" in crawled.log
    assert "Traceback" not in crawled.log
    assert (crawled.exit_code, crawled.rows) == (1, [])
