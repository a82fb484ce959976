"""The spiders that README shows, run as they stand there."""

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from crawling import RESOLVER, SiteProcess, crawl_list, read_table, run_scrapy

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
EXAMPLES = {
    found[1]: block
    for block in BLOCKS
    if (found := re.search(r'\(UrlListSpider\):\n    name = "(\w+)"', block))
}
# Where scrapy-poet is installed: see .ci/run.
POET = Path(sys.prefix) / "poet/bin/python"
needs_poet = pytest.mark.skipif(not POET.exists(), reason="scrapy-poet stands in an environment "
                                "of its own, which .ci/run makes")  # fmt: skip
# Of each spider the column that it fills, and what must stand there.
FILLED = {
    "shop": ("title", "Product 1"),
    "stock": ("stock", r"\d+"),
    "reviews": ("title", "Product 1"),
    "linked": ("title", "Product 1"),
    "objects": ("price", r"\d+\.\d+"),
    "kettles": ("price", r"\d+\.\d+"),
    "shelves": ("title", "Product 1"),
    "checked": ("price", r"\d+\.\d+"),
}


def test_every_spider_of_readme_is_run() -> None:
    """The table above has them all."""
    assert set(EXAMPLES) == set(FILLED)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=needs_poet if name == "objects" else ()) for name in EXAMPLES],
)
def test_a_spider_of_readme_does_what_readme_says(
    tmp_path: Path, site: SiteProcess, name: str
) -> None:
    """Copied into a module of the project, it fills its column; what is no page has its row."""
    (tmp_path / "examples.py").write_text(EXAMPLES[name], encoding="utf-8")
    (tmp_path / "kettles.yaml").write_text("price: {css: .price, type: price}\n")
    lines = [site.url("/page/1"), site.url("/status/404"), "not a url", site.url("/page/1")]
    words = ("-s", "SPIDER_MODULES=urlcrawler.spiders,examples", "-s", "METADATA=page")
    python = str(POET) if name == "objects" else sys.executable
    crawled = crawl_list(tmp_path, lines, "crawl", name, *words, python=python)
    column, value = FILLED[name]
    assert re.fullmatch(value, crawled.rows[0][column]), crawled.log
    outcomes = [row["outcome"] for row in crawled.rows]
    assert outcomes == ["ok", "http_error", "invalid", "duplicate"]
    assert crawled.exit_code == 0
    if name == "linked":
        (linked,) = read_table(tmp_path / "linked.jsonl")
        saved = [*(tmp_path / "linked/full").iterdir()]
        assert len(saved) == len(linked["files"]) == len(set(linked["file_urls"])) > 10
    if name == "shelves":
        products = read_table(tmp_path / "products.jsonl")
        assert len(products) > 10
        assert all(product["name"].startswith("Product ") for product in products)
    if name == "checked":
        check_contract(tmp_path, site, words)
    if name == "reviews":
        assert len(read_table(tmp_path / "reviews.jsonl")) > 20


def check_contract(folder: Path, site: SiteProcess, words: tuple[str, ...]) -> None:
    code = EXAMPLES["checked"].replace("https://shop.example/kettle", site.url("/page/1"))
    (folder / "examples.py").write_text(code, encoding="utf-8")
    checked = run_scrapy(folder, "check", "checked", *words, "-s", RESOLVER)
    assert "Ran 2 contracts" in checked.log
    assert checked.exit_code == 0


def test_the_test_of_readme_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a page that was saved, with the first spider of README."""
    (tmp_path / "kettle.html").write_text("<title>A pot</title><h1>A kettle</h1>")
    monkeypatch.chdir(tmp_path)
    shop = ModuleType("urlcrawler.spiders.shop")
    exec(EXAMPLES["shop"], vars(shop))  # noqa: S102 - as it stands in README
    monkeypatch.setitem(sys.modules, shop.__name__, shop)
    (example,) = (block for block in BLOCKS if "parse_saved" in block)
    names: dict[str, Any] = {}
    exec(example, names)  # noqa: S102
    names["test_a_kettle_has_its_title"]()


@needs_poet
def test_a_page_object_that_raises_ends_in_the_row(tmp_path: Path, site: SiteProcess) -> None:
    """The row names what it raised."""
    broken = EXAMPLES["objects"].replace('float(self.css(".price::text").get())', "1 / 0")
    (tmp_path / "examples.py").write_text(broken, encoding="utf-8")
    words = ("-s", "SPIDER_MODULES=urlcrawler.spiders,examples")
    lines = [site.url("/page/1")]
    crawled = crawl_list(tmp_path, lines, "crawl", "objects", *words, python=str(POET))
    row = crawled.only()
    assert row["reason"] == "parse_page raised ZeroDivisionError: division by zero"
    assert (row["error"], crawled.exit_code) == ("extract", 0)
