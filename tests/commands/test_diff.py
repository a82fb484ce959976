"""`scrapy diff`: what has changed between two crawls."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from crawling import ENVIRONMENT, Crawl

from urlcrawler.items import BASE_COLUMNS, OWN_COLUMNS, Page
from urlcrawler.output.rows import Table
from urlcrawler.output.tables import FORMATS

Scrapy = Callable[..., Crawl]


def write(path: Path, *pages: Page) -> str:
    """Write a table as a crawl does; return its name."""
    table = Table(["shop"])
    format_ = FORMATS[path.suffix[1:]](table.columns)
    rows = [format_.encode(table.row(page)) for page in pages]
    path.write_bytes(format_.header() + b"".join(rows))
    return path.name


def page(url: str, title: str = "A", **values: Any) -> Page:
    given = {"outcome": "ok", "status": 200, "final_url": url, "body_hash": f"hash of {title}"}
    columns = {"shop": values.pop("shop", "North")}
    return Page(1, url, title=title, columns=columns, **(given | values))


@pytest.fixture(params=["csv", "jsonl"])
def kinds(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def diff(scrapy: Scrapy, *words: str) -> Crawl:
    return scrapy("diff", *words, table="not read")


def test_what_was_added_removed_and_changed_is_listed(
    scrapy: Scrapy, tmp_path: Path, kinds: str
) -> None:
    """With the columns that are different, before and after; formats may be mixed."""
    before = write(
        tmp_path / f"before.{kinds}", page("http://a/1"), page("http://a/2"), page("http://a/3")
    )
    after = write(
        tmp_path / "after.csv",
        page("http://a/4"),
        page("http://a/3", fetched_at="later", elapsed=3.0, attempts=2),
        page("http://a/2", "B", shop="South"),
    )
    done = diff(scrapy, before, after)
    assert done.stdout.splitlines() == [
        "+ http://a/4",
        "~ http://a/2",
        "    body_hash: 'hash of A' -> 'hash of B'",
        "    title: 'A' -> 'B'",
        "    shop: 'North' -> 'South'",
        "- http://a/1",
    ]
    assert "1 added, 1 removed, 1 changed, 1 the same" in done.log
    assert done.exit_code == 0


def test_a_page_that_had_not_changed_is_no_difference(scrapy: Scrapy, tmp_path: Path) -> None:
    """A row `unchanged` has less in it, and means the same."""
    url = "http://a/1"
    whole = write(tmp_path / "whole.csv", page(url))
    short = write(
        tmp_path / "short.csv", Page(1, url, "unchanged", 304, url, body_hash="hash of A")
    )
    for tables in ((whole, short), (short, whole)):
        assert diff(scrapy, *tables).stdout == ""


def test_an_outcome_that_changed_is_a_difference(scrapy: Scrapy, tmp_path: Path) -> None:
    """A page that is gone today stands in both lists."""
    before = write(tmp_path / "before.csv", page("http://a/1"))
    gone = page("http://a/1", outcome="http_error", status=404, error="http-4xx")
    after = write(tmp_path / "after.csv", gone)
    lines = diff(scrapy, before, after).stdout.splitlines()
    assert "    outcome: 'ok' -> 'http_error'" in lines
    assert "    status: '200' -> '404'" in lines


def test_columns_can_be_chosen(scrapy: Scrapy, tmp_path: Path) -> None:
    """Only these are looked at, also those that say nothing about the page."""
    before = write(tmp_path / "before.csv", page("http://a/1", attempts=1))
    after = write(tmp_path / "after.csv", page("http://a/1", "B", attempts=3))
    done = diff(scrapy, "--columns", "attempts, status", before, after)
    assert done.stdout.splitlines() == ["~ http://a/1", "    attempts: '1' -> '3'"]


def test_machines_can_read_it(scrapy: Scrapy, tmp_path: Path) -> None:
    """A JSON object a line."""
    before = write(tmp_path / "before.csv", page("http://a/1"), page("http://a/2"))
    after = write(tmp_path / "after.csv", page("http://a/1", "B"))
    done = diff(scrapy, "--json", "--columns=title", before, after)
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"kind": "changed", "url": "http://a/1", "columns": {"title": ["A", "B"]}},
        {"kind": "removed", "url": "http://a/2", "columns": {}},
    ]


def test_a_page_cannot_write_to_the_terminal(scrapy: Scrapy, tmp_path: Path) -> None:
    """Escape sequences stay text."""
    url = "http://a/\x1b[2J"
    before = write(tmp_path / "before.csv", page(url))
    after = write(tmp_path / "after.csv", page(url, "\x1b]0;owned\x07"))
    stdout = diff(scrapy, before, after).stdout
    assert "owned" in stdout
    assert all(char.isprintable() or char == "\n" for char in stdout)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere.csv", "a.csv"), "nowhere.csv: No such file or directory"),
        (("a.csv", "notes.txt"), "notes.txt: is no table that can be read"),
        (("other.csv", "a.csv"), "other.csv: is no table of a crawl: it has no column position"),
        (("--columns=tilte", "a.csv", "a.csv"), "--columns: no column 'tilte' in both tables"),
    ],
)
def test_what_cannot_be_compared_is_said(
    scrapy: Scrapy, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    """In one sentence."""
    write(tmp_path / "a.csv", page("http://a/1"))
    (tmp_path / "other.csv").write_text("name\nA\n", encoding="utf-8")
    done = diff(scrapy, *words)
    assert said in done.log
    assert (done.exit_code, "Traceback" in done.log) == (1, False)


def test_whoever_reads_may_stop(tmp_path: Path) -> None:
    """`| head` is no error."""
    before = write(tmp_path / "before.csv")
    after = write(tmp_path / "after.csv", *(page(f"http://a/{n}") for n in range(20_000)))
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "scrapy", "diff", before, after],
        cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "+ http://a/0\n"
        process.stdout.close()
        assert "Error" not in process.stderr.read()


def test_every_column_is_compared_or_accidental() -> None:
    """A column that is new must be one or the other, and somebody must have thought about it."""
    from urlcrawler.output.comparison import ACCIDENTAL

    assert set(ACCIDENTAL) < set(OWN_COLUMNS)
    assert set(BASE_COLUMNS) - set(ACCIDENTAL) == {
        "url", "outcome", "status", "final_url", "redirects", "error", "content_type", "encoding",
        "bytes", "body_hash", "missing",
    }  # fmt: skip
