"""`scrapy fields`: a fields file is tried before it is crawled with."""

from collections.abc import Callable
from pathlib import Path

import pytest
from crawling import RESOLVER, Crawl, SiteProcess

FIELDS = """
name: h1
price: {css: .price, type: price, required: true}
when: {css: time, type: date}
reviews: {css: .review, many: true, fields: {text: p}}
photo: {css: "img::attr(src)", type: url}
"""
PAGE = """<h1>Kettle\x1b[31m</h1><p class="price">€ 5,50</p><time>03/04/2026</time>
<img src="/a.png"><div class="review"><p>x</p></div><div class="review"><p>y</p></div>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "fields.yaml").write_text(FIELDS, encoding="utf-8")
    (tmp_path / "page.html").write_text(PAGE, encoding="utf-8")
    return tmp_path


def test_a_saved_page_needs_no_network(scrapy: Callable[..., Crawl], folder: Path) -> None:
    """Matches, values, and why there is none; control characters are written out."""
    words = ("page.html", "--url", "http://a.com/b", "--fields", "fields.yaml")
    crawled = scrapy("fields", *words)
    assert [line.split(maxsplit=2) for line in crawled.stdout.splitlines() if line] == [
        ["page.html"],
        ["1", "name", "Kettle\\x1b[31m"],
        ["1", "price", "5.5"],
        ["1", "when", "'03/04/2026' is ambiguous: say `order: DMY` or `order: MDY`"],
        ["2", "reviews", '[{"text": "x"}, {"text": "y"}]'],
        ["2", "reviews.text"],
        ["1", "photo", "http://a.com/a.png"],
    ]
    assert (crawled.exit_code, crawled.log) == (0, "")


def test_live_pages_are_fetched_as_a_crawl_does(
    scrapy: Callable[..., Crawl], folder: Path, site: SiteProcess
) -> None:
    """And those that are none are said; nothing is left behind."""
    urls = [site.url(path) for path in ("/page/1", "/private/secret", "/status/404")]
    crawled = scrapy("fields", *urls, "--fields", "fields.yaml", "-s", RESOLVER)
    assert "1  name                      Product 1\n" in crawled.stdout
    assert f"{urls[1]}\n  robots robots.txt forbids it" in crawled.stdout
    assert f"{urls[2]}\n  http-4xx the server answered 404 Not Found" in crawled.stdout
    assert crawled.exit_code == 0
    assert {path.name for path in folder.iterdir()} == {"fields.yaml", "page.html"}


def test_some_pages_of_a_list_show_the_coverage(
    scrapy: Callable[..., Crawl], folder: Path, site: SiteProcess
) -> None:
    """Of the same ones each time."""
    lines = [site.url(f"/page/{n}") for n in range(30)] + [site.url("/ok")] * 3
    (folder / "urls.txt").write_text("\n".join(lines))
    words = ("--list", "urls.txt", "--sample", "7", "--fields", "fields.yaml", "-s", RESOLVER)
    first, second = scrapy("fields", *words), scrapy("fields", *words)
    assert "Of 7 pages:" in first.stdout
    assert "  100%  price                     1 to 1 matches\n" in first.stdout
    assert sorted(first.stdout.splitlines()) == sorted(second.stdout.splitlines())


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (("page.html",), "name a page and a file: scrapy fields URL --fields fields.yaml", 2),
        (("--fields", "fields.yaml"), "name a page and a file", 2),
        (("nowhere.html", "--fields", "fields.yaml"), "nowhere.html: no such file. URLs begin", 1),
        (("page.html", "--fields", "no.yaml"), "no.yaml: No such file or directory", 1),
        (
            ("page.html", "--fields", "page.html"),
            "page.html: is no YAML: unacceptable character",
            1,
        ),
        (("--list", "no.txt", "--fields", "fields.yaml"), "no such file: 'no.txt'", 1),
        (("--list", "empty.txt", "--fields", "fields.yaml"), "empty.txt: holds no URL", 1),
    ],
)
def test_what_cannot_be_tried_is_said(
    scrapy: Callable[..., Crawl], folder: Path, words: tuple[str, ...], said: str, code: int
) -> None:
    """In a sentence, and with an exit code."""
    (folder / "empty.txt").write_text("# nothing\n")
    crawled = scrapy("fields", *words)
    assert said in crawled.log
    assert (crawled.exit_code, "Traceback" in crawled.log) == (code, False)
