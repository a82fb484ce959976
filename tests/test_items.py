"""The row: its columns, and what may stand in its cells."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request
from scrapy.http import HtmlResponse, Response, TextResponse

from urlcrawler.inputs.records import Record
from urlcrawler.items import BASE_COLUMNS, OWN_COLUMNS, Page
from urlcrawler.outcomes import ERRORS
from urlcrawler.output.cells import clean
from urlcrawler.output.rows import Table

CLEANED: list[tuple[Any, Any]] = [
    ("a\0b", "a\\x00b"),
    ("\ud83d", "\\ud83d"),
    ("\udfff\0\ud800", "\\udfff\\x00\\ud800"),
    ("😀\n\t\r\x01\x7f\x85\u2028", "😀\n\t\r\x01\x7f\x85\u2028"),
    (["\0", {"\0": ["\ud800"]}], ["\\x00", {"\\x00": ["\\ud800"]}]),
    ({"a": {"b": ["x\0"]}}, {"a": {"b": ["x\\x00"]}}),
    (None, None),
    (0, 0),
    (-1.5, -1.5),
    (True, True),
    ([], []),
]
anything = st.text(st.characters(exclude_categories=()))
nested = st.recursive(
    st.none() | st.integers() | anything,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(("value", "expected"), CLEANED)
def test_what_no_file_can_hold_is_written_out(value: Any, expected: Any) -> None:
    """NUL and halves of surrogate pairs, also deep inside; nothing else changes."""
    assert clean(value) == expected


@given(nested)
def test_a_clean_value_can_be_written(value: Any) -> None:
    """As UTF-8 and without a NUL; cleaning again changes nothing."""
    cleaned = clean(value)
    text = cleaned if isinstance(cleaned, str) else json.dumps(cleaned, ensure_ascii=False)
    assert b"\0" not in text.encode()
    assert clean(cleaned) == cleaned


# Table

OWN = Table([]).columns


def test_own_columns_come_first_and_in_order() -> None:
    """Scripts rely on the order; the columns of the list follow in theirs."""
    table = Table(["z", "a"])
    assert table.columns == [*OWN, "z", "a"]
    assert list(table.row(Page(1, "http://a.com"))) == table.columns
    assert OWN_COLUMNS[:11] == (
        "position", "url", "outcome", "status", "final_url", "redirects", "error", "reason",
        "attempts", "duplicate_of", "fetched_at",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("names", "carried"),
    [
        (["status"], ["in_status"]),
        (["status", "in_status"], ["in_in_status", "in_status"]),
        (["in_status", "status"], ["in_status", "in_in_status"]),
        (["in_url", "in_in_url", "url"], ["in_url", "in_in_url", "in_in_in_url"]),
        (["Status", "columns", ""], ["Status", "columns", ""]),
    ],
)
def test_columns_that_collide_get_a_prefix(names: list[str], carried: list[str]) -> None:
    """Only those, and never a name that another column of the list has."""
    table = Table(names)
    assert table.columns[len(OWN) :] == carried
    row = table.row(Page(1, "http://a.com", columns=dict(zip(names, range(9), strict=False))))
    assert [row[name] for name in carried] == list(range(len(names)))


@given(st.lists(st.sampled_from(OWN_COLUMNS) | anything, unique=True, max_size=9))
def test_no_two_columns_have_the_same_name(names: list[str]) -> None:
    """Whatever the list calls its own: every column can be written and is told apart."""
    table = Table(names)
    assert len(set(table.columns)) == len(table.columns) == len(OWN) + len(names)
    assert "\0" not in "".join(table.columns)
    assert "".join(table.columns).encode()


def test_the_groups_of_metadata_decide_which_columns_there_are() -> None:
    """And a field with the name of one of them takes its place."""
    assert set(OWN_COLUMNS) - set(OWN) == {
        "alternates", "prev_page", "next_page", "article_title", "article_text", "article_date",
        "article_author",
    }  # fmt: skip
    table = Table(["price"], {"price": "float", "h1": "str"}, ["page"])
    own = [*BASE_COLUMNS, "title", "description", "canonical", "language", "robots"]
    assert table.columns == [*own, "price", "h1", "in_price"]
    page = Page(1, "http://a.com", columns={"price": "7"}, fields={"price": 8, "h1": "x"})
    assert [table.row(page)[name] for name in table.columns[-3:]] == [8, "x", "7"]
    assert Table([], {}, []).columns == list(BASE_COLUMNS)


def test_a_row_has_every_column_of_the_list() -> None:
    """A record without some of them has None there; cells are clean."""
    page = Page.of(Record(7, "http://a.com/\0", {"a": ["\ud800"]}))
    row = Table(["a", "b"]).row(page)
    assert (row["position"], row["url"], row["a"], row["b"]) == (
        7, "http://a.com/\\x00", ["\\ud800"], None,
    )  # fmt: skip


# Page


def answered(
    status: int = 200,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    meta: dict[str, Any] | None = None,
    kind: type[Response] = Response,
) -> Page:
    request = Request("http://b.com/", meta=meta or {})
    response = kind("http://b.com/", status, headers=headers or {}, body=body, request=request)
    return Page.of(Record(1, "http://a.com")).answered(response)


@pytest.mark.parametrize(
    ("status", "outcome", "error", "reason"),
    [
        (200, "ok", None, None),
        (204, "ok", None, None),
        (304, "unchanged", None, None),
        (302, "failed", "bad-redirect", "the server answered 302 without a target"),
        (404, "http_error", "http-4xx", "the server answered 404 Not Found"),
        (429, "http_error", "rate-limited", "the server answered 429 Too Many Requests"),
        (503, "http_error", "http-5xx", "the server answered 503 Service Unavailable"),
        (599, "http_error", "http-5xx", "the server answered 599"),
    ],
)
def test_the_status_decides_the_outcome(
    status: int, outcome: str, error: str | None, reason: str | None
) -> None:
    """With an error and a sentence where there is one."""
    page = answered(status)
    assert (page.status, page.outcome, page.error, page.reason) == (status, outcome, error, reason)


def test_a_redirect_that_leads_nowhere_names_its_target() -> None:
    """The sentence shows the Location, whatever its bytes."""
    page = answered(301, headers={"Location": "mailto:me@a.com"})
    assert page.reason == "redirects to 'mailto:me@a.com', which was not followed"


def test_an_answer_fills_its_columns() -> None:
    """The record stays as the list has it; the rest is from the last answer."""
    page = answered(
        body="ä".encode(), headers={"Content-Type": "Text/HTML; charset=UTF-8"}, kind=HtmlResponse,
        meta={"redirect_times": 2, "retry_times": 1, "download_latency": 0.12345},
    )  # fmt: skip
    assert (page.position, page.url, page.final_url) == (1, "http://a.com", "http://b.com/")
    assert (page.redirects, page.attempts, page.elapsed) == (2, 2, 0.123)
    assert (page.content_type, page.encoding, page.bytes) == ("text/html", "utf-8", 2)
    assert page.fetched_at
    assert page.fetched_at.endswith("+00:00")


@pytest.mark.parametrize(("body", "kind"), [(b"", TextResponse), (b"\x89PNG", Response)])
def test_what_is_no_text_has_no_encoding(body: bytes, kind: type[Response]) -> None:
    """Neither an image nor nothing was read with one; without a header there is no type."""
    page = answered(body=body, kind=kind)
    assert (page.encoding, page.content_type, page.elapsed) == (None, None, None)
    assert (page.redirects, page.attempts, page.bytes) == (0, 1, len(body))


@pytest.mark.parametrize("slug", ERRORS)
def test_a_page_that_fails_says_why(slug: str) -> None:
    """The outcome is the one that the table of errors gives the slug."""
    page = Page(1, "http://a.com").fail(slug, "a sentence")
    assert (page.outcome, page.error, page.reason) == (ERRORS[slug].outcome, slug, "a sentence")
