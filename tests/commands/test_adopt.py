"""`scrapy adopt`: what a script has crawled is not requested again."""

import csv
import os
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from crawling import ENVIRONMENT, Crawl, Server, read_table, site_of

from urlcrawler import read_results
from urlcrawler.demo.site import Site
from urlcrawler.output.scan import Scan
from urlcrawler.output.tables import Csv

Scrapy = Callable[..., Crawl]


def long(*values: Any) -> Any:
    """Return a case for `pytest -m long`."""
    return pytest.param(*values, marks=pytest.mark.long)


def prepare(folder: Path, site: Site) -> None:
    """Write a list of twelve records, and what a script has left of it when it was killed."""
    root = f"http://127.0.0.1:{site.port}"
    lines = [f"{root}/{n}" for n in range(9)]
    lines[4:4] = [f"HTTP://127.0.0.1:{site.port}/2#again", "not a url", f"{root}/1"]
    (folder / "urls.txt").write_text("\n".join(lines) + "\n")
    (folder / "old.csv").write_text(
        "link,status_code,title\r\n"
        f"{root}/2#top,200,Two\r\n"
        f"{root}/0,200,Zero\r\n"
        f"{root}/3,0,\r\n"
        f"{root}/4,404,Gone\r\n"
        f'{root}/1,200,"One,\r\nin two lines"\r\n'
        f"{root}/5,200,Fi{root}/6,200,Six\r\nve\r\n"
        f"{root}/elsewhere,200,E\r\n"
        f"{root}/7,200,Sev"
    )


@pytest.mark.parametrize(
    "table",
    ["table.csv", "table.parquet", *map(long, ["table.jsonl", "table.sqlite", "table.csv.gz"])],
)
def test_only_the_rest_is_requested(scrapy: Scrapy, tmp_path: Path, table: str) -> None:
    """By the command that it prints; then each record has its row, in order."""
    server = Server()
    with site_of(server.routes) as site:
        prepare(tmp_path, site)
        done = scrapy("adopt", "old.csv", "-a", "file=urls.txt", "-o", table, table="no")
        assert (done.exit_code, done.log, server.times) == (0, "", [])
        assert "9 records remain; 6 of them are requested" in done.stdout
        words = shlex.split(done.stdout.splitlines()[-1])
        assert words == ["scrapy", "crawl", "urls", "-a", "file=urls.txt", "-o", table]
        crawled = scrapy(*words[1:], table="no")
    assert crawled.exit_code == 0, crawled.log
    assert sorted(path for _, _, path in server.times) == ["/3", "/4", "/5", "/6", "/7", "/8"]
    rows = read_results(tmp_path / table)
    assert list(rows.position) == list(range(1, 13))
    outcomes = ["ok"] * 4 + ["duplicate", "invalid", "duplicate"] + ["ok"] * 5
    assert list(rows.outcome) == outcomes
    titles = [title for title in rows.title if isinstance(title, str)]
    assert titles == ["Zero", "One,\r\nin two lines", "Two"] + ["A page"] * 6
    assert list(rows.reason[:3]) == ["adopted from old.csv"] * 3
    assert list(rows.attempts) == [0] * 3 + [1] + [0] * 3 + [1] * 5


def test_a_table_that_is_complete_without_a_request_is_finished_by_the_crawl(
    scrapy: Scrapy, tmp_path: Path
) -> None:
    """It is put into order, and nothing is asked for."""
    server = Server()
    with site_of(server.routes) as site:
        root = f"http://127.0.0.1:{site.port}"
        (tmp_path / "urls.txt").write_text(f"{root}/1\n{root}/2\n")
        (tmp_path / "done.txt").write_text(f"{root}/2\n{root}/1\n")
        words = ("-a", "file=urls.txt", "-s", "PROCESSES=2", "-O", "table.csv")
        done = scrapy("adopt", "done.txt", *words, "urls", table="no")
        assert "Every record has its row" in done.stdout
        command = done.stdout.splitlines()[-1].split()
        assert command[-2:] == ["-o", "table.csv"]  # -O would remove the rows
        crawled = scrapy(*command[1:])
    assert (crawled.exit_code, server.times) == (0, [])
    assert [row["position"] for row in crawled.rows] == ["1", "2"]


def test_it_says_what_is_wrong_and_its_exit_code_does(scrapy: Scrapy, tmp_path: Path) -> None:
    """1 when nothing was adopted, for whatever reason; 2 for usage."""
    (tmp_path / "urls.txt").write_text("http://a.test/\n")
    (tmp_path / "old.csv").write_text("link,status\nhttp://a.test/,500\nhttp://b.test/,200\n")
    words = ("-a", "file=urls.txt")
    nothing = scrapy("adopt", "old.csv", *words, table="data/results/urls.csv")
    assert (nothing.exit_code, nothing.rows, nothing.log) == (1, [], "")
    assert "1 of them: status 500" in nothing.stdout
    assert "line 3: http://b.test/" in nothing.stdout
    assert "counts: nothing was written. --url-column says" in nothing.stdout
    assert not (tmp_path / "data").exists()
    wrong = scrapy("adopt", "old.csv", *words, "--url-column", "url", table="no")
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert wrong.log == (
        "scrapy adopt: old.csv: no column 'url'; columns are: link, status. "
        "Choose one with --url-column NAME\n"
    )
    assert scrapy("adopt", *words, table="no").exit_code == 2


def test_it_may_be_killed_anywhere(scrapy: Scrapy, tmp_path: Path) -> None:
    """Each time there are whole rows and no second header; the next run goes on to the end."""
    count = 12_000
    (tmp_path / "urls.txt").write_text("".join(f"http://a.test/{n}\n" for n in range(count)))
    with (tmp_path / "old.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["url", "title"], *([f"http://a.test/{n}", 'a\n"b"'] for n in range(count))]
        )
    table = tmp_path / "table.csv"
    words = ["adopt", "old.csv", "-a", "file=urls.txt", "-o", "table.csv"]
    for kill in (signal.SIGKILL, signal.SIGTERM):
        before = table.stat().st_size if table.exists() else 0
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "scrapy", *words], cwd=tmp_path,
            env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while (table.stat().st_size if table.exists() else 0) < before + 100_000:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        os.kill(process.pid, kill)
        assert process.wait() == (-9 if kill == signal.SIGKILL else 143)
        columns = table.read_text().partition("\n")[0].strip().split(",")
        with table.open("rb") as rows:
            lines = list(Scan(table, Csv(columns)).lines(rows, table.stat().st_size))
        assert 0 < len(lines) < count
    done = scrapy(*words)
    assert done.exit_code == 0, done.log
    positions = Counter(int(row["position"]) for row in read_table(table))
    assert positions == Counter(range(1, count + 1))
    assert {row["title"] for row in done.rows} == {'a\n"b"'}
