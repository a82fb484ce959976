"""What holds for any crawl, when its pages are rendered: resume, processes, rounds, summary."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import pytest
import scrapy
from crawling import ENVIRONMENT, Crawl, Server, crawl_list, read_table, site_of
from shops import AUTO, ROUTES, SHELL, rendering, rows_in

from urlcrawler.demo.messages import Response
from urlcrawler.rendering.found import find_browser

pytestmark = pytest.mark.skipif(find_browser() is None, reason="this machine has no browser")

NOBODY = 65_534


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    """The origin of the site."""
    with site_of(ROUTES) as site:
        yield f"http://127.0.0.1:{site.port}"


def seen(rows: list[dict[str, str]]) -> list[tuple[str, str, str, str]]:
    return [(row["position"], row["outcome"], row["rendered"], row["h1"]) for row in rows]


def mixed(shop: str, count: int) -> list[str]:
    return [f"{shop}/{'shell' if n % 3 else 'plain'}/{n}" for n in range(count)]


def of_mixed(count: int) -> list[tuple[str, str, str, str]]:
    return [(str(n + 1), "ok", str(bool(n % 3)), "Lamp") for n in range(count)]


@pytest.mark.parametrize(
    "how", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.long)]
)
def test_a_crawl_that_was_ended_while_it_rendered_goes_on(
    tmp_path: Path, shop: str, how: signal.Signals
) -> None:
    """After kill -9 or Ctrl-C the same command again: each record has its row, once."""
    lines = mixed(shop, 60)
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    with rendering(tmp_path, *AUTO, output="-o") as process:
        deadline = time.monotonic() + 40
        while rows_in(tmp_path) < 35 and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(how)
        process.wait(40)
    before = rows_in(tmp_path)
    again = crawl_list(tmp_path, lines, *AUTO, fresh=False)
    assert process.returncode == (-9 if how is signal.SIGKILL else 130)
    assert 20 < before < 60
    assert seen(again.rows) == of_mixed(60)
    assert again.exit_code == 0


def test_several_processes_have_a_browser_each(crawl: Callable[..., Crawl], tmp_path: Path) -> None:
    """The table is that of one process, and the summary counts what all of them rendered."""
    with site_of(ROUTES, "127.0.0.1", "127.0.0.2") as site:
        lines = [
            line
            for n in range(12)
            for line in (f"http://127.0.0.{1 + n % 2}:{site.port}/shell/{n}",
                         f"http://127.0.0.{1 + n % 2}:{site.port}/plain/{n}")
        ]  # fmt: skip
        one = crawl(lines, *AUTO)
        two = crawl(lines, *AUTO, "-s", "PROCESSES=2")
    assert seen(one.rows) == seen(two.rows)
    assert Counter(row["rendered"] for row in two.rows) == {"True": 12, "False": 12}
    assert "12 pages were rendered (2 browsers)" in two.log
    assert two.exit_code == 0


def test_the_summary_says_how_many_pages_were_rendered(
    crawl: Callable[..., Crawl], shop: str
) -> None:
    """And of how many that did not go well, with where it is said why."""
    lines = [*mixed(shop, 6), f"{shop}/spin", f"{shop}/spin?2"]
    log = crawl(lines, "-a", "render=always", "-s", "RENDER_TIMEOUT=3").log
    assert "6 pages were rendered (1 browsers). 2 could not be" in log
    assert "render_error" in log[log.index("6 pages were rendered") :]
    assert "were rendered" not in crawl(mixed(shop, 1), *AUTO).log


def test_a_browser_is_replaced_after_so_many_pages(crawl: Callable[..., Crawl], shop: str) -> None:
    """It grows with them; those that are in it are finished."""
    words = ("-s", "RENDER_RECYCLE=5", "-s", "RENDER_TABS=2")
    crawled = crawl([f"{shop}/shell/{n}" for n in range(12)], *AUTO, *words)
    assert "12 pages were rendered (3 browsers)" in crawled.log
    assert [row["h1"] for row in crawled.rows] == ["Lamp"] * 12


def test_pages_that_wait_for_a_tab_hold_up_no_plain_page(
    crawl: Callable[..., Crawl], shop: str
) -> None:
    """Here for ten seconds, in the only tab; they are more than there may be requests."""
    lines = [f"{shop}/spin?{n}" for n in range(5)]
    lines += [f"{shop}/shell/{n}" for n in range(3)] + [f"{shop}/plain/{n}" for n in range(20)]
    words = ("-s", "RENDER_TABS=1", "-s", "RENDER_TIMEOUT=2", "-s", "CONCURRENT_REQUESTS=4")
    rows = crawl(lines, *AUTO, *words).by_position
    fetched = [datetime.fromisoformat(row["fetched_at"]) for row in rows.values()]
    assert max(fetched) - min(fetched) < timedelta(seconds=6)
    assert [rows[n]["rendered"] for n in (1, 6, 9)] == ["False", "True", "False"]


def test_a_record_far_down_the_list_may_be_the_first_to_be_rendered(
    crawl: Callable[..., Crawl], shop: str
) -> None:
    """Only the first thousand records are looked at for what is installed."""
    rows = [f"{shop}/plain/{n},off" for n in range(1100)]
    crawled = crawl(["url,render", *rows, f"{shop}/shell/1,auto"], name="urls.csv")
    assert [row["rendered"] for row in crawled.rows] == [""] * 1100 + ["True"]
    assert crawled.rows[-1]["h1"] == "Lamp"


def test_a_page_of_the_last_round_is_rendered_too(crawl: Callable[..., Crawl]) -> None:
    """One that has failed as long as there were others; each attempt counts."""
    server = Server(
        lambda request, count: Response(b"", 503) if count < 4 else Response(SHELL.encode())
    )
    with site_of({**ROUTES, "/flaky": server.page}) as site:
        origin = f"http://127.0.0.1:{site.port}"
        crawled = crawl([f"{origin}/flaky", *mixed(origin, 6)], *AUTO)
    row = crawled.by_position[1]
    assert (row["outcome"], row["rendered"], row["h1"], row["attempts"]) == (
        "ok", "True", "Lamp", "4",
    )  # fmt: skip


def test_what_is_behind_the_hash_is_for_the_page(crawl: Callable[..., Crawl], shop: str) -> None:
    """The server never hears of it; records that differ in nothing else are fetched on request."""
    lines = [f"{shop}/hash#/lamp/{n}" for n in (1, 2)]
    rows = crawl(lines, *AUTO, "-a", "duplicates=fetch").rows
    assert [row["h1"] for row in rows] == ["#/lamp/1", "#/lamp/2"]
    assert [row["final_url"] for row in rows] == lines


def test_a_browser_that_runs_already_may_be_used(crawl: Callable[..., Crawl], shop: str) -> None:
    """By its address (CDP): its pages are rendered, what they ask for is asked by the crawl, and
    it is left as it was found.
    """
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as profile:
        words = [str(find_browser()), "--remote-debugging-port=0", f"--user-data-dir={profile}"]
        with subprocess.Popen([*words, *sandbox], stderr=subprocess.PIPE, text=True) as browser:
            assert browser.stderr
            found = next(filter(None, (re.search(r"ws://\S+", line) for line in browser.stderr)))
            crawled = crawl(mixed(shop, 6), *AUTO, "-s", f"RENDER_BROWSER={found[0]}")
            still_there = browser.poll() is None
            for one in [*below(browser.pid), browser]:
                one.kill()
    assert seen(crawled.rows) == of_mixed(6)
    assert still_there
    assert crawled.exit_code == 0


def test_a_browser_that_is_not_at_its_address_costs_no_row(
    crawl: Callable[..., Crawl], shop: str
) -> None:
    """Pages are as they were fetched, and say so."""
    crawled = crawl(mixed(shop, 4), *AUTO, "-s", "RENDER_BROWSER=ws://127.0.0.1:9/devtools")
    assert [row["outcome"] for row in crawled.rows] == ["ok"] * 4
    assert "the browser does not start" in crawled.rows[1]["render_error"]
    assert (crawled.exit_code, "Traceback" in crawled.log) == (0, False)


def test_without_the_extra_one_sentence_says_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first request, and with exit code 1."""
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\nreal = u.find_spec\n"
        "u.find_spec = lambda name, *more: None if name == 'scrapy_playwright' else"
        " real(name, *more)\n"
    )
    monkeypatch.setitem(
        ENVIRONMENT, "PYTHONPATH", os.pathsep.join([str(tmp_path), ENVIRONMENT["PYTHONPATH"]])
    )
    crawled = crawl_list(tmp_path, ["http://127.0.0.1:1/"], *AUTO)
    assert "argument `render`: needs scrapy-playwright. Type pip install" in crawled.log
    assert (crawled.exit_code, crawled.rows) == (1, [])


