"""`urlcrawler.crawl`: a list from Python, and its table as a DataFrame."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from crawling import ENVIRONMENT, RESOLVER, SiteProcess, read_table

import urlcrawler
from urlcrawler.exceptions import CrawlError

SETTINGS = {"TWISTED_DNS_RESOLVER": RESOLVER.partition("=")[2], "LOG_LEVEL": "WARNING"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is no project, with the settings for crawls of this machine."""
    monkeypatch.chdir(tmp_path)
    for name in ("SCRAPY_SETTINGS_MODULE", "PYTHONPATH"):
        monkeypatch.setenv(name, ENVIRONMENT[name])
    return tmp_path


def test_urls_become_a_table(site: SiteProcess, capsys: pytest.CaptureFixture[str]) -> None:
    """Their own columns, settings and arguments too; inside of an event loop as outside."""
    page, nothing = site.url("/page/1"), site.url("/status/404")
    Path("fields.yaml").write_text("price: {css: .price, type: price}\n")
    records: list[Any] = [{"url": page, "sku": "A1"}, nothing, page]
    settings = SETTINGS | {"METADATA": ["page", "text"], "LOG_LEVEL": "INFO"}

    async def notebook() -> Any:
        return urlcrawler.crawl(records, "table.csv", settings=settings, fields="fields.yaml")

    table = asyncio.run(notebook())
    assert table.outcome.tolist() == ["ok", "http_error", "duplicate"]
    assert table.status.tolist()[:2] == [200, 404]
    assert table.sku.tolist() == ["A1", "", ""]
    assert float(table.price[0]) > 0
    assert "og_title" not in table
    assert "The table: table.csv" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ({"urls": "nope.txt"}, 1, "argument `file`: no such file: 'nope.txt'"),
        pytest.param(
            {"urls": [], "spider": "url"}, 1, "no spider 'url'. Did", marks=pytest.mark.long
        ),
        pytest.param(
            {"urls": ["a.example"], "flie": "x"},
            1,
            "argument `flie`: there is no such argument. Did you mean `file`?",
            marks=pytest.mark.long,
        ),
        pytest.param(
            {"urls": ["x y"], "settings": {"MIN_OK_SHARE": 1.0}},
            3,
            "complete, and not as good as was asked for",
            marks=pytest.mark.long,
        ),
    ],
)
def test_a_crawl_that_goes_wrong_is_an_exception(
    arguments: dict[str, Any], code: int, sentence: str
) -> None:
    """With the one sentence that the command says, and its exit code."""
    with pytest.raises(CrawlError) as raised:
        urlcrawler.crawl(table="table.csv", **{"settings": SETTINGS, **arguments})
    assert str(raised.value).startswith(sentence)
    assert raised.value.exit_code == code


# What a shell has started in the background is deaf to SIGINT, and so is what that starts.
SCRIPT = """
import signal
import urlcrawler
signal.signal(signal.SIGINT, signal.default_int_handler)
urls = [{url!r} + str(number) for number in range(40)]
print(len(urlcrawler.crawl(urls, "table.csv", settings={settings!r})))
"""


@pytest.mark.parametrize(
    ("odd", "shown"),
    [
        (None, ""),
        (5, "5"),
        (float("nan"), ""),
        (b"not a url", "not a url"),
        (["a", "b"], "['a', 'b']"),
    ],
)
def test_what_is_no_url_has_its_row(folder: Path, site: SiteProcess, odd: Any, shown: str) -> None:
    """Lists that come out of other tables have gaps and numbers in them."""
    settings = SETTINGS | {"RETRY_TIMES": 0, "RETRY_LAST_ROUND": False}
    table = urlcrawler.crawl([site.url("/page/1"), odd], "table.csv", settings=settings)
    assert table.outcome.tolist()[0] == "ok"
    assert table.outcome[1] != "ok"
    assert table.url.fillna("").tolist()[1] == shown


