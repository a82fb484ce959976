"""A page is parsed as Scrapy parses it, only sooner."""

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from scrapy.http import HtmlResponse

from urlcrawler.extract.document import Document

BODIES = [
    b"", b" ", b"<", b"<p>a", b"\0<p>a\0b", "<p>é漢🫖".encode(), b"<p>\xe9", b"\xef\xbb\xbf<p>a",
    b"<meta charset=latin-1><p>\xc3\xa9", b"<?xml version='1.0'?><p>a", b"<!-- a --><p>b<!-- c -->",
    b"text only", b"<html lang=de><body class='a'>" * 3, b"<title>a</title>\n\n  ", b"&#0;&#xD800;",
]  # fmt: skip


def source(root: Any) -> str:
    return "" if root is None else etree.tostring(root, encoding="unicode")


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", None])
@pytest.mark.parametrize("body", BODIES)
def test_the_tree_is_that_of_scrapy_s_selectors(body: bytes, encoding: str | None) -> None:
    """And the selectors of the spider look at the very same one."""
    options = {"encoding": encoding} if encoding else {}
    ours = HtmlResponse("http://a.com/b", body=body, **options)
    root = Document(ours).root
    assert ours.selector.root is root
    assert source(root) == source(
        HtmlResponse("http://a.com/b", body=body, **options).selector.root
    )
    assert (
        ours.css("p").getall()
        == HtmlResponse("http://a.com", body=body, **options).css("p").getall()
    )
    assert ours.selector.response is ours


@given(body=st.binary() | st.text().map(str.encode))
def test_so_is_that_of_any_page(body: bytes) -> None:
    """Whatever the bytes."""
    ours = HtmlResponse("http://a.com/b", body=body, encoding="utf-8")
    theirs = HtmlResponse("http://a.com/b", body=body, encoding="utf-8")
    assert source(Document(ours).root) == source(theirs.selector.root)


CLASSES = """<div class="a"><p class="b a">1</p></div><p class="ab">2</p><p class=" a\tc ">3</p>
<svg class="a"></svg><p class="A">4</p><p class="">5</p><!-- class="a" --><p class="b a">6</p>"""


@pytest.mark.parametrize("name", ["a", "b", "c", "ab", "A", "nothing"])
def test_elements_with_a_class_are_those_that_css_finds(name: str) -> None:
    """In the order of the page."""
    response = HtmlResponse("http://a.com", body=CLASSES.encode(), encoding="utf-8")
    found = Document(response).with_class(name)
    assert found == [selector.root for selector in response.css(f".{name}")]


def test_a_page_that_is_being_parsed_does_not_keep_others_waiting() -> None:
    """Python 3.11 has one lock for an attribute of all instances that is computed once."""

    class Slow(HtmlResponse):
        @property
        def selector(self) -> Any:
            began.set()
            assert done.wait(10)
            return super().selector

    began, done = threading.Event(), threading.Event()
    slow = Slow("http://a.com", body=b"<p>", encoding="cp1252")
    thread = threading.Thread(target=lambda: Document(slow).root)
    thread.start()
    assert began.wait(10)
    root = Document(HtmlResponse("http://a.com", body=b"<p>", encoding="utf-8")).root
    assert root is not None
    done.set()
    thread.join(10)
