"""Only what changed: `-a since=yesterday.csv`."""

from collections.abc import Callable
from pathlib import Path

import pytest
from crawling import Crawl, Server, site_of

from urlcrawler.demo.messages import Request, Response
from urlcrawler.demo.site import Site

LATER = "Thu, 26 Nov 2026 10:00:00 GMT"
EARLIER = "Wed, 25 Nov 2026 10:00:00 GMT"


class Shop:
    """Pages with validators, as good servers have them, and without; the second day some change.

    Attributes:
        day: 1 or 2.
        sent: path, and what was asked for on condition, of each request on the second day.
        whole: paths of the answers with a body on the second day.
    """

    def __init__(self) -> None:
        self.day = 1
        self.sent: list[tuple[str, str | None, str | None]] = []
        self.whole: list[str] = []
        self.server = Server(self.answer)

    def answer(self, request: Request, number: int) -> Response:
        path = request.path[1:]
        etag = request.headers.get("if-none-match")
        since = request.headers.get("if-modified-since")
        if self.day == 2:
            self.sent.append((path, etag, since))
        if path.startswith("moved"):
            target = "/etag-0" if self.day == 1 else "/etag-1"
            return Response(b"", 302, [("Location", target)])
        if path == "gone" and self.day == 2:
            return Response(b"", 404)
        changes = path.endswith("1") and self.day == 2
        headers = []
        if path.startswith("etag"):
            mine = f'W/"{path}-{self.day if changes else 1}"'
            headers = [("ETag", mine)]
            if etag == mine:
                return Response(b"", 304, headers)
        if path.startswith("date"):
            mine = LATER if changes else EARLIER
            headers = [("Last-Modified", mine)]
            if since == mine:
                return Response(b"", 304)
        if self.day == 2:
            self.whole.append(path)
        body = f"<!DOCTYPE html><title>{path} {self.day if changes else 1}</title>"
        return Response(body.encode(), 200, headers)


PATHS = ["etag-0", "etag-1", "date-0", "date-1", "none-0", "none-1", "gone", "moved-0"]