def test_a_data_frame_is_a_list(folder: Path, site: SiteProcess) -> None:
    """Its other columns are carried through; a gap is a row that says so."""
    listed = pd.DataFrame({"url": [site.url("/page/1"), None], "sku": ["A1", "B2"]})
    table = urlcrawler.crawl(listed, "table.csv", settings=SETTINGS)
    assert table.outcome.tolist() == ["ok", "invalid"]
    assert table.sku.tolist() == ["A1", "B2"]


def test_an_empty_list_is_called_what_the_caller_calls_it(folder: Path) -> None:
    """Not by the name of a file that nobody has seen."""
    with pytest.raises(CrawlError, match=r"^urls: the list is empty"):
        urlcrawler.crawl([], "table.csv", settings=SETTINGS)


def slow_script(site: SiteProcess) -> str:
    settings = SETTINGS | {"CONCURRENT_REQUESTS_PER_DOMAIN": 1, "LOG_LEVEL": "INFO"}
    return SCRIPT.format(url=site.url("/slow?delay=0.1&n="), settings=settings)


def wait_for_rows(count: int) -> None:
    deadline = time.monotonic() + 30
    while len(read_table(Path("table.csv"))) < count and time.monotonic() < deadline:
        time.sleep(0.05)


def crawls_in(folder: Path) -> list[str]:
    """Return the processes that crawl in a folder of ours."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.joinpath("cwd").samefile(folder):
                words = process.joinpath("cmdline").read_bytes().decode().split("\0")
                found += [" ".join(words)] if "scrapy" in words else []
        except OSError:
            continue
    return found


def test_an_interrupt_stops_the_crawl_and_it_goes_on(folder: Path, site: SiteProcess) -> None:
    """What is under way is finished; the same call does the rest, with other temporary files."""
    script = slow_script(site)
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True) as one:
        wait_for_rows(3)
        one.send_signal(signal.SIGINT)
        _, log = one.communicate(timeout=30)
    rows = read_table(Path("table.csv"))
    assert 3 <= len(rows) < 40
    assert "KeyboardInterrupt" in log
    assert "Not finished. To go on: the same call once more" in log
    assert "Stopping" not in log  # which is about Ctrl-C at the command
    done = subprocess.run(
        [sys.executable, "-c", script.replace("CONCURRENT_REQUESTS_PER_DOMAIN': 1", "X': 1")],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == ["40"]
    assert read_table(Path("table.csv"))[: len(rows)] == sorted(
        rows, key=lambda row: int(row["position"])
    )


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_no_crawl_is_left_behind_by_a_kill(folder: Path, site: SiteProcess) -> None:
    """As when a kernel is restarted: the crawl ends by itself, and its rows are whole."""
    with subprocess.Popen([sys.executable, "-c", slow_script(site)]) as one:
        wait_for_rows(3)
        one.kill()
    assert crawls_in(folder)
    deadline = time.monotonic() + 30
    while crawls_in(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert crawls_in(folder) == []
    assert 3 <= len(read_table(Path("table.csv"))) < 40


@pytest.mark.long
def test_a_crawl_in_a_thread_is_like_any_other(site: SiteProcess) -> None:
    """Two at a time, with nothing in common."""
    tables: dict[int, Any] = {}

    def crawl(number: int) -> None:
        urls = [site.url(f"/page/{number}")]
        tables[number] = urlcrawler.crawl(urls, f"{number}.csv", settings=SETTINGS)

    threads = [threading.Thread(target=crawl, args=[number]) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [tables[number].title[0] for number in (1, 2)] == ["Product 1", "Product 2"]


@pytest.mark.long
def test_the_settings_of_another_project_are_not_used(
    folder: Path, site: SiteProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notebook may be in the folder of any Scrapy project, or of none."""
    monkeypatch.delenv("SCRAPY_SETTINGS_MODULE")
    (folder / "scrapy.cfg").write_text("[settings]\ndefault = other\n")
    (folder / "other.py").write_text('BOT_NAME = "other"\n')
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([ENVIRONMENT["PYTHONPATH"], str(folder)]))
    settings = SETTINGS | {"ALLOW_PRIVATE_ADDRESSES": 1}
    table = urlcrawler.crawl([site.url("/page/1")], "table.jsonl", settings=settings)
    assert table.title.tolist() == ["Product 1"]
