"""What a page has of the fields that somebody wants."""

from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from scrapy.http import HtmlResponse, JsonResponse, Response, TextResponse, XmlResponse

from urlcrawler.extract.document import Document
from urlcrawler.extract.fields import Found
from urlcrawler.extract.fieldsfile import read_fields

SHOP = """<!DOCTYPE html><html lang="en"><head><title>Kettle | Shop</title>
<meta name="description" content="A kettle"><meta property="og:site_name" content="Shop">
<script type="application/ld+json">
{"@graph": [{"@type": "Product", "brand": {"name": "Acme"}, "sku": 77, "tags": ["a", null, "b"]},
            {"@type": "BreadcrumbList"}]}
</script></head><body>
<h1 class="name big">  Kettle\n  <b>XL</b> </h1>
<p class="price">\u20ac 1.234,50</p><p class="old price">\u20ac 1.400,00</p><p class="odd">1.234</p>
<p class="stock">7 pieces</p><p class="sold-out">no</p><p class="empty">  </p>
<time class="date" datetime="2026-04-03">3 April</time><span class="when">03/04/2026</span>
<a class="next" href="../page 2?a=b">next</a><img src="/a.png"><img src="b.png">
<div class="text"><p>One</p><p>Two <i>three</i></p><script>var x;</script></div>
<div class="lines">One<br>Two <i>thr</i>ee<br/><!-- no -->Fo<b>ur</b> five</div>
<p>SKU: AB-12</p><p>SKU: CD-34</p>
<ul><li class="review" data-stars="5"><p>Good</p><time>2026-01-02</time></li>
<li class="review"><p>Bad</p></li></ul>
</body></html>"""


def page(body: str = SHOP, kind: type[Response] = HtmlResponse, host: str = "shop.example") -> Any:
    return kind(f"http://{host}/a/b", body=body.encode(), encoding="utf-8")


def found(tmp_path: Path, fields: str, response: Any = None) -> Found:
    path = tmp_path / "fields.yaml"
    path.write_text(fields, encoding="utf-8")
    return read_fields(str(path)).of(Document(response if response is not None else page()))


