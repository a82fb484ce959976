"""The spiders that README shows, run as they stand there."""

import re
import sys
from pathlib import Path

import pytest
from crawling import SiteProcess, crawl_list, read_table

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
    if name == "reviews":
        assert len(read_table(tmp_path / "reviews.jsonl")) > 20


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
