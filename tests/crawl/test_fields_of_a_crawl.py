"""Fields of a fields file, in the table of a crawl."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from crawling import Crawl, Server, SiteProcess, site_of

from urlcrawler.demo.messages import Request, Response
from urlcrawler.results import read_results

FIELDS = """
name: h1
price: {css: .price, type: price, required: true}
stock: {css: .stock, type: int}
reviews: {css: .review, many: true, fields: {text: p, stars: {css: .stars, type: int}}}
when: {css: time, type: date}
"""
PAGE = """<!DOCTYPE html><title>A</title><h1>Kettle {n}</h1><p class="price">€ {n},50</p>
<p class="stock">{n} left</p><time>03/04/2026</time>
<div class="review"><p>Good</p><b class="stars">5</b></div>"""


def shop(request: Request, number: int) -> Response:
    name = request.path[1:]
    if name == "bare":
        return Response(b"<!DOCTYPE html><title>Nothing</title>")
    if name == "json":
        return Response(b'{"price": 5}', content_type="application/json")
    return Response(PAGE.replace("{n}", name).encode())


@pytest.mark.parametrize("table", ["table.csv", "table.jsonl"])
def test_each_field_is_a_column(crawl: Callable[..., Crawl], tmp_path: Path, table: str) -> None:
    """Typed, after ours and before those of the list; what is missing is said."""
    (tmp_path / "fields.yaml").write_text(FIELDS, encoding="utf-8")
    with site_of(Server(shop).routes) as site:
        lines = ["url,sku,price"]
        lines += [f"http://127.0.0.1:{site.port}/{name},x,y" for name in ("1", "bare", "json")]
        lines.append("not a url,x,y")
        words = ("-a", "fields=fields.yaml", "-s", "METADATA=page")
        crawled = crawl(lines, *words, table=table, name="list.csv")
    first, bare, data, invalid = crawled.rows
    assert list(first)[-10:] == [
        "h1", "robots", "name", "price", "price_currency", "stock", "reviews", "when", "sku",
        "in_price",
    ]  # fmt: skip
    assert "words" not in first
    reviews = [{"text": "Good", "stars": 5}]
    if table == "table.csv":
        assert [first[name] for name in ("name", "price", "price_currency", "stock")] == [
            "Kettle 1", "1.5", "€", "1",
        ]  # fmt: skip
        assert json.loads(first["reviews"]) == reviews
    else:
        assert [first[name] for name in ("name", "price", "price_currency", "stock")] == [
            "Kettle 1", 1.5, "€", 1,
        ]  # fmt: skip
        assert first["reviews"] == reviews
    assert not first["when"]
    assert first["missing"] == (
        "when ('03/04/2026' is ambiguous: say `order: DMY` or `order: MDY`)"
    )
    assert (bare["outcome"], bare["missing"], data["missing"]) == ("ok", "price", "price")
    assert not invalid["missing"]
    assert "33%  price\n" in crawled.log
    assert "(1 could not be read: '03/04/2026' is ambiguous" in crawled.log


def test_mistakes_in_the_file_stop_the_crawl(
    crawl: Callable[..., Crawl], tmp_path: Path, site: SiteProcess
) -> None:
    """Before the first request, all of them, with exit code 1."""
    (tmp_path / "fields.yaml").write_text("name: 'h1['\nprice: {csss: .price}\n")
    crawled = crawl([site.url("/ok")], "-a", "fields=fields.yaml")
    assert "fields.yaml: line 1: field 'name': 'h1[' is no CSS selector" in crawled.log
    assert "fields.yaml: line 2: field 'price': there is no 'csss'" in crawled.log
    assert (crawled.exit_code, "Traceback" in crawled.log, crawled.rows) == (1, False, [])


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("METADATA=page,dats", "there is no group 'dats'; groups are: page, social, dates"),
        ("METADATA=Page", "there is no group 'Page'"),
    ],
)
def test_groups_of_metadata_that_do_not_exist_are_refused(
    crawl: Callable[..., Crawl], site: SiteProcess, setting: str, said: str
) -> None:
    """One sentence."""
    crawled = crawl([site.url("/ok")], "-s", setting)
    assert said in crawled.log
    assert (crawled.exit_code, "Traceback" in crawled.log) == (1, False)


def test_a_table_with_other_fields_is_not_appended_to(
    crawl: Callable[..., Crawl], tmp_path: Path, site: SiteProcess
) -> None:
    """Its columns are others; the message says what to type."""
    (tmp_path / "fields.yaml").write_text("name: h1\n")
    crawl([site.url("/ok")])
    crawled = crawl([site.url("/ok")], "-a", "fields=fields.yaml", fresh=False)
    assert "table.csv: has other columns than this crawl writes" in crawled.log
    assert crawled.exit_code == 1


def test_a_changed_fields_file_is_noticed_when_a_crawl_goes_on(
    crawl: Callable[..., Crawl], tmp_path: Path, site: SiteProcess
) -> None:
    """Rows of the first file and of the second stand in one table, so it is said; each time."""
    said = "the fields file has changed since the table was begun"
    lines, words = [site.url("/page/1"), site.url("/page/2")], ("-a", "fields=fields.yaml")
    (tmp_path / "fields.yaml").write_text("name: h1\n")
    first = crawl(lines[:1], *words)
    same = crawl(lines, *words, "-s", "CLOSESPIDER_PAGECOUNT=1", fresh=False)
    (tmp_path / "fields.yaml").write_text("name: .price\n")
    changed = [crawl([*lines, site.url("/page/3")], *words, fresh=False) for _ in range(2)]
    anew = crawl(lines, *words)
    again = crawl(lines, *words, fresh=False)
    logs = [crawled.log for crawled in (first, same, *changed, anew, again)]
    assert [said in log for log in logs] == [False, False, True, True, False, False]
    assert changed[0].rows[0]["name"] == "Product 1"
    assert re.fullmatch(r"[\d.]+", changed[0].rows[2]["name"])


def test_what_has_not_changed_keeps_its_fields_on_request(
    crawl: Callable[..., Crawl], tmp_path: Path
) -> None:
    """With CARRY_UNCHANGED, in their types; without it they are empty."""
    (tmp_path / "fields.yaml").write_text(FIELDS, encoding="utf-8")

    def answer(request: Request, number: int) -> Response:
        if request.headers.get("if-none-match") == '"1"':
            return Response(b"", 304, [("ETag", '"1"')])
        return Response(PAGE.replace("{n}", "7").encode(), 200, [("ETag", '"1"')])

    with site_of(Server(answer).routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/"]
        words = ("-a", "fields=fields.yaml")
        before = crawl(lines, *words, table="before.csv").only()
        words = (*words, "-a", "since=before.csv")
        empty = crawl(lines, *words, table="empty.jsonl").only()
        carried = crawl(lines, *words, "-s", "CARRY_UNCHANGED=1", table="now.jsonl").only()
    assert (before["outcome"], empty["outcome"], carried["outcome"]) == (
        "ok", "unchanged", "unchanged",
    )  # fmt: skip
    names = ("price", "stock", "reviews", "title", "words")
    assert [empty[name] for name in names] == [None] * 5
    assert [carried[name] for name in names] == [
        7.5, 7, [{"text": "Good", "stars": 5}], "A", int(before["words"]),
    ]  # fmt: skip


def test_json_ld_of_some_types_is_kept_on_request(crawl: Callable[..., Crawl]) -> None:
    """`-a json_ld=Product`: it can be most of a page."""
    things = '[{"@type": "Product"}, {"@type": ["X", "schema:Offer"]}, {"@type": "Y"}, {"n": 2}]'
    body = f'<title>A</title><script type="application/ld+json">{things}</script>'.encode()
    with site_of(Server(lambda request, number: Response(body)).routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/"]
        every = crawl(lines, table="a.jsonl").only()
        some = crawl(lines, "-a", "json_ld=product, Offer", table="b.jsonl").only()
        none = crawl(lines, "-a", "json_ld=Event", table="c.jsonl").only()
        wrong = crawl(lines, "-a", "json_ld=,")
    assert every["json_ld"] == json.loads(things)
    assert some["json_ld"] == json.loads(things)[:2]
    assert none["json_ld"] is None
    assert "argument `json_ld`: names nothing" in wrong.log


def test_rules_that_take_for_ever_on_a_page_cost_that_page(
    crawl: Callable[..., Crawl], tmp_path: Path
) -> None:
    """Small ones too; the others have their rows meanwhile, and at the end all have."""
    (tmp_path / "fields.yaml").write_text("x: 'p ~ p'\ny: h1\n")
    slow = b"<h1>Slow</h1>" + b"<p>" * 13_000

    def answer(request: Request, number: int) -> Response:
        is_slow = int(request.path[1:]) % 3 == 0
        return Response(slow if is_slow else b"<h1>A</h1><p>1</p><p>2</p>" * 100)

    with site_of(Server(answer).routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(20)]
        extensions = json.dumps({"saboteurs.WatchesTheLoop": 0})
        words = ("-a", "fields=fields.yaml", "-s", "PARSE_TIMEOUT=1", "-s")
        crawled = crawl(lines, *words, f"EXTENSIONS={extensions}")
    assert [row["error"] for row in crawled.rows] == [
        "too-complex" if n % 3 == 0 else "" for n in range(20)
    ]
    assert {row["x"] for row in crawled.rows} == {"", "2"}
    blocked = re.search(r"the loop was blocked for ([\d.]+) s", crawled.log)
    assert blocked
    assert float(blocked[1]) < 0.5


def test_the_table_is_read_with_its_types(crawl: Callable[..., Crawl], site: SiteProcess) -> None:
    """Words are whole numbers, JSON-LD is a list."""
    crawled = crawl([site.url("/page/1"), "not a url"])
    table = read_results(crawled.table)
    assert str(table["words"].dtype) == "Int64"
    assert table["words"][0] > 1000
    assert str(table["h1"].dtype) == "string"