@pytest.fixture(params=["csv", "jsonl"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def lines_of(site: Site, paths: list[str]) -> list[str]:
    return [f"http://127.0.0.1:{site.port}/{path}" for path in paths]


def test_only_what_has_changed_is_fetched_whole(crawl: Callable[..., Crawl], kind: str) -> None:
    """By ETag, by Last-Modified, and for servers without them by the body."""
    shop = Shop()
    with site_of(shop.server.routes) as site:
        crawl(lines_of(site, PATHS), table=f"first.{kind}")
        shop.day = 2
        lines = lines_of(site, [*PATHS, "new-0"])
        crawled = crawl(lines, "-a", f"since=first.{kind}", table=f"second.{kind}")
    found = {row["url"].rsplit("/", 1)[1]: row for row in crawled.rows}
    assert {path: (row["outcome"], str(row["status"])) for path, row in found.items()} == {
        "etag-0": ("unchanged", "304"),
        "etag-1": ("ok", "200"),
        "date-0": ("unchanged", "304"),
        "date-1": ("ok", "200"),
        "none-0": ("unchanged", "200"),
        "none-1": ("ok", "200"),
        "gone": ("http_error", "404"),
        "moved-0": ("ok", "200"),
        "new-0": ("ok", "200"),
    }
    assert "etag-0" not in shop.whole
    assert "date-0" not in shop.whole
    assert (found["etag-0"]["title"] or "", found["etag-0"]["error"] or "") == ("", "")
    assert found["etag-1"]["title"] == "etag-1 2"


def test_validators_go_to_the_url_that_gave_them(crawl: Callable[..., Crawl]) -> None:
    """A page that is redirected elsewhere today is asked for without those of yesterday's page."""
    shop = Shop()
    with site_of(shop.server.routes) as site:
        crawl(lines_of(site, ["moved-0"]), table="first.csv")
        shop.day = 2
        crawl(lines_of(site, ["moved-0"]), "-a", "since=first.csv", table="second.csv")
    assert shop.sent == [("moved-0", None, None), ("etag-1", None, None)]


def test_a_redirect_that_leads_where_it_did_is_asked_on_condition(
    crawl: Callable[..., Crawl],
) -> None:
    """Not the redirect, but what it leads to."""
    shop = Shop()
    with site_of(shop.server.routes) as site:
        crawl(lines_of(site, ["moved-0"]), table="first.csv")
        first = shop.server.times.copy()
        row = crawl(lines_of(site, ["moved-0"]), "-a", "since=first.csv", table="second.csv").only()
    assert (row["outcome"], row["status"], row["redirects"]) == ("unchanged", "304", "1")
    assert len(shop.server.times) == 2 * len(first)


def test_the_third_crawl_may_ask_by_the_second(crawl: Callable[..., Crawl], kind: str) -> None:
    """A row of a page that has not changed has what the next crawl needs."""
    shop = Shop()
    with site_of(shop.server.routes) as site:
        lines = lines_of(site, PATHS[:6])
        crawl(lines, table=f"1.{kind}")
        crawl(lines, "-a", f"since=1.{kind}", table=f"2.{kind}")
        shop.day = 2
        crawled = crawl(lines, "-a", f"since=2.{kind}", table=f"3.{kind}")
    outcomes = [row["outcome"] for row in crawled.rows]
    assert outcomes == ["unchanged", "ok", "unchanged", "ok", "unchanged", "ok"]


def test_what_is_in_the_page_is_carried_over_on_request(
    crawl: Callable[..., Crawl], kind: str
) -> None:
    """CARRY_UNCHANGED=1: a table that can be read without the earlier one."""
    shop = Shop()
    with site_of(shop.server.routes) as site:
        lines = lines_of(site, ["etag-0", "none-0"])
        first = crawl(lines, table=f"first.{kind}")
        words = ("-a", f"since=first.{kind}", "-s", "CARRY_UNCHANGED=1")
        second = crawl(lines, *words, table=f"second.{kind}")
    names = ("title", "content_type", "encoding", "bytes", "body_hash", "etag", "final_url")
    assert [row["outcome"] for row in second.rows] == ["unchanged"] * 2
    for before, after in zip(first.rows, second.rows, strict=True):
        assert [after[name] for name in names] == [before[name] for name in names]


def test_another_list_in_another_order_finds_its_pages(crawl: Callable[..., Crawl]) -> None:
    """By what is asked for, however it is spelled; and never by another record's row."""
    shop = Shop()
    with site_of(shop.server.routes) as site:
        crawl(lines_of(site, ["none-1", "etag-0", "date-0"]), table="first.csv")
        lines = [f"HTTP://127.0.0.1:{site.port}/{path}#top" for path in ("date-0", "etag-0")]
        crawled = crawl(lines, "-a", "since=first.csv", table="second.csv")
    assert [row["outcome"] for row in crawled.rows] == ["unchanged", "unchanged"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-a", "since=nowhere.csv"), "argument `since`: nowhere.csv: No such file or directory"),
        (
            ("-a", "since=urls.txt"),
            "urls.txt: is no table that can be read: only .csv, .jsonl, .jl",
        ),
        (("-a", "since=other.csv"), "other.csv: is no table of a crawl: it has no column position"),
        (("-a", "since=empty.csv"), "empty.csv: is no table of a crawl"),
        (("-a", "since=table.csv"), "is the table that this crawl writes. Name another one with"),
    ],
)
def test_what_is_no_earlier_table_is_refused(
    crawl: Callable[..., Crawl], tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    """In one sentence, and nothing is lost: not even a table that was to be replaced."""
    (tmp_path / "other.csv").write_text("name,price\nA,1\n", encoding="utf-8")
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    crawl(["not a url"])
    before = (tmp_path / "table.csv").read_bytes()
    crawled = crawl(["http://127.0.0.1:1/"], *words)
    assert said in crawled.log
    assert (crawled.exit_code, "Traceback" in crawled.log) == (1, False)
    assert (tmp_path / "table.csv").read_bytes() == before
