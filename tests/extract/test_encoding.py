"""Which encoding a page is read with."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.http import HtmlResponse, JsonResponse

from urlcrawler.extract.encoding import KNOWN, known_encoding


def page(body: bytes, charset: str | None = None) -> HtmlResponse:
    kind = "text/html" + (f"; charset={charset}" if charset else "")
    return HtmlResponse("http://a.com/", body=body, headers={"Content-Type": kind})


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [
        ("utf-8", "utf-8"), ("UTF8", "utf-8"), ("latin1", "cp1252"), ("iso-8859-1", "cp1252"),
        ("windows-1251", "cp1251"), ("shift_jis", "cp932"), ("gb2312", "gb18030"),
        ("koi8-r", "koi8-r"), ("utf-16le", "utf-16-le"), ("big5", "big5hkscs"),
    ],
)  # fmt: skip
def test_an_encoding_that_browsers_know_is_taken(charset: str, encoding: str) -> None:
    """By any of its names, and some for the larger ones that browsers mean by them."""
    assert known_encoding(page(b"<p>text</p>", charset)) == encoding


@pytest.mark.parametrize(
    "charset",
    ["punycode", "idna", "rot13", "zlib", "base64", "utf-7", "unicode_escape", "utf-32", "mbcs"],
)
def test_one_that_they_do_not_know_was_not_said(charset: str) -> None:
    """Then the page's own word counts, or what its bytes look like."""
    assert known_encoding(page("é".encode(), charset)) == "utf-8"
    assert known_encoding(page(b"\xe9", charset)) == "cp1252"
    meta = b'<meta charset="windows-1251">'
    assert known_encoding(page(meta, charset)) == "cp1251"
    assert known_encoding(page(f'<meta charset="{charset}">é'.encode())) in ("utf-8", "cp1252")


def test_json_is_utf_8() -> None:
    """Whatever the header says, unless it is not."""

    def of(body: bytes) -> str:
        headers = {"Content-Type": "application/json; charset=iso-8859-1"}
        return known_encoding(JsonResponse("http://a.com/", body=body, headers=headers))

    assert of(b"{}") == "utf-8"
    assert of('{"a": "é"}'.encode()) == "utf-8"
    assert of('{"a": "é"}'.encode("latin-1")) == "cp1252"


@given(body=st.binary(max_size=200), charset=st.none() | st.text(st.characters(codec="ascii")))
def test_every_page_has_an_encoding_that_can_be_read(body: bytes, charset: str | None) -> None:
    """Whatever it says, and whatever it holds."""
    encoding = known_encoding(page(body, charset))
    assert encoding in KNOWN
    codecs.lookup(encoding).decode(body, "replace")
