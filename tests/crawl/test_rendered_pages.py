"""Pages that need JavaScript, in a real browser, and what happens when one of them misbehaves."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest
from crawling import Crawl, Server, needs_addresses, read_table, rules, site_of
from shops import (
    APP,
    AUTO,
    LAMP,
    ROUTES,
    SHELL,
    page,
    processes_of,
    rendering,
    rows_in,
    with_fields,
)

from urlcrawler.demo.messages import Handler, Request, Response
from urlcrawler.rendering.found import find_browser

pytestmark = pytest.mark.skipif(find_browser() is None, reason="this machine has no browser")


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    """The origin of the site."""
    with site_of(ROUTES) as site:
        yield f"http://127.0.0.1:{site.port}"


def what(row: dict[str, Any]) -> tuple[str, str, str, str]:
    return row["outcome"], row["rendered"], row["name"], row["price"]


DEAD = "http://127.0.0.1:1/"  # nobody listens there
FULL = ("ok", "True", "Lamp", "9.99")
AS_FETCHED = ("ok", "False", "Lamp", "9.99")


def test_only_pages_that_need_it_are_rendered(crawl: Callable[..., Crawl], shop: str) -> None:
    """By the fields: what is found without a browser is not rendered, with scripts or not."""
    lines = [f"{shop}/{kind}/{n}" for n in range(3) for kind in ("shell", "plain", "server")]
    crawled = with_fields(crawl, [*lines, f"{shop}/late"], *AUTO)
    found = {row["url"].removeprefix(shop): what(row) for row in crawled.rows}
    for n in range(3):
        assert found[f"/shell/{n}"] == FULL
        assert found[f"/plain/{n}"] == found[f"/server/{n}"] == AS_FETCHED
    assert found["/late"] == FULL
    assert crawled.exit_code == 0


def test_without_fields_a_page_is_rendered_that_shows_nothing(
    crawl: Callable[..., Crawl], shop: str
) -> None:
    """Status, bytes and hash are of what the server has sent, the words of what is seen."""
    rows = crawl([f"{shop}/shell/1", f"{shop}/server/1"], *AUTO).by_position
    assert [rows[n]["rendered"] for n in (1, 2)] == ["True", "False"]
    assert (rows[1]["status"], rows[1]["bytes"], rows[1]["words"]) == ("200", str(len(SHELL)), "2")
    assert rows[1]["h1"] == "Lamp"


def test_a_page_is_fetched_once(crawl: Callable[..., Crawl]) -> None:
    """The browser gets the answer that is there already."""
    server = Server(lambda request, count: Response(SHELL.encode()))
    with site_of({**ROUTES, **server.routes, "/app.js": ROUTES["/app.js"]}) as site:
        crawled = crawl([f"http://127.0.0.1:{site.port}/x/{n}" for n in range(3)], *AUTO)
    assert [row["rendered"] for row in crawled.rows] == ["True"] * 3
    assert Counter(path for *_, path in server.times) == {f"/x/{n}": 1 for n in range(3)}


def test_nothing_to_render_starts_and_imports_nothing(
    crawl: Callable[..., Crawl], shop: str
) -> None:
    """Playwright takes a quarter of a second to import, and its driver a process."""
    probe = ("-s", 'EXTENSIONS={"render_probe.Probe": 1}')
    crawled = crawl([f"{shop}/plain/{n}" for n in range(5)], *AUTO, *probe)
    assert [row["rendered"] for row in crawled.rows] == ["False"] * 5
    assert "playwright: not imported, 0 processes" in crawled.log


def test_scripts_that_pages_share_are_asked_for_once(crawl: Callable[..., Crawl]) -> None:
    """As often as there are tabs, at first; again only what its server wants asked for again."""
    asked: list[tuple[str, str | None]] = []
    control = {"/kept.js": "max-age=600", "/checked.js": "max-age=0", "/never.js": "no-store"}

    async def script(request: Request) -> Response:
        tag = request.headers.get("if-none-match")
        asked.append((request.path, tag))
        headers = [("Cache-Control", control[request.path]), ("ETag", '"1"')]
        body = APP.encode() if request.path == "/kept.js" else b""
        return Response(b"" if tag else body, 304 if tag else 200, headers, "text/javascript")

    scripts = "".join(f"<script src={path}></script>" for path in control)
    routes = {**ROUTES, **dict.fromkeys(control, script), "/page/*": page("<p id=root>" + scripts)}
    with site_of(routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/page/{n}" for n in range(12)]
        crawled = with_fields(crawl, lines, *AUTO, "-s", "RENDER_TABS=1")
    assert [what(row) for row in crawled.rows] == [FULL] * 12
    assert Counter(asked) == {
        ("/kept.js", None): 1, ("/never.js", None): 12,
        ("/checked.js", None): 1, ("/checked.js", '"1"'): 11,
    }  # fmt: skip


@needs_addresses
def test_a_script_that_is_another_one_for_each_site_is_not_shared(
    crawl: Callable[..., Crawl],
) -> None:
    """Modules come with the site that may have them; the next site must not get that answer."""

    async def module(request: Request) -> Response:
        origin = request.headers.get("origin", "")
        headers = [("Cache-Control", "max-age=600"), ("Vary", "Origin"),
                   ("Access-Control-Allow-Origin", origin)]  # fmt: skip
        code = f"document.body.innerHTML = '{LAMP}'"
        return Response(code.encode(), headers=headers, content_type="text/javascript")

    html = "<p id=root></p><script type=module src=http://127.0.0.1:PORT/app.mjs></script>"
    port = 0

    async def start(request: Request) -> Response:
        return Response(html.replace("PORT", str(port)).encode())

    hosts = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
    routes = {"/robots.txt": ROUTES["/robots.txt"], "/app.mjs": module, "/page/*": start}
    with site_of(routes, *hosts) as site:
        port = site.port
        lines = [f"http://127.0.0.{2 + n % 2}:{port}/page/{n}" for n in range(8)]
        rows = crawl(lines, *AUTO, "-s", "RENDER_TABS=1").rows
    assert [(row["rendered"], row["h1"]) for row in rows] == [("True", "Lamp")] * 8


MISBEHAVING = {
    "/spin": ("False", ""),
    "/spin-later": ("False", "Lamp"),
    "/hoards": ("False", "Lamp"),
    "/hoards-bytes": ("False", "Lamp"),
    "/reload": ("True", "Lamp"),
    "/asks-for-ever": ("True", "Lamp"),
    "/changes-for-ever": ("True", "Lamp"),
    "/dialogs": ("True", "Lamp"),
    "/popups": ("True", "Lamp"),
    "/download": ("True", ""),
    "/closes": ("True", "Lamp"),
    "/leaves": ("True", "Lamp"),
    "/large": ("True", "Lamp"),
    "/larger": ("False", ""),
    "/huge": ("False", ""),
}


def test_pages_that_misbehave_end_by_their_deadline_and_cost_no_other(
    crawl: Callable[..., Crawl], shop: str
) -> None:
    """Each has its row, as it was fetched where that is all there is, and says so."""
    lines = [f"{shop}{path}" for path in MISBEHAVING] + [f"{shop}/shell/{n}" for n in range(8)]
    began = time.monotonic()
    crawled = with_fields(
        crawl, lines, "-a", "render=always", "-s", "RENDER_TIMEOUT=25", "-s", "RENDER_TABS=6"
    )
    taken = time.monotonic() - began
    found = {row["url"].removeprefix(shop): (row["rendered"], row["name"]) for row in crawled.rows}
    errors = {row["url"].removeprefix(shop): row["render_error"] for row in crawled.rows}
    assert {path: found[path] for path in MISBEHAVING} == MISBEHAVING, errors
    assert [found[f"/shell/{n}"] for n in range(8)] == [("True", "Lamp")] * 8
    assert "not complete after 25 s" in errors["/spin"]
    for path in ("/hoards", "/hoards-bytes"):
        assert "had over 1500 MB (RENDER_MEMORY_MB)" in errors[path]
    assert "characters after it was rendered, more than 10485760" in errors["/larger"]
    assert crawled.exit_code == 0
    assert taken < 90
    assert "Traceback" not in crawled.log


@needs_addresses
def test_what_a_page_asks_for_is_asked_for_politely(crawl: Callable[..., Crawl]) -> None:
    """By the rules of robots.txt, and never on a private address; the page is taken as it is."""
    asked: list[str] = []
    port = 0

    async def start(request: Request) -> Response:
        return Response(html.replace("PORT", str(port)).encode())

    async def note(request: Request) -> Response:
        asked.append(request.path)
        return Response(b"{}", content_type="application/json")

    robots = Server(robots=rules("User-agent: *\nDisallow: /hidden")).robots
    html = (
        "<script>Promise.allSettled(['/open', '/hidden', 'http://127.0.0.2:PORT/other', '/a.png']"
        ".map(url => fetch(url))).then(all => { document.body.innerHTML = '<h1>' +"
        " all.map(one => one.status).join() + '</h1>' }); new Image().src = '/a.png'</script>"
    )
    routes = {"/robots.txt": robots, "/page": start, "/*": note}
    with site_of(routes, "127.0.0.1", "127.0.0.2") as site:
        port = site.port
        allowed = "ALLOW_PRIVATE_ADDRESSES=127.0.0.1/32"
        row = crawl([f"http://127.0.0.1:{port}/page"], *AUTO, "-s", allowed).only()
    assert row["h1"] == "fulfilled,rejected,rejected,fulfilled"
    assert Counter(asked) == {"/open": 1, "/a.png": 1}


def test_a_host_where_it_brings_nothing_is_asked_no_more(
    crawl: Callable[..., Crawl], shop: str
) -> None:
    """A field that no page has is no reason to render them all; the log says so."""
    folder: Path = crawl.args[0]  # type: ignore[attr-defined]
    (folder / "fields.yaml").write_text("size: .size::text\nname: h1::text\n")
    lines = [f"{shop}/server/{n}" for n in range(30)]
    crawled = crawl(lines, "-a", "fields=fields.yaml", *AUTO)
    rendered = Counter(row["rendered"] for row in crawled.rows)
    assert 3 <= rendered["True"] <= 3 + 4  # with those in the other tabs when it was found
    assert crawled.log.count("no size") == 1


def test_what_a_page_asks_for_is_asked_for_within_the_limit_of_its_host(
    crawl: Callable[..., Crawl],
) -> None:
    """Together with the pages of the list, in all tabs; after a 429 the host has its rest."""
    under_way = peak = 0
    at: list[float] = []

    async def start(request: Request) -> Response:
        await slow(request)
        return Response(html.encode())

    async def slow(request: Request) -> Response:
        nonlocal under_way, peak
        under_way += 1
        peak = max(peak, under_way)
        at.append(time.monotonic())
        number = len(at)
        await asyncio.sleep(0.05)
        under_way -= 1
        if number == 30:
            return Response(b"", 429, [("Retry-After", "2")])
        return Response(b"{}", content_type="application/json")

    html = (
        "<body><script>Promise.all([...Array(20).keys()].map(n => fetch('/slow/' + n)))"
        f".then(() => {{ document.body.innerHTML = '{LAMP}' }})</script>"
    )
    routes = {"/robots.txt": ROUTES["/robots.txt"], "/slow/*": slow, "/page/*": start}
    with site_of(routes) as site:
        limit = "CONCURRENT_REQUESTS_PER_DOMAIN=2"
        fixed = ("-s", "AUTOTHROTTLE_ENABLED=0")
        pages = [f"http://127.0.0.1:{site.port}/page/{n}" for n in range(7)]
        rows = crawl(pages, *AUTO, "-s", limit, *fixed).rows
    assert [(row["rendered"], row["h1"]) for row in rows] == [("True", "Lamp")] * 7
    assert len(at) == 7 + 7 * 20
    assert peak == 2
    assert max(after - before for before, after in pairwise(at)) > 1.9


def test_a_column_of_the_list_says_what_is_rendered(crawl: Callable[..., Crawl], shop: str) -> None:
    """For its record; what is empty is as the argument says, or not at all."""
    lines = ["url,render", f"{shop}/shell/1,auto", f"{shop}/shell/2,off", f"{shop}/shell/3,",
             f"{shop}/plain/4,always"]  # fmt: skip
    rows = crawl(lines, name="urls.csv").by_position
    assert [rows[n]["rendered"] for n in (1, 2, 3, 4)] == ["True", "", "", "True"]


def test_a_page_may_be_waited_for(crawl: Callable[..., Crawl], shop: str) -> None:
    """By a selector, instead of rest: a page that never rests is complete at once."""
    began = time.monotonic()
    words = ("-a", "render=always", "-a", "render_wait_for=.price")
    assert with_fields(crawl, [f"{shop}/asks-for-ever"], *words).only()["name"] == "Lamp"
    assert time.monotonic() - began < 9


ODD = {
    "/404": Response(b"<h1>Gone</h1>", 404),
    "/500": Response(b"<h1>Broken</h1>", 500),
    "/401": Response(b"", 401, [("WWW-Authenticate", "Basic")]),
    "/204": Response(b"", 204),
    "/pdf": Response(b"%PDF-1.7 ...", content_type="application/pdf"),
    "/json": Response(b'{"a": 1}', content_type="application/json"),
    "/xml": Response(b"<a><b/></a>", content_type="application/xml"),
    "/png": Response(b"\x89PNG\r\n", content_type="image/png"),
}


def test_what_is_no_page_is_as_without_a_browser(crawl: Callable[..., Crawl]) -> None:
    """Status, bytes and hash of errors, PDF, JSON, XML and images under render=always."""

    def answering(response: Response) -> Handler:
        async def answer(request: Request) -> Response:
            return response

        return answer

    routes = {"/robots.txt": ROUTES["/robots.txt"]}
    routes |= {path: answering(response) for path, response in ODD.items()}
    seen = ("outcome", "status", "error", "bytes", "body_hash", "content_type")
    with site_of(routes) as site:
        lines = [f"http://127.0.0.1:{site.port}{path}" for path in ODD]
        one, other = (
            [{name: row[name] for name in seen} for row in crawl(lines, *words).rows]
            for words in ((), ("-a", "render=always"))
        )
    assert one == other


@pytest.mark.parametrize("victim", ["browser", "driver"])
def test_kills_of_the_browser_or_its_driver_cost_no_row(
    crawl: Callable[..., Crawl], tmp_path: Path, shop: str, victim: str
) -> None:
    """Of 50 pages, while either is killed five times: 50 rows, of which 48 are rendered."""
    (tmp_path / "urls.txt").write_text("\n".join(f"{shop}/shell/{n}" for n in range(50)))
    with rendering(tmp_path, "-a", "render=always", "-s", "RENDER_TABS=2") as process:
        kills = at = 0
        while kills < 5 and process.poll() is None:
            time.sleep(0.1)
            if rows_in(tmp_path) >= at + 7 and (found := processes_of(process.pid, victim)):
                for one in found:
                    with suppress(psutil.Error):
                        one.kill()
                kills, at = kills + 1, rows_in(tmp_path)
        log = process.communicate(timeout=120)[1]
    assert (kills, process.returncode, rows_in(tmp_path)) == (5, 0, 50)
    assert Counter(row["rendered"] for row in read_table(tmp_path / "table.csv"))["True"] >= 48
    assert "Traceback" not in log
    assert "ERROR" not in log


def test_a_browser_that_does_not_start_is_tried_three_times(
    crawl: Callable[..., Crawl], shop: str
) -> None:
    """The log says so once, each row says so, and the pages are as they were fetched."""
    lines = [f"{shop}/shell/{n}" for n in range(20)]
    crawled = crawl(lines, *AUTO, "-s", "RENDER_BROWSER=/etc/hostname")
    assert {row["rendered"] for row in crawled.rows} == {"False"}
    assert all("the browser does not start" in row["render_error"] for row in crawled.rows)
    assert crawled.log.count("No page is rendered any more") == 1
    assert crawled.exit_code == 0


def test_a_browser_that_starts_slowly_takes_no_time_from_its_pages(
    crawl: Callable[..., Crawl], tmp_path: Path, shop: str
) -> None:
    """RENDER_TIMEOUT is that of a page, which begins when there is a browser for it."""
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nsleep 4\nexec {find_browser()} "$@"\n')
    browser.chmod(0o755)
    lines = [f"{shop}/shell/{n}" for n in range(6)]
    words = ("-s", f"RENDER_BROWSER={browser}", "-s", "RENDER_TIMEOUT=3.5")
    crawled = crawl(lines, *AUTO, *words)
    assert [(row["rendered"], row["render_error"]) for row in crawled.rows] == [("True", "")] * 6


def test_a_browser_that_stands_still_is_replaced(tmp_path: Path, shop: str) -> None:
    """It answers nothing and does not end: its pages are tried once more, in another one."""
    (tmp_path / "urls.txt").write_text("\n".join(f"{shop}/shell/{n}" for n in range(12)))
    words = ("-a", "render=always", "-s", "RENDER_TABS=2", "-s", "RENDER_TIMEOUT=4")
    with rendering(tmp_path, *words) as process:
        while rows_in(tmp_path) < 3 and process.poll() is None:
            time.sleep(0.1)
        frozen = processes_of(process.pid, "browser")
        for one in frozen:
            one.suspend()
        log = process.communicate(timeout=60)[1]
        _, alive = psutil.wait_procs(frozen, timeout=5)
    rows = read_table(tmp_path / "table.csv")
    assert [(row["rendered"], row["render_error"]) for row in rows] == [("True", "")] * 12, log
    assert (process.returncode, alive) == (0, [])


@pytest.mark.parametrize("how", ["INT", "INT to the group", "TERM", "KILL"])
def test_no_process_of_the_browser_outlives_the_crawl(tmp_path: Path, shop: str, how: str) -> None:
    """However it ends; what is left to crawl is left for the next run."""
    (tmp_path / "urls.txt").write_text("\n".join(f"{shop}/shell/{n}" for n in range(500)))
    with rendering(tmp_path, "-a", "render=always") as process:
        deadline = time.monotonic() + 30
        while not processes_of(process.pid, "browser") and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1)
        started = psutil.Process(process.pid).children(recursive=True)
        number = {"TERM": signal.SIGTERM, "KILL": signal.SIGKILL}.get(how, signal.SIGINT)
        (os.killpg if "group" in how else os.kill)(process.pid, number)
        process.wait(40)
        _, alive = psutil.wait_procs(started, timeout=10)
        left = [one.name() for one in alive if one.status() != psutil.STATUS_ZOMBIE]
    assert len(started) > 2
    assert left == []


@pytest.mark.parametrize(
    ("lines", "words", "sentence"),
    [
        ([DEAD], ("-a", "render=yes"),
         "argument `render`: must be off or auto or always, not 'yes'"),
        ([DEAD], (*AUTO, "-a", "render_wait_for=.a[["),
         "argument `render_wait_for`: '.a[[' is no CSS selector"),
        ([DEAD], ("-a", "render_wait_for=.a"),
         "argument `render_wait_for`: no page is rendered. Add -a render=auto"),
        ([DEAD], (*AUTO, "-s", "RENDER_BROWSER=/no/browser"),
         "setting RENDER_BROWSER: no such file: '/no/browser'"),
        (["url,render", f"{DEAD},auto", f"{DEAD},", f"{DEAD},yes"], (),
         "urls.csv: record 3: the column `render` must be off or auto or always, or empty, not"),
    ],
)  # fmt: skip
def test_what_cannot_be_rendered_is_said_before_the_first_request(
    crawl: Callable[..., Crawl], lines: list[str], words: tuple[str, ...], sentence: str
) -> None:
    """A choice that is none, a selector that is none, a browser that is not there."""
    crawled = crawl(lines, *words, name="urls.csv" if "," in lines[0] else "urls.txt")
    assert sentence in crawled.log
    assert (crawled.exit_code, crawled.rows) == (1, [])


def test_a_column_that_is_about_something_else_renders_nothing(
    crawl: Callable[..., Crawl], shop: str
) -> None:
    """It is carried through as any other, and the log says that nothing comes of it."""
    crawled = crawl(["url,render", f"{shop}/shell/1,yes"], name="urls.csv")
    assert (crawled.only()["rendered"], crawled.only()["render"]) == ("", "yes")
    assert "the column `render` has no off, auto or always, but 'yes'" in crawled.log
