"""What it costs to take values out of a page, beside other ways to do the same.

    .venv/bin/python tests/benchmarks/fields.py

Five fields of a page of 20 KB, in milliseconds and as a ratio to parsing it. The values that all
ways find are compared first.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from lxml import etree
from scrapy.http import HtmlResponse

from urlcrawler.demo.pages import product
from urlcrawler.extract.extraction import Extractor
from urlcrawler.extract.fieldsfile import read_fields
from urlcrawler.items import DEFAULT_METADATA

BODY = product("/page/1", 20_000)
SELECTORS = {name: f".{name}::text" for name in ("name", "price", "sku", "brand", "stock")}
ROUNDS, PAGES = 7, 200


def response() -> HtmlResponse:
    return HtmlResponse("http://shop.example/page/1", body=BODY, encoding="utf-8")


def with_selectors() -> dict[str, Any]:
    page = response()
    return {name: page.css(selector).get() for name, selector in SELECTORS.items()}


def milliseconds(way: Callable[[], object]) -> float:
    way()
    rounds = []
    for _ in range(ROUNDS):
        began = process_time()
        for _ in range(PAGES):
            way()
        rounds.append((process_time() - began) / PAGES * 1000)
    return median(rounds)


def main() -> None:
    """Print a line per way."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fields.yaml"
        lines = [f'{name}: {{css: "{css}", strip: false}}' for name, css in SELECTORS.items()]
        path.write_text("\n".join(lines))
        fields = read_fields(str(path))
    ours = Extractor(frozenset(), fields)
    with_metadata = Extractor(frozenset(DEFAULT_METADATA), fields)
    assert ours(response()).found.values == with_selectors()
    parser = etree.HTMLParser(recover=True, encoding="utf-8", huge_tree=True)
    ways: dict[str, Callable[[], object]] = {
        "parsing alone (lxml)": lambda: etree.fromstring(BODY, parser=parser),
        "five fields of a fields file": lambda: ours(response()),
        "and the metadata": lambda: with_metadata(response()),
        "five times response.css().get()": with_selectors,
    }
    parsing = 0.0
    for name, way in ways.items():
        took = milliseconds(way)
        parsing = parsing or took
        print(f"{name:<34}{took:>8.3f} ms{took / parsing:>8.2f}")


if __name__ == "__main__":
    main()