# How a field is written, and what it is on the page above.
VALUES: dict[str, Any] = {
    # Kinds of rules
    "x: h1": "Kettle XL",
    "x: h1::text": "Kettle",
    "x: .name": "Kettle XL",
    "x: h1.name::text": "Kettle",
    "x: p.name": None,
    "x: .big": "Kettle XL",
    "x: .bi": None,
    "x: ul .review p": "Good",
    "x: .lines": "One Two three Four five",
    "x: ul": "Good 2026-01-02 Bad",
    "x: {css: li.review, fields: {y: {regex: '<p>(.*?)</p>'}}}": {"y": "Good"},
    "x: img::attr(src)": "/a.png",
    "x: .date::attr(datetime)": "2026-04-03",
    "x: {xpath: '//h1/b'}": "XL",
    "x: {xpath: 'string(//h1)'}": "Kettle XL",
    "x: {xpath: 'count(//li)', type: int}": 2,
    "x: {xpath: 'string(//nothing)'}": None,
    "x: {xpath: '//p[re:test(., \"SKU\")]'}": "SKU: AB-12",
    "x: {jmespath: \"[?\\\"@type\\\"=='Product'].brand.name\"}": "Acme",
    "x: {jmespath: '[0].sku'}": "77",
    "x: {jmespath: '[0].sku', type: int}": 77,
    "x: {jmespath: '[0].brand'}": '{"name": "Acme"}',
    "x: {jmespath: '[0].tags', many: true}": ["a", "b"],
    "x: {jmespath: 'nothing'}": None,
    "x: {regex: 'SKU: ([A-Z]+)-'}": "AB",
    "x: {regex: 'SKU: [A-Z]+-\\d+', many: true}": ["SKU: AB-12", "SKU: CD-34"],
    "x: {meta: description}": "A kettle",
    "x: {meta: OG:Site_Name}": "Shop",
    "x: {meta: title}": "Kettle | Shop",
    "x: {meta: words, type: int}": 31,
    "x: {meta: nothing}": None,
    # Types
    "x: {css: .price, type: float}": 1234.5,
    "x: {css: .stock, type: int}": 7,
    "x: {css: .odd, type: float}": None,
    "x: {css: .odd, type: float, decimal: ','}": 1234.0,
    "x: {css: .odd, type: int}": 1234,
    "x: {css: .sold-out, type: bool}": False,
    "x: {css: .stock, type: bool}": True,
    "x: {css: .nothing, type: bool}": None,
    "x: {css: .nothing, type: bool, default: false}": False,
    "x: {css: '.date::attr(datetime)', type: date}": "2026-04-03",
    "x: {css: .date, type: date}": None,
    "x: {css: .when, type: date}": None,
    "x: {css: .when, type: date, order: DMY}": "2026-04-03",
    "x: {css: '.next::attr(href)', type: url}": "http://shop.example/page%202?a=b",
    "x: {css: img::attr(src), type: url, many: true}": [
        "http://shop.example/a.png", "http://shop.example/a/b.png",
    ],
    "x: {css: h1 b, type: html}": "<b>XL</b>",
    "x: {css: .text, type: text}": "One\n\nTwo three",
    # Options
    "x: {css: .price, many: true}": ["\u20ac 1.234,50", "\u20ac 1.400,00"],
    "x: {css: .nothing, many: true}": [],
    "x: {css: .nothing, default: none}": "none",
    "x: {css: .empty, default: none}": "none",
    "x: {css: .empty}": None,
    "x: {css: h1::text, strip: false}": "  Kettle\n  ",
    "x: {css: h1, max_length: 3}": "Ket",
    # Alternatives
    "x: {rules: [{css: .nothing}, {css: .stock}]}": "7 pieces",
    "x: {rules: [{css: .stock, hosts: other.example}, {css: h1 b}]}": "XL",
    "x: {rules: [{css: .stock, hosts: ['*.example']}, {css: h1 b}]}": "7 pieces",
    "x: {css: h1, hosts: [shop.example]}": "Kettle XL",
    "x: {css: h1, hosts: ['*.shop.example']}": None,
    # Objects
    "x: {css: li, many: true, fields: {t: p, n: {css: '::attr(data-stars)', type: int}}}": [
        {"t": "Good", "n": 5}, {"t": "Bad", "n": None},
    ],
    "x: {css: .review, fields: {text: p, n: {xpath: 'count(.//p)', type: int}}}": {
        "text": "Good", "n": 1,
    },
    "x: {jmespath: '[0]', fields: {name: {jmespath: brand.name}, no: {jmespath: x}}}": {
        "name": "Acme", "no": None,
    },
    "x: {css: .nothing, fields: {text: p}}": None,
}  # fmt: skip


@pytest.mark.parametrize(("field", "value"), VALUES.items(), ids=lambda text: str(text)[:50])
def test_a_field_has_the_value_that_the_page_says(tmp_path: Path, field: str, value: Any) -> None:
    """By whichever rule, of whichever type."""
    assert found(tmp_path, field).values == {"x": value}


def test_a_price_fills_two_columns(tmp_path: Path) -> None:
    """One for the amount and one for the currency; lists of both for many."""
    assert found(tmp_path, "x: {css: .price, type: price}").values == {
        "x": 1234.5, "x_currency": "\u20ac",
    }  # fmt: skip
    assert found(tmp_path, "x: {css: .price, type: price, many: true}").values == {
        "x": [1234.5, 1400.0], "x_currency": ["\u20ac", "\u20ac"],
    }  # fmt: skip
    assert found(tmp_path, "x: {css: .no, type: price, default: 0}").values == {
        "x": 0, "x_currency": None,
    }  # fmt: skip
    assert found(tmp_path, "x: {css: .no, type: price, many: true, default: [5]}").values == {
        "x": [5], "x_currency": [None],
    }  # fmt: skip


def test_what_is_missing_and_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    """Missing are the required ones; unread any, with the text and the reason."""
    fields = """
    a: {css: .nothing, required: true}
    b: {css: .nothing}
    c: {css: .odd, type: float, required: true}
    d: {css: .when, type: date}
    e: {css: .nothing, many: true, required: true}
    f: {css: .review, many: true, fields: {n: {css: p, type: int}}}
    """
    got = found(tmp_path, fields)
    assert got.missing == ["a", "c", "e"]
    assert got.unread == {
        "c": "'1.234' is ambiguous: say `decimal: ','` or `decimal: '.'`",
        "d": "'03/04/2026' is ambiguous: say `order: DMY` or `order: MDY`",
        "f.n": "'Bad' is no number",
    }
    assert got.matches == {"a": 0, "b": 0, "c": 1, "d": 1, "e": 0, "f": 2, "f.n": 2}


