"""`scrapy report`: what became of a list, on the terminal and as a page."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from crawling import ENVIRONMENT, Crawl

from urlcrawler.items import Page
from urlcrawler.outcomes import ERRORS, OUTCOMES
from urlcrawler.output.rows import Table
from urlcrawler.output.tables import FORMATS

Scrapy = Callable[..., Crawl]


def write(path: Path, *pages: Page, columns: tuple[str, ...] = ("price",)) -> str:
    """Write a table as a crawl does; return its name."""
    table = Table(list(columns))
    format_ = FORMATS[path.suffix[1:]](table.columns)
    rows = [format_.encode(table.row(page)) for page in pages]
    path.write_bytes(format_.header() + b"".join(rows))
    return path.name


def ok(position: int, url: str, **values: Any) -> Page:
    given = {"attempts": 1, "elapsed": 0.2, "fetched_at": f"2026-01-01T00:00:{position:02}.000Z"}
    columns = {"price": values.pop("price", None)}
    return Page(position, url, "ok", 200, url, columns=columns, **(given | values))


def failed(position: int, url: str, error: str, **values: Any) -> Page:
    return Page(position, url, **values).fail(error, "a reason")


PAGES = (
    ok(1, "https://a.com/1", title="A", price="5"),
    ok(2, "https://a.com/2", elapsed=0.4, attempts=3),
    failed(3, "https://b.com/", "dns", attempts=3),
    failed(4, "not a url", "bad-url"),
)


@pytest.fixture(params=["csv", "jsonl"])
def kinds(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def report(scrapy: Scrapy, *words: str) -> Crawl:
    done = scrapy("report", *words, table="not read")
    assert "Traceback" not in done.log
    return done


def figures(scrapy: Scrapy, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(report(scrapy, "--json", *words).stdout)
    return found


def words_of(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_the_terminal_shows_outcomes_errors_hosts_and_columns(
    scrapy: Scrapy, tmp_path: Path, kinds: str
) -> None:
    """Each with its numbers, errors with an example and what they mean."""
    done = report(scrapy, write(tmp_path / f"table.{kinds}", *PAGES))
    lines = words_of(done.stdout)
    assert f"table.{kinds}: 4 rows, 7 requests" in done.stdout
    assert "Each of the positions 1 to 4 has exactly one row." in done.stdout
    assert ["2", "50.0%", "ok"] in lines
    assert ["1", "dns", *ERRORS["dns"].meaning.split()] in lines
    assert ["https://b.com/"] in lines
    assert ["2", "4", "100.0%", "0", "0.3", "0.38", "0.398", "a.com"] in lines
    assert ["1", "50.0%", "price"] in lines
    assert done.exit_code == 0


def test_positions_that_are_missing_or_doubled_are_named(scrapy: Scrapy, tmp_path: Path) -> None:
    """N in is N out, or the report says where it is not."""
    pages = [ok(position, f"https://a.com/{position}") for position in (1, 2, 2, 5, 9)]
    stdout = report(scrapy, write(tmp_path / "table.csv", *pages)).stdout
    assert "5 of the positions 1 to 9 have no row: 3 to 4, 6 to 8." in stdout
    assert "1 position has more than one row: 2." in stdout


def test_every_outcome_and_error_can_be_reported(scrapy: Scrapy, tmp_path: Path) -> None:
    """The closed lists are the only ones that a table has."""
    pages = [Page(place, "https://a.com/", name) for place, name in enumerate(OUTCOMES, 1)]
    pages += [failed(place, "https://a.com/", name) for place, name in enumerate(ERRORS, 9)]
    table = write(tmp_path / "table.csv", *pages)
    found = figures(scrapy, table, "--html", "report.html")
    assert set(found["outcomes"]) == set(OUTCOMES)
    assert {error["error"] for error in found["errors"]} == set(ERRORS)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert all(f"--{outcome}:" in page for outcome in OUTCOMES), "an outcome without a colour"


def test_machines_can_read_it(scrapy: Scrapy, tmp_path: Path, kinds: str) -> None:
    """One JSON object, with the same figures for both formats."""
    found = figures(scrapy, write(tmp_path / f"table.{kinds}", *PAGES))
    assert found["outcomes"] == {"ok": 2, "failed": 1, "invalid": 1}
    assert found["latency"]["p50"] == 0.3
    assert found["throughput"]["ok"] == [1, 1]
    hosts = {host["host"]: host for host in found["hosts"]["listed"]}
    assert (hosts["b.com"]["rows"], hosts["b.com"]["share"], hosts["b.com"]["p50"]) == (1, 0, None)
    coverage = {column["column"]: column["share"] for column in found["coverage"]}
    assert (coverage["price"], coverage["title"], coverage["h1"]) == (0.5, 0.5, 0.0)


def test_what_has_changed_since_an_earlier_table_is_told(
    scrapy: Scrapy, tmp_path: Path, kinds: str
) -> None:
    """Rows are matched by what they ask for, and `unchanged` is as good as `ok`."""
    earlier = write(
        tmp_path / f"earlier.{kinds}",
        ok(1, "https://a.com/1", title="A"),
        ok(2, "https://A.com/2#top", title="B"),
        failed(3, "https://b.com/", "dns"),
        ok(4, "https://c.com/", title="C"),
    )
    later = write(
        tmp_path / "later.csv",
        ok(1, "https://new.com/"),
        failed(2, "https://a.com/1", "http-5xx"),
        Page(3, "https://a.com/2", "unchanged"),
        failed(4, "https://b.com/", "dns"),
    )
    changes = figures(scrapy, later, "--against", earlier)["changes"]
    assert (changes["same"], changes["added"], changes["removed"]) == (2, 1, 1)
    assert changes["moved"] == [
        {"before": "ok", "after": "http_error", "urls": 1, "examples": ["https://a.com/1"]}
    ]
    assert changes["outcomes"]["ok"] == [3, 1]
    assert {"column": "title", "before": 1.0, "after": 0.0} in changes["coverage"]
    stdout = report(scrapy, later, "--against", earlier, "--html", "page.html").stdout
    assert ["1", "ok", "->", "http_error"] in words_of(stdout)
    assert "https://new.com/" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_the_stats_of_the_crawl_make_it_richer(scrapy: Scrapy, tmp_path: Path) -> None:
    """What it had in all, what became of fields, and how the throttle has treated hosts."""
    table = write(tmp_path / "table.csv", *PAGES)
    host = {"host": "a.com", "paused": 7.5, "refused": 2, "highest": 4, "given_up": None}
    stats = {
        "records/total": 6,
        "finish_reason": "finished",
        "throttle/slowest": [host, "odd", {"host": "b.com"}],
        "fields/price/found": 1,
        "fields/price/unread": 3,
        "fields/price/example": "'five' is no number",
    }
    (tmp_path / ".table.csv.stats.json").write_text(json.dumps(stats), encoding="utf-8")
    stdout = report(scrapy, table, "--html", "page.html").stdout
    assert "The list has 6 records: 2 of them come after position 4 and have no row." in stdout
    assert ["because:", "finished"] in words_of(stdout)
    assert "price (3 could not be read: 'five' is no number)" in stdout
    assert any(line[-3:] == ["7.5", "2", "a.com"] for line in words_of(stdout))
    assert "7.5 s" in (tmp_path / "page.html").read_text(encoding="utf-8")


ODD_STATS = """{"records/total": "many", "memusage/max": NaN, "finish_reason": ["x"], "fields/": 1,
"throttle/slowest": [{"host": "a.com", "paused": Infinity, "refused": 1, "highest": 1},
{"host": "a.com", "paused": 1, "refused": Infinity, "highest": 1}, {"host": ["x"]}, 1]}"""


@pytest.mark.parametrize("stats", ["no JSON", "[1]", ODD_STATS, "[" * 100_000])
def test_stats_that_cannot_be_read_cost_a_sentence(
    scrapy: Scrapy, tmp_path: Path, stats: str
) -> None:
    """And not the report."""
    table = write(tmp_path / "table.csv", *PAGES)
    (tmp_path / ".table.csv.stats.json").write_text(stats, encoding="utf-8")
    done = report(scrapy, table, "--html", "page.html")
    assert ("table.csv.stats.json: is no JSON object" in done.stdout) == (stats[0] != "{")
    assert done.exit_code == 0


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_crawl_under_way_can_be_reported(
    scrapy: Scrapy, tmp_path: Path, kinds: str, cut: int
) -> None:
    """A last row that is torn is left out, and said to be."""
    table = write(tmp_path / f"table.{kinds}", *PAGES)
    whole = (tmp_path / table).read_bytes()
    (tmp_path / table).write_bytes(whole[:-cut])
    done = report(scrapy, table, "--html", "page.html")
    assert f"{table}: 3 rows" in done.stdout
    assert "Left out, as not complete: 1 of the rows" in done.stdout
    assert done.exit_code == 0


def test_a_table_without_rows_or_columns_is_reported(scrapy: Scrapy, tmp_path: Path) -> None:
    """Whatever is not there is left out."""
    empty = write(tmp_path / "empty.csv")
    assert "The table has no row yet." in report(scrapy, empty, "--html", "empty.html").stdout
    (tmp_path / "few.csv").write_text("position,url,outcome\n1,http://a.com,ok\n", encoding="utf-8")
    done = report(scrapy, "few.csv", "--html", "few.html", "--against", empty)
    assert "few.csv: 1 rows" in done.stdout
    assert done.exit_code == 0


ODD = """
{"position": 1, "url": ["x"], "outcome": "ok", "error": {"a": 1}, "elapsed": "abc", "fetched_at": 1}
{"position": 2, "url": null, "outcome": "ok", "error": "odd", "elapsed": Infinity, "attempts": -1}
{"position": 3, "url": "http://a.com/\\ud83d", "outcome": "ok", "elapsed": NaN, "attempts": 1e300}
{"position": 4, "url": "http://a.com/", "outcome": "odd", "fetched_at": "9999-12-31T00:00:00Z"}
{"position": true, "url": "", "outcome": "ok"}
{"position": 99999999999999999999999, "url": "", "outcome": "ok"}
[1]
"""


def test_odd_values_are_no_reason_to_give_up(scrapy: Scrapy, tmp_path: Path) -> None:
    """A table may have been through other hands."""
    (tmp_path / "odd.jsonl").write_text(ODD.lstrip(), encoding="utf-8")
    found = figures(scrapy, "odd.jsonl", "--html", "page.html", "--against", "odd.jsonl")
    assert (found["rows"], found["incomplete"]) == (4, 3)
    assert found["latency"] is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere.csv",), "nowhere.csv: No such file or directory"),
        (("folder.csv",), "folder.csv: Is a directory"),
        (("notes.txt",), "notes.txt: is no table that can be read: only .csv, .jsonl"),
        (("other.csv",), "other.csv: is no table of a crawl: it has no column position, url"),
        (("nothing.csv",), "nothing.csv: has no row"),
        (("a.csv", "--against", "nowhere.csv"), "nowhere.csv: No such file or directory"),
        (("a.csv", "--html", "a.csv"), "--html a.csv: a page has a name like report.html"),
        (("a.csv", "--html", "no/page.html"), "--html no/page.html: No such file or directory"),
    ],
)
def test_what_cannot_be_reported_is_said(
    scrapy: Scrapy, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    """In one sentence, and no table is overwritten."""
    write(tmp_path / "a.csv", *PAGES)
    before = (tmp_path / "a.csv").read_bytes()
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "nothing.csv").touch()
    (tmp_path / "other.csv").write_text("name\nA\n", encoding="utf-8")
    done = report(scrapy, *words)
    assert done.log.startswith(f"scrapy report: {said}")
    assert (done.exit_code, done.log.count("\n"), done.stdout) == (1, 1, "")
    assert (tmp_path / "a.csv").read_bytes() == before


def test_a_command_line_without_a_table_is_a_usage_error(scrapy: Scrapy) -> None:
    """As in all commands of Scrapy."""
    assert report(scrapy).exit_code == 2


@pytest.mark.parametrize("missing", ["matplotlib", "jinja2"])
def test_the_page_needs_an_extra_and_the_terminal_does_not(
    scrapy: Scrapy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """Without it one sentence says what to type."""
    table = write(tmp_path / "table.csv", *PAGES)
    lacking = tmp_path / "lacking"
    lacking.mkdir()
    error = f"raise ModuleNotFoundError('No module named {missing}', name='{missing}')\n"
    (lacking / f"{missing}.py").write_text(error, encoding="utf-8")
    path = os.pathsep.join([str(lacking), ENVIRONMENT["PYTHONPATH"]])
    monkeypatch.setitem(ENVIRONMENT, "PYTHONPATH", path)
    done = report(scrapy, table, "--html", "page.html")
    assert done.log == (
        f"scrapy report: --html needs {missing}. Type: pip install 'urlcrawler[report]'\n"
    )
    assert done.exit_code == 1
    assert not (tmp_path / "page.html").exists()
    assert report(scrapy, table).exit_code == 0


HOSTILE = (
    "javascript:alert(1)//https://a.com/",
    'https://a.com/"><script>alert(1)</script>',
    "https://a.com/\u202egnp.exe\x1b[2J\x07",
    "data:text/html,<script>alert(1)</script>",
    "https://$x_y$.com/",
    "{{ 7 * 7 }}{% raw %}",
)


def hostile_table(path: Path) -> str:
    # Each with an error of its own, so that all of them are shown.
    errors = zip(HOSTILE, ERRORS, strict=False)
    pages = [failed(place, url, error) for place, (url, error) in enumerate(errors, 1)]
    pages += [ok(7, "https://user:secret@a.com/", title="<script>alert(2)</script>")]
    pages += [failed(8, "https://user:secret@a.com/2", "lost")]
    return write(path, *pages, columns=("<script>alert(3)</script>", "=1+1", "$\\frac$", "\u202ex"))


class Tags(HTMLParser):
    """The tags of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_nothing_from_the_web_becomes_markup(scrapy: Scrapy, tmp_path: Path, kinds: str) -> None:
    """No script but ours, no link but to http and https, and no reference to anything else."""
    table = hostile_table(tmp_path / f"table.{kinds}")
    done = report(scrapy, table, "--html", "page.html", "--against", table)
    assert done.exit_code == 0, done.log
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    tags = Tags(page).found
    assert [attributes for tag, attributes in tags if tag == "script"] == [{}]
    links = [attributes for tag, attributes in tags if tag == "a"]
    assert links
    for link in links:
        assert re.match(r"https?://[a-z0-9]", link["href"] or "")
        assert link["rel"] == "noopener noreferrer nofollow"
    for tag, attributes in tags:
        assert tag not in ("img", "link", "iframe", "object", "image", "base"), tag
        assert not {name for name in attributes if name.startswith("on") or name == "src"}
        if tag != "a":
            for name in ("href", "xlink:href"):
                assert (attributes.get(name) or "#").startswith("#")
    assert "url(http" not in page
    assert "secret" not in page
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", page)
    assert "\\u202egnp.exe" in page
    assert "{{ 7 * 7 }}" in page


def test_a_table_cannot_write_to_the_terminal(scrapy: Scrapy, tmp_path: Path, kinds: str) -> None:
    """Escape sequences and overrides stay text, and passwords in the table."""
    stdout = report(scrapy, hostile_table(tmp_path / f"table.{kinds}")).stdout
    assert all(char.isprintable() or char == "\n" for char in stdout)
    assert "secret" not in stdout


def test_an_apostrophe_before_a_formula_is_taken_away(scrapy: Scrapy, tmp_path: Path) -> None:
    """The report has URLs, hosts and columns as the list had them."""
    pages = [failed(1, "=https://a.com/", "bad-url"), ok(2, "-a.com")]
    lines = words_of(report(scrapy, write(tmp_path / "t.csv", *pages, columns=("=x",))).stdout)
    assert ["=https://a.com/"] in lines
    assert "-a.com" in [line[-1] for line in lines if line]
    assert ["0", "0.0%", "=x"] in lines


def test_whoever_reads_may_stop(tmp_path: Path) -> None:
    """`| head` is no error."""
    table = write(tmp_path / "table.csv", *PAGES)
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "scrapy", "report", table],
        cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
