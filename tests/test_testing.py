"""`parse_saved`: a spider on a page that was saved, without a crawl."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request

from urlcrawler.exceptions import ArgumentError
from urlcrawler.spiders.base import UrlListSpider
from urlcrawler.testing import parse_saved

PAGE = b"<title>A kettle</title><h1>Kettle</h1><b class=price>12.50</b><a href=/stock>Stock</a>"
URL = "https://shop.example/kettle"


class KettleSpider(UrlListSpider):
    name = "kettle"
    columns = {"price": "float", "sku": "str"}  # noqa: RUF012
    arguments = {"currency": "of prices"}  # noqa: RUF012

    def parse_page(self, response: Any, page: Any) -> Iterator[Any]:
        page.fields["price"] = float(response.css(".price::text").get())
        page.fields["sku"] = page.columns.get("sku")
        yield {"heading": response.css("h1::text").get(), "currency": self.currency}
        yield response.follow("/stock", self.parse_stock, cb_kwargs={"page": page})

    def parse_stock(self, response: Any, page: Any) -> None: ...


def test_a_page_that_was_saved_is_parsed() -> None:
    """Its metadata, its own columns, and what else is yielded; relative URLs have a base."""
    parsed = parse_saved(KettleSpider, PAGE, url=URL, columns={"sku": "A1"}, currency="EUR")
    assert (parsed.page.outcome, parsed.page.title) == ("ok", "A kettle")
    assert parsed.page.fields == {"price": 12.5, "sku": "A1"}
    assert parsed.items == [{"heading": "Kettle", "currency": "EUR"}]
    (request,) = parsed.requests
    assert isinstance(request, Request)
    assert request.url == "https://shop.example/stock"


def test_what_parse_page_raises_is_raised() -> None:
    """A test shows where the code is wrong; a row would only name the exception."""
    with pytest.raises(TypeError, match="float"):
        parse_saved(KettleSpider, b"<title>No price</title>", url=URL, currency="EUR")


def test_a_fields_file_is_tested_in_the_same_way(tmp_path: Path) -> None:
    """Arguments are those of the command line; a spider may be written as a coroutine."""

    class Heading(UrlListSpider):
        name = "heading"

        async def parse_page(self, response: Any, page: Any) -> AsyncIterator[Any]:
            page.title = page.fields["heading"].upper()
            yield page  # as nothing else: it is written anyway

    (tmp_path / "kettle.html").write_bytes(PAGE)
    (tmp_path / "fields.yaml").write_text("heading: h1\n")
    fields = str(tmp_path / "fields.yaml")
    parsed = parse_saved(Heading, tmp_path / "kettle.html", url=URL, fields=fields)
    assert (parsed.page.title, parsed.items, parsed.requests) == ("KETTLE", [], [])
    with pytest.raises(ArgumentError, match=r"no such argument\. Did you mean `fields`"):
        parse_saved(Heading, PAGE, url=URL, field=fields)


def test_a_column_without_a_name_is_an_error() -> None:
    """As it would be in the row."""

    class Unnamed(UrlListSpider):
        name = "unnamed"

        def parse_page(self, response: Any, page: Any) -> None:
            page.fields["size"] = 1

    with pytest.raises(ValueError, match=r"'size' in page\.fields is no column"):
        parse_saved(Unnamed, PAGE, url=URL)


def test_headers_say_what_the_bytes_do_not() -> None:
    """JSON is no HTML."""

    class Answer(UrlListSpider):
        name = "answer"

        def parse_page(self, response: Any, page: Any) -> None:
            page.title = response.json()["title"]

    headers = {"Content-Type": "application/json"}
    parsed = parse_saved(Answer, b'{"title": "Kettle"}', url=URL, headers=headers)
    assert (parsed.page.title, parsed.page.content_type) == ("Kettle", "application/json")
