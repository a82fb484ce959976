"""Scrapy's own commands in this project: a spider of lists, and no list."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from crawling import ENVIRONMENT, SiteProcess, run_scrapy

SPIDER = '''
import dataclasses

from urlcrawler.spiders.base import UrlListSpider


@dataclasses.dataclass
class Review:
    stars: str


class ShopSpider(UrlListSpider):
    name = "shop"
    columns = {{"price": "float", "stock": "int", "sku": "str"}}

    def parse_page(self, response, page):
        """Take the price, and go on to the stock.

        @url {page}
        @columns {{"sku": "A1"}}
        @returns requests 1 1
        @returns items 1 1
        @scrapes title price sku
        """
        page.fields["price"] = {price}
        page.fields["sku"] = page.columns.get("sku")
        yield response.follow("/page/stock", self.parse_stock, cb_kwargs={{"page": page}})

    async def parse_stock(self, response, page):
        """Add the stock, and the reviews.

        @url {page}
        @returns items 2
        @scrapes {scrapes}
        """
        page.fields["stock"] = int(response.css(".stock::text").get())
        yield Review(response.css(".stars::text").get())
'''
PRICE = 'float(response.css(".price::text").get())'
Tool = Callable[..., Any]


@pytest.fixture
def tool(tmp_path: Path, site: SiteProcess) -> Tool:
    """Run a command of Scrapy's in a project with the spider above."""

    def run(
        *words: str, price: str = PRICE, scrapes: str = "stock stars", page: str = "/page/1"
    ) -> Any:
        code = SPIDER.format(page=site.url(page), price=price, scrapes=scrapes)
        (tmp_path / "shops.py").write_text(code)
        modules = ("-s", "SPIDER_MODULES=urlcrawler.spiders,shops")
        local = ("-s", "TWISTED_DNS_RESOLVER=urlcrawler.demo.names.DemoResolver")
        return run_scrapy(tmp_path, *words, *modules, *local)

    return run


def test_contracts_are_checked_without_a_list(tool: Tool) -> None:
    """`parse_page` has its page, other callbacks too, and what they fill in counts."""
    checked = tool("check", "shop", scrapes="stock stars price name")
    # The row has its stock and the review its stars; the price is what another callback finds.
    assert "parse_stock (@scrapes post-hook)" in checked.log
    assert "Missing fields: price, name\n" in checked.log
    assert "Ran 5 contracts" in checked.log
    assert "FAILED (failures=1)" in checked.log
    assert checked.exit_code == 1


@pytest.mark.parametrize(
    ("price", "page", "said"),
    [
        (PRICE, "/page/1", "OK"),
        pytest.param("1 / 0", "/page/1", "ZeroDivisionError", marks=pytest.mark.long),
        pytest.param("None", "/page/1", "Missing fields: price", marks=pytest.mark.long),
        pytest.param(PRICE, "/status/404", "404 Not Found", marks=pytest.mark.long),
    ],
)
def test_a_contract_fails_for_what_the_row_would_lack(
    tool: Tool, price: str, page: str, said: str
) -> None:
    """What raises, an empty column, an answer that is no page: each is said."""
    checked = tool("check", "shop", price=price, page=page)
    assert said in checked.log
    assert checked.exit_code == (said != "OK")


def test_parse_shows_the_row_of_a_page(tool: Tool, site: SiteProcess) -> None:
    """With the values that followed requests add; until then it says what the row waits for."""
    page = site.url("/page/1")
    parsed = tool("parse", page, "--spider=shop", "-c", "parse_page", "--nocolour")
    assert "The row waits for these requests: add --depth 2" in parsed.stdout
    parsed = tool("parse", page, "--spider=shop", "--depth=2", "--nocolour")
    assert "'title': 'Product 1'" in parsed.stdout
    assert "'stock': " in parsed.stdout
    assert "Review" not in parsed.stdout
    assert "'stars': " in parsed.stdout
    assert "None" not in parsed.stdout
    assert "WARNING" not in parsed.log
    assert parsed.exit_code == 0


def test_parse_shows_the_row_of_a_page_that_is_none(tool: Tool, site: SiteProcess) -> None:
    """A refused connection is a row, as in a crawl."""
    nowhere = "http://127.0.0.1:1/"
    parsed = tool("parse", nowhere, "--spider=urls", "--nocolour", "-s", "RETRY_ENABLED=0")
    assert "'error': 'refused'" in parsed.stdout


def test_the_shell_has_a_page_and_a_spider(tool: Tool, site: SiteProcess) -> None:
    """As `scrapy shell` has it, for a spider that needs a list."""
    code = "(response.css('h1::text').get(), spider.name, spider.extractor(response).metadata)"
    shell = tool("shell", site.url("/page/1"), "--spider=shop", "-c", code)
    assert shell.stdout.startswith("('Product 1', 'shop', {")
    assert "'title': 'Product 1'" in shell.stdout
    assert shell.exit_code == 0


