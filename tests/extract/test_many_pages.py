"""Ten fields over three hundred pages: thirty products, as ten kinds of shops show them."""

import csv
import json
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from scrapy.http import HtmlResponse, JsonResponse, Response, XmlResponse

from urlcrawler.extract.document import Document
from urlcrawler.extract.fields import Fields
from urlcrawler.extract.fieldsfile import read_fields


class Product(NamedTuple):
    """What a shop writes, and what that means."""

    name: str
    price: str
    amount: float | None
    currency: str | None
    stock: str
    left: int | None
    rating: str
    stars: float | None
    date: str
    day: str | None
    new: str
    is_new: bool
    tags: tuple[str, ...]


def _products() -> list[Product]:
    """Read the table; `price`, `stock`, `rating`, `date` and `new` are what a page says."""
    with (Path(__file__).parent / "products.csv").open(encoding="utf-8", newline="") as file:
        return [
            Product(
                **{
                    **row,
                    "amount": float(row["amount"]) if row["amount"] else None,
                    "currency": row["currency"] or None,
                    "left": int(row["left"]) if row["left"] else None,
                    "stars": float(row["stars"]) if row["stars"] else None,
                    "day": row["day"] or None,
                    "is_new": row["is_new"] == "true",
                    "tags": tuple(filter(None, row["tags"].split("|"))),
                }
            )
            for row in csv.DictReader(file)
        ]


PRODUCTS = _products()
CELLS = ("price", "stock", "rating", "date", "new")


def html(body: str, head: str = "", encoding: str = "utf-8") -> HtmlResponse:
    page = f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>"
    return HtmlResponse(
        "http://shop.example/p", body=page.encode(encoding, "xmlcharrefreplace"), encoding=encoding
    )


def things(product: Product) -> dict[str, Any]:
    return {name: getattr(product, name) for name in ("name", *CELLS, "tags")}


def classes(p: Product) -> Response:
    cells = "".join(f'<p class="{name} x">{escape(getattr(p, name))}</p>' for name in CELLS)
    tags = "".join(f"<li class=tag>{escape(tag)}" for tag in p.tags)
    return html(f'<h1 class="name">{escape(p.name)}</h1>{cells}<ul>{tags}</ul>')


def attributes(p: Product) -> Response:
    cells = "".join(f'<i data-{name}="{escape(getattr(p, name))}"></i>' for name in CELLS)
    tags = "".join(f'<i data-tag="{escape(tag)}"></i>' for tag in p.tags)
    return html(f'<i data-name="{escape(p.name)}"></i>{cells}{tags}')


def rows(p: Product) -> Response:
    cells = "".join(f"<tr><th>{name}:<td>{escape(getattr(p, name))}" for name in ("name", *CELLS))
    tags = "".join(f"<tr><th>tag:<td>{escape(tag)}" for tag in p.tags)
    return html(f"<table>{cells}{tags}</table>")


def definitions(p: Product) -> Response:
    cells = "".join(
        f"<dt id={name}>{name}</dt><dd> \n {escape(getattr(p, name))}\n</dd>"
        for name in ("name", *CELLS)
    )
    tags = "".join(f"<dt class=tag>tag</dt><dd>{escape(tag)}</dd>" for tag in p.tags)
    return html(f"<dl>{cells}{tags}</dl>")


def metas(p: Product) -> Response:
    head = "".join(
        f'<meta property="product:{name}" content="{escape(getattr(p, name))}">'
        for name in ("name", *CELLS)
    )
    tags = "".join(f'<meta property="tag" content="{escape(tag)}">' for tag in p.tags)
    return html("", head + tags)


def json_ld(p: Product) -> Response:
    thing = json.dumps({"@type": "Product", **things(p)}).replace("<", "\\u003c")
    others = '<script type="application/ld+json">{"@type": "Organization"}</script>'
    return html(f'{others}<script type="application/ld+json">[{thing}]</script>')


def data(p: Product) -> Response:
    body = json.dumps({"product": things(p)}, ensure_ascii=False).encode()
    return JsonResponse("http://shop.example/p.json", body=body)


