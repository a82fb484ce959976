"""`scrapy plan`: what a crawl has before it."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from crawling import (
    ENVIRONMENT,
    RESOLVER,
    Crawl,
    Server,
    SiteProcess,
    crawl_that_says,
    rules,
    site_of,
)

from urlcrawler.demo.messages import Request, Response


def long(*values: Any) -> Any:
    """Return a case for `pytest -m long`."""
    return pytest.param(*values, marks=pytest.mark.long)


Scrapy = Callable[..., Crawl]
LIST = [
    "http://a.test/1", "# a comment", "", "http://a.test/2", "htp://b", "http://a.test/1",
    "http://c.test/1", "https://a.test/3", "http://user:secret@[::1", "http://\x1b]0;owned\x07",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "urls.txt").write_text("\n".join(LIST) + "\n", encoding="utf-8")
    return tmp_path


def plan(scrapy: Scrapy, *words: str, file: str = "urls.txt") -> dict[str, Any]:
    """Return what it prints as JSON."""
    done = scrapy("plan", "-a", f"file={file}", "--json", *words, table="not read")
    assert (done.exit_code, done.log) == (0, "")
    return dict(json.loads(done.stdout))


def state(folder: Path) -> dict[str, Any]:
    """Return what is on the disk: contents and times."""
    return {
        str(path): (path.is_file() and path.read_bytes(), path.stat().st_mtime_ns)
        for path in [folder, *folder.rglob("*")]
    }


def test_what_is_in_a_list_is_said(scrapy: Scrapy, folder: Path) -> None:
    """Records, hosts (http and https are one), and what is not requested, with its line."""
    done = scrapy("plan", "-a", "file=urls.txt", table="not read")
    assert done.stdout.splitlines()[:13] == [
        "urls.txt: 8 records, 2 hosts",
        "           1  duplicates: a row each, and no request",
        "           3  invalid: a row each, and no request",
        "              record 3 (line 5): 'htp://b': only http and https can be fetched, not 'htp'",
        "              record 7 (line 9): 'http://***@[::1': not a URL: Invalid IPv6 URL",
        "              record 8 (line 10): 'http://\\\\x1b]0;owned\\\\x07': "
        "not a URL: Invalid IPv6 URL",
        "",
        "The largest hosts:",
        "           3  a.test",
        "           1  c.test",
        "",
        "data/results/urls.csv has no row yet",
        "4 requests to make",
    ]
    assert (done.exit_code, done.log) == (0, "")
    assert all(char.isprintable() or char == "\n" for char in done.stdout)


def test_numbers_and_times_can_be_read_by_people(scrapy: Scrapy, tmp_path: Path) -> None:
    """What decides is named."""
    lines = [f"http://slow.test/{n}" for n in range(4200)] + ["http://fast.test/"]
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    slots = '{"slow.test": {"delay": 10}}'
    done = scrapy("plan", "-afile=urls.txt", "-s", f"DOWNLOAD_SLOTS={slots}", table="not read")
    assert "       4,200  slow.test\n" in done.stdout
    assert (
        "At the least 11 h 40 min. slow.test decides: 4,200 records at one every 10 s "
        "(DOWNLOAD_SLOTS) take 11 h 40 min\n"
    ) in done.stdout


@pytest.mark.parametrize(
    ("words", "decided_by", "seconds"),
    [
        ((), "host", (62, 66)),  # 2,000 pages, 16 at a time, and the first seconds
        (("--latency", "5"), "host", (625, 660)),
        (("-s", "CONCURRENT_REQUESTS_PER_DOMAIN=1"), "host", (1000, 1000)),
        (("-s", "DOWNLOAD_DELAY=2"), "host", (4000, 4000)),
        (("-s", "CONCURRENT_REQUESTS=4"), "window", (250, 250)),
        (("-s", "AUTOTHROTTLE_ENABLED=0", "--latency=0.01"), "processor", (4, 4)),
        (("-a", "limit=16", "-s", "AUTOTHROTTLE_ENABLED=0"), "host", (0.5, 0.5)),
    ],
)
def test_the_settings_of_the_crawl_decide(
    scrapy: Scrapy,
    tmp_path: Path,
    words: tuple[str, ...],
    decided_by: str,
    seconds: tuple[float, float],
) -> None:
    """As they stand on the command line."""
    lines = [f"http://a.test/{n}" for n in range(2000)]
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    found = plan(scrapy, *words)["time"]
    assert found["decided_by"] == decided_by
    assert seconds[0] <= found["seconds"] <= seconds[1]


def test_arguments_of_the_crawl_hold(scrapy: Scrapy, folder: Path) -> None:
    """Duplicates that are fetched, a limit, a shard, groups of hosts."""
    assert plan(scrapy, "-a", "duplicates=fetch")["to_request"] == 5
    assert plan(scrapy, "-a", "limit=2")["records"] == 2
    shards = [plan(scrapy, "-a", f"shard={n}/2") for n in (1, 2)]
    assert sum(one["records"] for one in shards) == 8
    assert sorted(one["to_request"] for one in shards) == [1, 3]
    assert plan(scrapy, "-s", "THROTTLE_GROUP_BY=domain", "-s", "PROCESSES=2")["hosts"] == 2


def interrupted(crawl: Callable[..., Crawl], folder: Path, kind: str) -> Iterator[str]:
    """Yield words that name a table of which a kill has left 4 of 6 rows, one of them failed."""
    server = Server(lambda request, number: Response(b"", 500 if request.path == "/3" else 200))
    with site_of(server.routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(6)]
        plain = "table.csv" if kind.startswith("csv") else "table.jsonl"
        rows = (
            crawl(lines, "-s", "RETRY_ENABLED=0", table=plain).table.read_bytes().splitlines(True)
        )
        whole = 5 if kind.startswith("csv") else 4
        (folder / plain).unlink()
        name = f"table.{kind}" if kind == plain[6:] else f".table.{kind}.rows"
        (folder / name).write_bytes(b"".join(rows[:whole]) + rows[whole][:30])
        yield f"table.{kind}"


@pytest.mark.parametrize("kind", ["csv", *map(long, ["jsonl", "csv.gz", "jsonl.gz"])])
def test_what_a_resume_skips_is_counted_and_nothing_is_touched(
    crawl: Callable[..., Crawl], scrapy: Scrapy, tmp_path: Path, kind: str
) -> None:
    """A torn row is none, and stays; the crawl itself says the same."""
    for name in interrupted(crawl, tmp_path, kind):
        before = state(tmp_path)
        found = plan(scrapy, "-o", name)
        assert found["table"] == {"path": name, "begins": "resumed", "rows": 4, "again": 0}
        assert found["to_request"] == 2
        again = plan(scrapy, "-o", name, "-a", "retry=failed")
        assert again["table"] == {"path": name, "begins": "resumed", "rows": 4, "again": 1}
        assert again["to_request"] == 3
        assert plan(scrapy, "-O", name)["to_request"] == 6
        assert plan(scrapy)["to_request"] == 6
        assert state(tmp_path) == before
        resumed = scrapy("crawl", "urls", "-a", "file=urls.txt", "-o", name, table="not read")
        assert "4 of 6 records have their row from an earlier run" in resumed.log


@pytest.mark.parametrize(
    "name", ["table.parquet", *map(long, ["table.csv", "table.csv.gz", "table.sqlite"])]
)
def test_a_complete_table_leaves_nothing_to_do(scrapy: Scrapy, tmp_path: Path, name: str) -> None:
    """And it says so; what is read as a whole is unpacked elsewhere."""
    with site_of(Server().routes) as site:
        urls = [f"http://127.0.0.1:{site.port}/{n}" for n in range(3)]
        (tmp_path / "urls.txt").write_text("\n".join(urls))
        words = ("-a", "file=urls.txt", "-o", name)
        scrapy("crawl", "urls", *words, table="not read")
    before = state(tmp_path)
    done = scrapy("plan", *words, table="not read")
    assert state(tmp_path) == before
    assert f"{name} has the rows of 3 records, which are skipped\n" in done.stdout
    assert done.stdout.endswith("Nothing is to be requested\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-a", "flie=urls.txt"), "argument `flie`: there is no such argument."),
        (("-a", "file=nowhere.txt"), "argument `file`: no such file: 'nowhere.txt'"),
        long(("-a", "file=urls.txt", "-a", "column=url"), "argument `column`:"),
        long(("-a", "file=urls.txt", "-a", "fields=bad.yaml"), "argument `fields`: bad.yaml"),
        (("-a", "file=urls.txt", "-a", "retry=dsn"), "argument `retry`: there is no error 'dsn'."),
        long(("-a", "file=urls.txt", "-s", "RETRY_TIMES=x"), "setting RETRY_TIMES:"),
        long(("-a", "file=urls.txt", "-o", "urls.txt:csv"), "-o urls.txt: is the list itself."),
        long(("-a", "file=urls.txt", "-o", "notes.csv"), "is there already and is no table"),
        long(("-a", "file=urls.txt", "-o", "torn.csv"), "is no row"),
        long(("-a", "file=urls.txt", "-o", "bad.csv.gz"), "is there already and is no table"),
        long(("-a", "file=urls.txt", "-o", "bad.gz"), "the name does not say what is compressed."),
        (("-a", "file=urls.txt", "-o", "other.csv"), "has other columns than this crawl writes."),
        (("-a", "file=urls.txt", "-o", "moved.csv"), "in the list this record is"),
        long(("-a", "file=urls.txt", "-o", "twice.csv"), "it has a row for this record already."),
        long(("-a", "file=urls.txt", "-a", "retry=failed", "-O", "a.csv"), "argument `retry`: -O"),
        (("-a", "file=urls.txt", "-a", "since=twice.csv", "-o", "twice.csv"), "argument `since`:"),
    ],
)
def test_what_a_crawl_would_refuse_is_refused_in_the_same_words(
    scrapy: Scrapy, folder: Path, words: tuple[str, ...], said: str
) -> None:
    """With exit code 1, and the crawl is really asked."""
    from urlcrawler.items import Page
    from urlcrawler.output.rows import Table
    from urlcrawler.output.tables import FORMATS

    table = Table([])
    format_ = FORMATS["csv"](table.columns)

    def rows(*urls: str) -> bytes:
        pages = [Page(1, url, outcome="failed", error="dns") for url in urls]
        return format_.header() + b"".join(format_.encode(table.row(page)) for page in pages)

    (folder / "bad.yaml").write_text("name: {css: h1, xpath: //h1}\n")
    (folder / "notes.csv").write_text("Buy milk, and do not forget the bread")
    (folder / "bad.csv.gz").write_text("no gzip")
    (folder / "other.csv").write_bytes(rows("http://a.test/1").replace(b"outcome", b"result"))
    (folder / "moved.csv").write_bytes(rows("http://a.test/2"))
    (folder / "twice.csv").write_bytes(rows("http://a.test/1", "http://a.test/1"))
    first = rows("http://a.test/1")
    (folder / "torn.csv").write_bytes(first + b"what,is,this\r\n" + first.splitlines(True)[1])
    before = state(folder)
    planned = scrapy("plan", *words, table="not read")
    assert state(folder) == before
    crawled = scrapy("crawl", "urls", *words, table="not read")
    sentence = planned.log.removeprefix("scrapy plan: ")
    assert said in sentence
    assert crawled.log.splitlines()[-1] == f"scrapy crawl: {sentence.strip()}"
    assert (planned.exit_code, crawled.exit_code) == (1, 1)
    assert planned.stdout == ""


def test_a_table_that_is_being_written_is_refused(
    scrapy: Scrapy, tmp_path: Path, site: SiteProcess
) -> None:
    """As the crawl would refuse it."""
    (tmp_path / "urls.txt").write_text(site.url("/never") + "\n")
    words = ("-o", "table.csv", "-s", RESOLVER)
    with crawl_that_says(tmp_path, "1 records", *words) as process:
        planned = scrapy("plan", "-a", "file=urls.txt", "-o", "table.csv", table="not read")
        process.kill()
    assert "table.csv: another crawl is writing it." in planned.log
    assert planned.exit_code == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--latency", "soon"), "--latency: must be a number of seconds above 0, not 'soon'"),
        (("--robots", "-s", "ROBOTSTXT_OBEY=0"), "--robots: ROBOTSTXT_OBEY is 0"),
        (("shop",), "no spider 'shop'. Spiders are: urls"),
    ],
)
def test_what_it_cannot_do_is_said(
    scrapy: Scrapy, folder: Path, words: tuple[str, ...], said: str
) -> None:
    """In a sentence."""
    done = scrapy("plan", "-a", "file=urls.txt", *words, table="not read")
    assert done.log.startswith(f"scrapy plan: {said}")
    assert done.exit_code == 1


def test_robots_txt_is_asked_once_and_nothing_else_is(scrapy: Scrapy, tmp_path: Path) -> None:
    """What is forbidden, who cannot be reached, and which delays are asked for."""
    text = "User-agent: *\nDisallow: /private\nCrawl-delay: 7\n"
    server = Server(robots=rules(text))
    with site_of(server.routes, "127.0.0.1") as site:
        root = f"http://127.0.0.1:{site.port}"
        lines = [f"{root}/{n}" for n in range(20)] + [f"{root}/private/{n}" for n in range(30)]
        lines += ["http://127.0.0.1:1/", "http://10.0.0.1/"]
        (tmp_path / "urls.txt").write_text("\n".join(lines))
        before = state(tmp_path)
        found = plan(scrapy, "--robots", "-o", "table.csv", "-s", "HTTPCACHE_ENABLED=1")
        assert state(tmp_path) == before
    assert (len(server.robots_times), server.times) == (1, [])
    assert found["robots"] == {
        "files": 3,
        "forbidden": 30,
        "unreachable_origins": 2,
        "unreachable_records": 2,
        "unreachable": found["robots"]["unreachable"],
        "hosts_with_delay": 1,
        "longest_delays": [["127.0.0.1", 7.0]],
    }
    reasons = {one["origin"]: one["reason"] for one in found["robots"]["unreachable"]}
    assert "refused the connection" in reasons["http://127.0.0.1:1"]
    assert "10.0.0.1 is private." in reasons["http://10.0.0.1"]
    assert found["to_request"] == 20
    time_ = found["time"]
    assert (time_["seconds"], time_["host"], time_["delay_from"]) == (
        140,
        "127.0.0.1",
        "robots.txt",
    )


@pytest.mark.parametrize(("latency", "seconds"), [("0.3", 0.8), ("2", 2.0)])
def test_a_host_is_never_taken_for_faster_than_its_robots_txt(
    scrapy: Scrapy, tmp_path: Path, latency: str, seconds: float
) -> None:
    """Nor for faster than --latency says: a file is soon sent, a page may have to be made."""

    def robots(request: Request, number: int) -> Response:
        time.sleep(0.8)
        return rules("")

    with site_of(Server(robots=robots).routes) as site:
        (tmp_path / "urls.txt").write_text(f"http://127.0.0.1:{site.port}/\n")
        found = plan(scrapy, "--robots", "--latency", latency)
    assert found["time"]["host_latency"] == pytest.approx(seconds, abs=0.2)


@pytest.mark.parametrize(("status", "requests"), [(404, 3), (403, 3), (500, 0), (429, 0)])
def test_a_robots_txt_that_is_not_there_means_what_it_means_for_the_crawl(
    scrapy: Scrapy, tmp_path: Path, status: int, requests: int
) -> None:
    """4xx allows everything, what may be there tomorrow nothing."""
    server = Server(robots=Response(b"User-agent: *\nDisallow: /", status))
    with site_of(server.routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(3)]
        (tmp_path / "urls.txt").write_text("\n".join(lines))
        found = plan(scrapy, "--robots")
    assert found["to_request"] == requests
    assert (len(server.robots_times), server.times) == (1, [])


def test_records_that_have_their_row_are_not_looked_up_in_robots_txt(
    crawl: Callable[..., Crawl], scrapy: Scrapy, tmp_path: Path
) -> None:
    """What is forbidden and done is not forbidden once more."""
    server = Server(robots=rules("User-agent: *\nDisallow: /private"))
    with site_of(server.routes) as site:
        root = f"http://127.0.0.1:{site.port}"
        crawl([f"{root}/private/1", f"{root}/2", f"{root}/private/3", f"{root}/4"])
        table = tmp_path / "table.csv"
        table.write_bytes(b"".join(table.read_bytes().splitlines(keepends=True)[:3]))
        found = plan(scrapy, "-o", "table.csv", "--robots")
    assert (found["robots"]["forbidden"], found["to_request"]) == (1, 1)


def test_a_list_without_any_url_has_nothing_to_do(scrapy: Scrapy, tmp_path: Path) -> None:
    """Which is said, with the reasons, as far as there is room."""
    (tmp_path / "urls.txt").write_text("htp://b\n" * 7)
    done = scrapy("plan", "-a", "file=urls.txt", "--robots", table="not read")
    assert done.stdout.splitlines()[0] == "urls.txt: 7 records, 0 hosts"
    assert "              ... and 2 more\n" in done.stdout
    assert done.stdout.endswith("0 requests to make\n\nNothing is to be requested\n")
    assert (done.exit_code, done.log) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, long(signal.SIGTERM)])
def test_ctrl_c_while_it_reads_ends_it_without_a_traceback(
    tmp_path: Path, number: signal.Signals
) -> None:
    """With the exit code that shells know."""
    with (tmp_path / "urls.txt").open("w") as file:
        file.writelines(f"http://host-{n % 999}.test/{n}\n" for n in range(1_500_000))
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "scrapy", "plan", "-a", "file=urls.txt"],
        cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        time.sleep(2.5)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert re.fullmatch(r"scrapy plan: interrupted.*Nothing was .*written\n", stderr)
    assert stdout == ""


def test_ctrl_c_while_robots_txt_is_waited_for_ends_it_at_once(tmp_path: Path) -> None:
    """A host that does not answer keeps nobody waiting."""

    def robots(request: Request, number: int) -> Response:
        time.sleep(5)
        return rules("")

    server = Server(robots=robots)
    with site_of(server.routes) as site:
        (tmp_path / "urls.txt").write_text(f"http://127.0.0.1:{site.port}/\n")
        with subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "scrapy", "plan", "-afile=urls.txt", "--robots"],
            cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            while not server.robots_times:
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            stderr = process.communicate(timeout=3)[1]
    assert (process.returncode, stderr) == (130, "scrapy plan: interrupted. Nothing was written\n")