@pytest.mark.long
def test_fetch_prints_a_page(tool: Tool, site: SiteProcess) -> None:
    """Also as the spider fetches it."""
    fetched = tool("fetch", site.url("/page/1"), "--spider=shop", "--nolog")
    assert "<title>Product 1</title>" in fetched.stdout
    assert fetched.exit_code == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["shell", "--spider=shops"], "scrapy shell: no spider 'shops'. Did you mean 'shop'?"),
        (["parse"], "scrapy parse: name the spider, for example --spider=urls"),
        (
            ["parse", "--spider=urls", "-a", "fields=no.yaml"],
            "scrapy parse: argument `fields`: no.yaml: No such file",
        ),
        pytest.param(
            ["fetch", "--spider=nope"], "scrapy fetch: no spider 'nope'", marks=pytest.mark.long
        ),
        pytest.param(
            ["parse", "--spider=urls", "-a", "flie=x"],
            "scrapy parse: argument `flie`: there is no such argument",
            marks=pytest.mark.long,
        ),
        pytest.param(
            ["shell", "--spider=urls", "-s", "METADATA=nope"],
            "scrapy shell: setting METADATA: there is no group 'nope'",
            marks=pytest.mark.long,
        ),
    ],
)
def test_what_cannot_start_is_one_sentence(
    tool: Tool, site: SiteProcess, words: list[str], sentence: str
) -> None:
    """With exit code 1, and no traceback."""
    said = tool(words[0], site.url("/page/1"), *words[1:])
    assert sentence in said.log
    assert "Traceback" not in said.log
    assert said.exit_code == 1


def test_a_spider_in_a_file_is_run_as_one_of_the_project(
    tool: Tool, tmp_path: Path, site: SiteProcess
) -> None:
    """`scrapy runspider`: the same table, the same exit codes, the same sentences."""
    (tmp_path / "urls.txt").write_text(site.url("/page/1") + "\n")
    ran = tool("runspider", "shops.py", "-a", "file=urls.txt", "-O", "table.csv")
    assert ran.only()["price"]
    assert ran.only()["stock"]
    assert ran.exit_code == 0
    ran = tool("runspider", "shops.py", "-a", "file=nope.txt")
    assert "scrapy runspider: argument `file`: no such file: 'nope.txt'" in ran.log
    assert "Traceback" not in ran.log
    assert ran.exit_code == 1


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        pytest.param(
            "import nope",
            "mine.py: cannot be loaded: ModuleNotFoundError: No module named 'nope'",
            marks=pytest.mark.long,
        ),
        pytest.param("x = 1", "mine.py: must hold one spider, found none", marks=pytest.mark.long),
        pytest.param(None, "mine.py: no such Python file", marks=pytest.mark.long),
    ],
)
def test_a_file_without_a_spider_is_usage(
    tool: Tool, tmp_path: Path, code: str | None, sentence: str
) -> None:
    """Exit code 2, as for Scrapy's own command."""
    if code:
        (tmp_path / "mine.py").write_text(code)
    ran = tool("runspider", "mine.py", "-a", "file=urls.txt")
    assert sentence in ran.log
    assert ran.exit_code == 2


@pytest.mark.long
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["list"], "urls"),
        (["settings", "--get", "BOT_NAME"], "urlcrawler"),
        (["version"], "Scrapy"),
        (["startproject", "other"], "New Scrapy project 'other'"),
    ],
)
def test_the_other_commands_of_scrapy_are_what_they_were(
    tool: Tool, words: list[str], said: str
) -> None:
    """Nothing of this project comes between."""
    done = tool(*words)
    assert said in done.stdout
    assert done.exit_code == 0


@pytest.mark.long
def test_view_opens_a_page_in_the_browser(
    tool: Tool, site: SiteProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also as a spider of lists fetches it."""
    monkeypatch.setitem(ENVIRONMENT, "BROWSER", "echo opened %s")
    viewed = tool("view", site.url("/page/1"), "--spider=shop")
    assert viewed.stdout.startswith("opened file://")
    assert viewed.exit_code == 0


@pytest.mark.long
def test_bench_says_each_second_how_fast_it_is(tool: Tool) -> None:
    """The settings of the project are for crawls of others' servers."""
    bench = tool("bench", "-s", "CLOSESPIDER_TIMEOUT=3")
    assert len(re.findall(r"Crawled \d+ pages \(at [1-9]\d* pages/min\)", bench.log)) >= 2
    assert bench.exit_code == 0