def xml(p: Product) -> Response:
    cells = "".join(f"<{n}>{escape(getattr(p, n))}</{n}>" for n in ("name", *CELLS))
    tags = "".join(f"<tag>{escape(tag)}</tag>" for tag in p.tags)
    body = f'<?xml version="1.0" encoding="utf-8"?><product>{cells}{tags}</product>'
    return XmlResponse("http://shop.example/p.xml", body=body.encode())


def latin(p: Product) -> Response:
    cells = "".join(f"<p id={name}>{escape(getattr(p, name))}<b></b></p>" for name in CELLS)
    tags = "".join(f"<b class=tag>{escape(tag)}</b>" for tag in p.tags)
    return html(f"<h2 id=name>{escape(p.name)}</h2>{cells}{tags}", encoding="cp1252")


def nested(p: Product) -> Response:
    cells = "".join(
        f"<div><div class=k>{name}</div><div><i><b>{escape(getattr(p, name))}</b></i></div></div>"
        for name in ("name", *CELLS)
    )
    tags = "".join(f"<div><div class=k>tag</div><div>{escape(tag)}</div></div>" for tag in p.tags)
    return html(f"{'<div>' * 30}{cells}{tags}")


# How a shop shows a product, and how a value, and all tags, are found there.
SHAPES: dict[str, tuple[Callable[[Product], Response], str, str]] = {
    "classes": (classes, "css: .{}", "css: .tag"),
    "attributes": (attributes, "css: '[data-{0}]::attr(data-{0})'", "css: '::attr(data-tag)'"),
    "rows": (rows, "xpath: \"//tr[th='{}:']/td\"", "xpath: \"//tr[th='tag:']/td/text()\""),
    "definitions": (definitions, "css: '#{} + dd'", "css: .tag + dd"),
    "metas": (metas, "meta: product:{}", "xpath: \"//meta[@property='tag']/@content\""),
    "JSON-LD": (
        json_ld, "jmespath: \"[?\\\"@type\\\"=='Product'].{}\"",
        "jmespath: \"[?\\\"@type\\\"=='Product'].tags[]\"",
    ),
    "JSON": (data, "jmespath: product.{}", "jmespath: product.tags"),
    "XML": (xml, "xpath: /product/{}", "css: tag"),
    "Latin": (latin, "css: '#{}'", "css: b.tag::text"),
    "nested": (nested, "xpath: \"//div[div[@class='k'][.='{}']]/div[2]\"",
               "xpath: \"//div[div[@class='k'][.='tag']]/div[2]\""),
}  # fmt: skip


def fields_of(shape: str, folder: Path) -> Fields:
    _, one, many = SHAPES[shape]
    lines = [
        f"name: {{{one.format('name')}, required: true}}",
        f"short: {{{one.format('name')}, max_length: 5}}",
        f"price: {{{one.format('price')}, type: price}}",
        f"stock: {{{one.format('stock')}, type: int}}",
        f"rating: {{{one.format('rating')}, type: float}}",
        f"date: {{{one.format('date')}, type: date}}",
        f"new: {{{one.format('new')}, type: bool}}",
        f"tags: {{{many}, many: true}}",
        f"absent: {{{one.format('absent')}, default: none}}",
    ]
    path = folder / "fields.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return read_fields(str(path))


@pytest.mark.parametrize("shape", SHAPES)
def test_three_hundred_pages_have_the_values_of_the_table(tmp_path: Path, shape: str) -> None:
    """Ten columns of thirty pages of each kind, and none is a guess."""
    fields = fields_of(shape, tmp_path)
    make = SHAPES[shape][0]
    wrong = []
    for product in PRODUCTS:
        found = fields.of(Document(make(product))).values
        expected = {
            "name": product.name,
            "short": product.name[:5],
            "price": product.amount,
            "price_currency": product.currency,
            "stock": product.left,
            "rating": product.stars,
            "date": product.day,
            "new": product.is_new,
            "tags": list(product.tags),
            "absent": "none",
        }
        assert list(found) == list(expected)
        wrong += [
            (product.name, name, found[name], value)
            for name, value in expected.items()
            if found[name] != value
        ]
    assert wrong == []


def test_there_are_three_hundred() -> None:
    """Thirty products in ten shapes."""
    assert len(PRODUCTS) * len(SHAPES) == 300