@pytest.mark.long
def test_memory_stays_flat_over_300_pages(tmp_path: Path, shop: str) -> None:
    """A browser grows with its pages, and is replaced: what all processes have does not grow."""
    (tmp_path / "urls.txt").write_text("\n".join(f"{shop}/shell/{n}" for n in range(300)))
    fifths = [0] * 5
    with rendering(tmp_path, *AUTO) as process:
        while process.poll() is None:
            held = sum(map(memory_of, [psutil.Process(process.pid), *below(process.pid)]))
            fifth = min(4, rows_in(tmp_path) // 60)
            fifths[fifth] = max(fifths[fifth], held)
            time.sleep(0.5)
    rows = read_table(tmp_path / "table.csv")
    assert Counter(row["rendered"] for row in rows) == {"True": 300}
    assert max(fifths) < 800_000_000, fifths
    assert fifths[4] < 1.25 * fifths[1], fifths


def memory_of(process: psutil.Process) -> int:
    """Return the bytes of a process; of what it shares with others, its share."""
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


def as_nobody() -> tuple[str, dict[str, str]] | None:
    """Return a Python that root may start as somebody without rights, and its environment."""
    libraries = str(Path(scrapy.__file__).parents[1])
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        path = os.pathsep.join([ENVIRONMENT["PYTHONPATH"], libraries])
        env = {**ENVIRONMENT, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        look = "import sys, scrapy, urlcrawler, playwright; print(*sys.version_info[:2])"
        try:
            done = subprocess.run([python, "-c", look], user=NOBODY, group=NOBODY, extra_groups=[],
                                  env=env, cwd="/", capture_output=True, text=True)  # fmt: skip
        except OSError:
            continue
        if done.stdout.split() == list(map(str, sys.version_info[:2])):
            return python, env
    return None


def test_the_browser_has_its_sandbox_unless_root_starts_it(
    shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What runs a page has a filter for what it may ask of the system (seccomp)."""
    if os.geteuid() != 0 or sys.platform != "linux" or not shutil.which("setpriv"):
        pytest.skip("needs root, to be somebody else, and Linux, to look")
    found = as_nobody()
    if not found:
        pytest.skip("somebody without rights has no Python here")
    python, env = found
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o777)
        (folder / "urls.txt").write_text("\n".join(mixed(shop, 30)))
        drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        command = [*drop, python, "-m", "scrapy", "crawl", "urls", "-afile=urls.txt", *AUTO]
        with subprocess.Popen([*command, "-O", "table.csv"], cwd=folder, env={**env, "HOME": place},
                              stderr=subprocess.DEVNULL) as process:  # fmt: skip
            filters: dict[int, list[str]] = {}  # of each process, the newest last
            while process.poll() is None:
                for one in below(process.pid):
                    filters.setdefault(one.pid, []).extend(seccomp_of(one))
                time.sleep(0.1)
        rows = read_table(folder / "table.csv")
    assert seen(rows) == of_mixed(30)
    # It sets itself up first, for a moment.
    assert {found[-1] for found in filters.values() if len(found) > 1} == {"2"}


def below(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def seccomp_of(process: psutil.Process) -> set[str]:
    """Return the kind of filter of a process that has a page, if it has one."""
    try:
        if "--type=renderer" not in process.cmdline():
            return set()
        status = Path(f"/proc/{process.pid}/status").read_text()
    except (psutil.Error, OSError):
        return set()
    return set(re.findall(r"^Seccomp:\s*(\d)", status, re.MULTILINE))
