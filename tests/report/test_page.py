"""The page of a report, in a browser."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from urlcrawler.items import Page
from urlcrawler.outcomes import ERRORS as MEANINGS
from urlcrawler.output.rows import Table
from urlcrawler.output.tables import Csv
from urlcrawler.rendering.found import find_browser
from urlcrawler.report.figures import figures
from urlcrawler.report.page import page
from urlcrawler.report.reading import read_table

playwright = pytest.importorskip("playwright.sync_api")

pytestmark = pytest.mark.skipif(find_browser() is None, reason="this machine has no browser")

ERRORS = list(MEANINGS)
LONG = "a-host-with-a-very-long-name.in.some.department.of.a.large-company.example.co.uk"
HOSTILE = "<script>document.title = 'owned'</script>\u202e" + "x" * 400


def rows() -> Iterator[Page]:
    """Forty hosts, slower the further down, with every kind of trouble."""
    for position in range(1, 401):
        host = LONG if position % 40 == 0 else f"shop-{position % 40:02}.example.com"
        row = Page(position, f"https://{host}/{position}", "ok", 200, attempts=1)
        row.columns = {"price": str(position) if position % 3 else None, HOSTILE: "x"}
        row.title, row.elapsed = HOSTILE, round(math.exp(position % 40 / 10), 3) / 10
        row.fetched_at = f"2026-01-01T00:{position % 60:02}:00.000+00:00"
        if position % 3 == 0:
            row.url = f"https://{host}/{HOSTILE}"
            row.fail(ERRORS[position % len(ERRORS)], "a reason")
        elif position % 7 == 0:
            row.outcome = ("unchanged", "duplicate")[position % 2]
        yield row


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A report on these, against itself without its first half."""
    folder = tmp_path_factory.mktemp("report")
    kind = Csv(Table(["price", HOSTILE]).columns)
    lines = [kind.encode(Table(["price", HOSTILE]).row(row)) for row in rows()]
    (folder / "table.csv").write_bytes(kind.header() + b"".join(lines))
    (folder / "earlier.csv").write_bytes(kind.header() + b"".join(lines[200:]))
    slow = {
        "host": LONG,
        "paused": 12345.6,
        "refused": 1000,
        "highest": 16,
        "given_up": "host-down",
    }
    stats = {"throttle/slowest": [slow], "fields/price/unread": 3, "fields/price/example": HOSTILE}
    (folder / ".table.csv.stats.json").write_text(json.dumps(stats), encoding="utf-8")
    table, earlier = (read_table(str(folder / name)) for name in ("table.csv", "earlier.csv"))
    path = folder / "report.html"
    path.write_text(page(figures(table, earlier)), encoding="utf-8")
    table.close()
    earlier.close()
    return path.as_uri()


class Visit:
    """A page that is looked at, and what it has said and asked for."""

    def __init__(self, browser: object, address: str, scheme: str, width: int) -> None:
        size = {"width": width, "height": 800}
        self.context = browser.new_context(viewport=size, color_scheme=scheme)  # type: ignore[attr-defined]
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(address)


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[390, 1280])
def visit(
    request: pytest.FixtureRequest, browser: object, address: str, scheme: str
) -> Iterator[Visit]:
    visit = Visit(browser, address, scheme, request.param)
    yield visit
    visit.context.close()


def test_the_page_needs_nothing_and_nobody_and_fits(visit: Visit, address: str) -> None:
    """It asks for nothing, has no error, no script of a page ran, and nothing is cut off."""
    assert visit.asked == [address]
    assert visit.said == []
    assert visit.page.title() == "table.csv: report of a crawl"
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert visit.page.locator("figure svg").count() == 4
    # Text of at least 10 pixels, with a label beside each bar that is not outside of its picture.
    small = visit.page.evaluate(
        """[...document.querySelectorAll("figure svg text")].filter(text => {
            const box = text.getBoundingClientRect();
            const around = text.closest("svg").getBoundingClientRect();
            return box.height < 10 || box.left < around.left - 1 || box.right > around.right + 1;
        }).map(text => text.textContent)"""
    )
    assert small == []


def test_text_can_be_read_in_both_schemes(visit: Visit, scheme: str) -> None:
    """Dark on light or light on dark, in the pictures too."""
    background, text, label = visit.page.evaluate(
        """[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,
            getComputedStyle(document.querySelector("figure svg text")).fill]"""
    )
    assert (brightness(background) > 200) == (scheme == "light")
    for colour in (text, label):
        assert abs(brightness(colour) - brightness(background)) > 150


def brightness(colour: str) -> float:
    parts = [int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    return sum(parts) / 3


def hosts_of(visit: Visit, column: int) -> list[str]:
    cells = visit.page.locator(f"#hosts tbody tr td:nth-child({column})")
    return list(cells.all_inner_texts())


def test_a_click_on_a_column_sorts_by_it(visit: Visit) -> None:
    """Numbers the largest first, then the smallest; names from a to z."""
    heads = visit.page.locator("#hosts th button")
    heads.filter(has_text="p50").click()
    slow = hosts_of(visit, 6)
    assert slow[0].startswith("4.9")
    heads.filter(has_text="p50").click()
    assert hosts_of(visit, 6) == slow[::-1]
    heads.filter(has_text="host").click()
    names = hosts_of(visit, 1)
    assert names == sorted(names)
    assert names[0] == LONG
    assert visit.said == []


def test_a_sorted_column_is_announced(visit: Visit) -> None:
    """With `aria-sort`, on one column at a time; a key does what a click does."""
    button = visit.page.locator("#hosts th button").filter(has_text="errors")
    button.focus()
    visit.page.keyboard.press("Enter")
    sorted_by = visit.page.locator("#hosts th[aria-sort]")
    assert sorted_by.all_inner_texts() == ["errors"]
    assert sorted_by.get_attribute("aria-sort") == "descending"


def test_the_page_is_whole_without_scripts(browser: object, address: str) -> None:
    """The hosts are there, the largest first, and no button that does nothing."""
    context = browser.new_context(java_script_enabled=False)  # type: ignore[attr-defined]
    shown = context.new_page()
    shown.goto(address)
    assert shown.locator("#hosts tbody tr").count() == 40
    assert shown.locator("button").count() == 0
    context.close()


def test_the_page_can_be_printed(browser: object, address: str, tmp_path: Path) -> None:
    """On paper no table is wider than the sheet, and the sheet is white whatever the screen is."""
    context = browser.new_context(viewport={"width": 718, "height": 1000})  # type: ignore[attr-defined]
    shown = context.new_page()
    shown.goto(address)
    shown.emulate_media(media="print", color_scheme="dark")
    background = shown.evaluate("getComputedStyle(document.body).backgroundColor")
    assert brightness(background) == 255
    assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shown.pdf(path=str(tmp_path / "report.pdf"), format="A4")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    context.close()
