"""A real scrapyd: deploy, schedule, follow, cancel, go on, fetch."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from crawling import needs_addresses, read_table, site_of
from jobs import Scrapyd, serving_jobs

from urlcrawler.demo.messages import Handler, Request, Response


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scrapyd]:
    """A server as README configures it, to which a clone with a spider of its own was deployed."""
    with serving_jobs(tmp_path_factory.mktemp("scrapyd"), max_proc="2") as started:
        git = ["git", "-C", str(started.checkout)]
        subprocess.run([*git, "init", "-q"], check=True)
        subprocess.run([*git, "add", "-A"], check=True)
        deployed = started.run("scrapyd_client.deploy")
        assert deployed.returncode == 0, deployed.stderr
        assert json.loads(deployed.stdout)["spiders"] == 2
        left = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True)
        assert "??" not in left.stdout  # what it leaves behind is ignored
        assert (started.checkout / "setup.py").exists()
        yield started


ALL = 10**9
FEW = ("-s", "CONCURRENT_REQUESTS=3", "-s", "DOWNLOAD_TIMEOUT=120")  # at a time, and patiently


@dataclass
class Pages:
    """Pages of which so many are *allowed* to answer; others wait, however slow a machine is."""

    allowed: int
    asked: int = 0

    @property
    def routes(self) -> dict[str, Handler]:
        return {"/*": self.page, "/robots.txt": self.robots}

    async def page(self, request: Request) -> Response:
        self.asked += 1
        number = self.asked
        while number > self.allowed:
            await asyncio.sleep(0.05)
        return Response(b"<title>A page</title>")

    async def robots(self, request: Request) -> Response:
        return Response(b"", 404)


def positions(rows: list[dict[str, Any]]) -> list[int]:
    return [int(row["position"]) for row in rows]


def wait_for_rows(table: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while not table.exists() or len(table.read_bytes().splitlines()) < count:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_job_that_was_left_and_cancelled_goes_on_and_its_table_comes(server: Scrapyd) -> None:
    """Ctrl-C leaves the job; --cancel stops it whole; submitted again, each record has one row."""
    pages = Pages(allowed=6)
    with site_of(pages.routes) as site:
        urls = [f"http://127.0.0.1:{site.port}/{n}" for n in range(30)]
        (server.checkout / "slow.txt").write_text("\n".join(urls) + "\n")
        words = ("slow.txt", "--spider", "own", *FEW)
        with server.submitting(*words) as submitting:
            assert submitting.stderr is not None
            said = [line for line, _ in zip(submitting.stderr, range(4), strict=False)]
            (table,) = wait_for_one(server.folder / "items/urlcrawler/own")
            wait_for_rows(table, 4)
            submitting.send_signal(signal.SIGINT)
            said += submitting.stderr.readlines()
        assert submitting.returncode == 130
        job = table.stem
        assert f"Job {job} goes on at the server" in "".join(said)
        assert f"To stop it: scrapy submit {' '.join(words)}" in "".join(said)
        assert server.ask("listjobs")["running"][0]["id"] == job

        cancelled = server.submit("slow.txt", "--spider", "own", "--cancel")
        assert (cancelled.exit_code, "asked to stop" in cancelled.log) == (0, True)
        server.wait_for("Stopping: pages under way are finished")
        pages.allowed = ALL
        server.wait_until_idle()
        log = (server.folder / f"logs/urlcrawler/own/{job}.log").read_text()
        rows = len(read_table(table))
        assert 4 <= rows < 30
        last = log.splitlines()[-2:]
        assert f"To go on: schedule it again with jobid={job}" in last[0]
        assert last[1].endswith(f"exit code 130, {rows} of 30 records have their row")

        done = server.submit(*words, table="data/results/slow.csv")
    assert done.exit_code == 0, done.log
    assert f"{rows} of 30 records have their row from an earlier run" in done.log
    assert positions(done.rows) == list(range(1, 31))
    assert [row["url"] for row in done.rows] == urls
    assert {row["outcome"] for row in done.rows} == {"ok"}
    assert done.log.splitlines()[-1] == "30 rows in data/results/slow.csv"


def wait_for_one(folder: Path) -> list[Path]:
    deadline = time.monotonic() + 60
    while not (found := [*folder.glob("[!.]*.jl")]):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def test_a_list_with_columns_comes_back_with_them(server: Scrapyd) -> None:
    """A CSV list is sent as it is: what it says of each record is in the table, in JSON Lines."""
    lines = [
        "link,who",
        '"http://127.0.0.1:1/a","Zoë, and\nfriends"',
        "not a url,-",
        "http://a,b,c",
    ]
    (server.checkout / "who.csv").write_text("\n".join(lines) + "\n")
    words = ("who.csv", "-a", "column=link", "-s", "RETRY_TIMES=0", "-s", "BACKOFF_START=0.1")
    done = server.submit(*words, "-o", "who.jsonl", table="who.jsonl")
    assert done.exit_code == 0, done.log
    assert [(row["position"], row["error"], row["who"]) for row in done.rows] == [
        (1, "refused", "Zoë, and\nfriends"), (2, "bad-url", "-"), (3, "bad-record", None)
    ]  # fmt: skip
    again = server.submit(*words, "-o", "who.jsonl")
    assert (again.exit_code, "who.jsonl is there already" in again.log) == (1, True)


def test_any_id_of_a_job_has_a_table_of_its_own_that_goes_on(server: Scrapyd) -> None:
    """Scheduled twice by hand, with a name that is none of a file or a template."""
    for _ in range(2):
        server.ask(
            "schedule", spider="urls", jobid="50% of %(x)s ü", urls="http://127.0.0.1:1/ x:y",
            setting=["RETRY_TIMES=0", "RETRY_LAST_ROUND=0", "FEEDS={}"],
        )  # fmt: skip
        server.wait_until_idle()
    folder = server.folder / "items/urlcrawler/urls"
    table = folder / "50% of %(x)s ü.jl"
    assert positions(read_table(table)) == [1, 2]
    log = (server.folder / "logs/urlcrawler/urls/50% of %(x)s ü.log").read_text()
    assert "2 of 2 records have their row from an earlier run" in log
    assert "takes the place of `setting=FEEDS=...`" in log


def test_a_server_or_spider_that_is_not_there_is_said_in_a_sentence(server: Scrapyd) -> None:
    """With what to type; and nothing is scheduled."""
    (server.checkout / "urls.txt").write_text("http://127.0.0.1:1/\n")
    for words, sentence in [
        (["--server", "stranger"], "wrong user name or password (401). See username and password "
         "in [deploy:stranger] of scrapy.cfg"),
        (["--server", "elsewhere"], "has no project 'elsewhere'. Type scrapyd-deploy elsewhere"),
        (["--spider", "urlz"], "has no spider 'urlz', only: own, urls. Type scrapyd-deploy"),
        (["-s", "FEEDS={}"], "-s FEEDS: items_dir of the server takes the place of it"),
    ]:  # fmt: skip
        refused = server.submit("urls.txt", *words)
        assert sentence in refused.log
        assert (refused.exit_code, refused.log.count("\n")) == (1, 1), refused.log


def test_a_job_that_cannot_start_says_why_where_it_is_looked_for(server: Scrapyd) -> None:
    """The sentence of the crawl is in the log of the job, and its exit code is that of the job."""
    refused = server.submit("-a", "file=/no/such/list.txt")
    assert "argument `file`: no such file: '/no/such/list.txt'" in refused.log
    assert refused.exit_code == 1


@pytest.mark.long
@needs_addresses
def test_jobs_without_items_dir_and_with_several_processes(tmp_path: Path) -> None:
    """The table is in data/results of the server, named after list and job; a job that was killed,
    and one whose server was started anew, are said to be so, and go on."""
    pages, versions = Pages(allowed=10), set[str]()
    with (
        serving_jobs(tmp_path, items_dir="") as server,
        site_of(pages.routes, "127.0.0.1", "127.0.0.2") as s,
    ):
        server.deploy()
        urls = [f"http://127.0.0.{n % 2 + 1}:{s.port}/{n}" for n in range(60)]
        (server.checkout / "two.txt").write_text("\n".join(urls) + "\n")
        words = ("two.txt", "--jobid", "mine", "-s", "PROCESSES=2", *FEW)
        assert "items_dir is not set" in server.submit(*words, "-o", "two.csv").log
        table = server.folder / "data/results/two.mine.csv"

        with server.submitting(*words) as submitting:
            wait_for_rows(table, 5)
            (job,) = server.ask("listjobs")["running"]
            if sys.platform == "linux":  # a later version may be deployed while it goes on
                (version,) = server.ask("listversions")["versions"]
                for child in Path(f"/proc/{job['pid']}/task").glob("*/children"):
                    for pid in child.read_text().split():
                        environment = Path(f"/proc/{pid}/environ").read_bytes().decode()
                        versions.add(environment.partition("SCRAPYD_EGG_VERSION=")[2][:10])
                assert versions == {version}
            os.kill(job["pid"], signal.SIGKILL)
            pages.allowed = 30
            assert submitting.stderr is not None
            assert "has ended in the middle: it was killed" in submitting.stderr.read()
        assert submitting.returncode == 5

        with server.submitting(*words) as submitting:
            wait_for_rows(table, 20)  # more than there were
            running = server.ask("listjobs")["running"][0]["pid"]
            assert server.process is not None
            server.process.terminate()
            server.process.wait(30)
            assert submitting.stderr is not None
            while "Trying again" not in submitting.stderr.readline():
                assert submitting.poll() is None
            os.kill(running, signal.SIGTERM)  # as systemd does; whoever reads its stderr is gone
            pages.allowed = ALL
            server.start()
            said = submitting.stderr.read()
        assert submitting.returncode == 143, said

        done = server.submit(*words)
        assert done.exit_code == 0, done.log
        assert "The table stays on the server" in done.log
        assert positions(read_table(table)) == list(range(1, 61))


@pytest.mark.long
def test_a_list_at_the_most_is_sent_and_one_byte_more_is_not(server: Scrapyd) -> None:
    """100,000 bytes come through scrapyd and the system as they are."""
    start, end = "http://127.0.0.1:1/", "\n"
    text = f"{start}{'x' * (100_000 - len(start) - 1)}{end}"
    (server.checkout / "most.txt").write_text(text)
    done = server.submit("most.txt", "-o", "most.csv", table="most.csv")
    assert (done.exit_code, [row["error"] for row in done.rows]) == (0, ["bad-url"]), done.log
    (server.checkout / "most.txt").write_text(f"#{text}")
    refused = server.submit("most.txt", "-o", "more.csv")
    assert "has over 100,000 bytes, too many to send" in refused.log