JSON = '{"name": "Kettle", "price": {"amount": 19.9}, "tags": ["a", "b"], "ok": true}'


def test_a_json_page_has_its_fields_by_jmespath(tmp_path: Path) -> None:
    """Numbers and booleans are what they are; selectors find nothing in it."""
    fields = """
    name: {jmespath: name}
    price: {jmespath: price.amount, type: float}
    ok: {jmespath: ok, type: bool}
    text: {jmespath: price.amount}
    tags: {jmespath: tags, many: true}
    css: h1
    """
    values = {
        "name": "Kettle", "price": 19.9, "ok": True, "text": "19.9", "tags": ["a", "b"],
        "css": None,
    }  # fmt: skip
    assert found(tmp_path, fields, page(JSON, JsonResponse)).values == values
    assert found(tmp_path, fields, page(JSON, TextResponse)).values == values  # of another type


@pytest.mark.parametrize("kind", [Response, TextResponse, XmlResponse, HtmlResponse, JsonResponse])
@pytest.mark.parametrize("body", [b"", b"\0\xff\xfe", b"%PDF-1.7 \x80", b"<", b"{", b"[" * 5000])
def test_no_page_breaks_a_row(tmp_path: Path, kind: type[Response], body: bytes) -> None:
    """Whatever it holds, and whatever it says that it is."""
    fields = """
    a: .b
    b: {xpath: '//a'}
    c: {jmespath: a}
    d: {regex: 'nothing'}
    e: {meta: title}
    f: {css: a, type: url}
    """
    response = kind("http://a.com/", body=body)
    assert set(found(tmp_path, fields, response).values.values()) == {None}


def test_regular_expressions_that_never_end_are_given_up(tmp_path: Path) -> None:
    """All of those of a page together have a quarter of a second."""
    fields = "".join(f"x{n}: {{regex: '(a+)+{n}$'}}\n" for n in range(20))
    began = monotonic()
    got = found(tmp_path, fields, page("<p>" + "a" * 5000 + "!"))
    assert monotonic() - began < 1.5  # a quarter on a machine of one's own
    assert set(got.unread.values()) == {"the regular expressions take too long"}


ODD = {
    "x: {css: h1, type: price, decimal: ','}": '<h1>Art. 1,2,3: 5 €</h1>',
    "x: {css: h1, type: float, decimal: '.'}": "<h1>03.04.2026</h1>",
    "x: {css: h1, type: float, default: 0}": "<h1>1.234</h1>",
    "x: {jmespath: 'length([0].name)'}": '<script type="application/ld+json">{"n": 5}</script>',
    "x: {xpath: \"//h1[re:test(., '(')]\"}": "<h1>x</h1>",
    "x: {jmespath: '[0]', type: float}": '<script type="application/ld+json">{"price": 5}</script>',
    "x: {jmespath: '[0].n', type: float}": (
        f'<script type="application/ld+json">{{"n": {"9" * 400}}}</script>'
    ),
}  # fmt: skip


@pytest.mark.parametrize(("field", "body"), ODD.items(), ids=lambda text: text[:40])
def test_what_cannot_be_read_costs_one_cell(tmp_path: Path, field: str, body: str) -> None:
    """It stays empty, `missing` says why, and the other fields have their values."""
    got = found(tmp_path, f"{field}\ny: .y", page(f"{body}<p class=y>Y</p>"))
    assert got.values["x"] is None
    assert got.values["y"] == "Y"
    assert set(got.unread) == {"x"}


def test_a_rule_that_finds_only_blanks_leaves_it_to_the_next(tmp_path: Path) -> None:
    """An empty element is no value."""
    body = '<meta name="price" content="5"><b class="price"> </b><b class="price">7</b>'
    fields = "x: {rules: [{css: .none}, {css: 'b.price:first-of-type'}, {meta: price}], type: int}"
    assert found(tmp_path, fields, page(body)).values == {"x": 5}
    assert found(tmp_path, "x: {css: .price, type: int}", page(body)).values == {"x": 7}


def test_the_same_page_gives_the_same_values(tmp_path: Path) -> None:
    """In whichever order pages come."""
    fields = "\n".join(f"x{n}:{field[2:]}" for n, field in enumerate(VALUES))
    first = found(tmp_path, fields)
    found(tmp_path, fields, page(JSON, JsonResponse))
    assert found(tmp_path, fields) == first
