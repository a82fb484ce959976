"""One list, several processes: the same table, whatever happens to any of them."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from crawling import (
    ENVIRONMENT,
    RESOLVER,
    Crawl,
    Server,
    SiteProcess,
    crawl_under_way,
    read_table,
    run_scrapy,
    site_of,
)

from urlcrawler.demo.messages import Request, Response

TWO = ("-s", "PROCESSES=2")
TIMES = ("fetched_at", "elapsed")


def mixed(site: SiteProcess, count: int = 120) -> list[str]:
    """Records of every kind, on ten hosts."""
    pages = [site.url(f"/page/{n}", host=n % 10 + 1) for n in range(count)]
    odd = [site.url("/status/404"), "not a url", pages[3], site.url("/redirect/1"), "ftp://a.b/",
           "http://127.0.0.1:1/", site.url("/garbage", host=4), f"{pages[5]}#x"]  # fmt: skip
    return [*pages, *odd]


def without_times(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: row[name] for name in row if name not in TIMES} for row in rows]


def children_of(pid: int) -> set[int]:
    """Return the processes that *pid* has started. Linux only."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return {int(child) for task in tasks for child in task.read_text().split()}


def wait_for_end(pids: set[int], seconds: float) -> set[int]:
    """Return which of them are there after so many seconds, zombies not counted."""
    deadline = time.monotonic() + seconds
    while (left := {pid for pid in pids if is_running(pid)}) and time.monotonic() < deadline:
        time.sleep(0.2)
    return left


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at /proc")


def test_several_processes_give_the_table_of_one(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """Row by row, but for times: order, duplicates, errors, columns."""
    lines = mixed(site)
    one = crawl(lines, table="one.csv")
    three = crawl(lines, "-s", "PROCESSES=3", table="three.csv")
    assert without_times(three.rows) == without_times(one.rows)
    assert (one.exit_code, three.exit_code) == (0, 0)
    assert "128 of 128 records have their row" in three.log
    left = [path.name for path in three.table.parent.iterdir() if "shards" in path.name]
    assert left == []


def test_every_feed_takes_the_rows_of_all_processes(tmp_path: Path, site: SiteProcess) -> None:
    """Two tables and a file of another format."""
    lines = mixed(site, 30)
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    outputs = ("-o", "a.csv", "-o", "b.jsonl", "-o", "c.json")
    crawled = run_scrapy(
        tmp_path, "crawl", "urls", *TWO, "-a", "file=urls.txt", *outputs, table="a.csv"
    )
    positions = list(range(1, len(lines) + 1))
    assert [int(row["position"]) for row in crawled.rows] == positions
    assert [row["position"] for row in read_table(tmp_path / "b.jsonl")] == positions
    rows = json.loads((tmp_path / "c.json").read_text())
    assert sorted(row["position"] for row in rows) == positions
    assert crawled.exit_code == 0


def test_a_list_from_a_pipe_goes_to_standard_output(tmp_path: Path, site: SiteProcess) -> None:
    """No file of the user's is needed for that."""
    lines = mixed(site, 20)
    words = ("crawl", "urls", *TWO, "-a", "file=-", "-o", "-:csv")
    crawled = run_scrapy(tmp_path, *words, stdin="\n".join(lines) + "\n")
    assert len(crawled.stdout.splitlines()) == len(lines) + 1
    assert crawled.exit_code == 0


def test_records_without_a_process_of_their_own_are_no_problem(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """More processes than hosts."""
    crawled = crawl([site.url("/page/1"), site.url("/page/2")], "-s", "PROCESSES=5")
    assert (len(crawled.rows), crawled.exit_code) == (2, 0)


def test_the_summary_adds_up_what_the_processes_have_found(
    crawl: Callable[..., Crawl], tmp_path: Path, site: SiteProcess
) -> None:
    """Coverage of fields, hosts."""
    (tmp_path / "fields.yaml").write_text("name: h1\nnone: .nothing\n")
    crawled = crawl(mixed(site, 40), *TWO, "-a", "fields=fields.yaml")
    assert "100%  name" in crawled.log
    assert "0%  none" in crawled.log
    hosts = (tmp_path / ".table.csv.hosts.csv").read_text().splitlines()
    names = [line.split(",")[0] for line in hosts]
    assert names[0] == "host"
    assert len(names) == len(set(names)) >= 11


def test_pages_of_all_processes_are_kept(
    crawl: Callable[..., Crawl], tmp_path: Path, site: SiteProcess
) -> None:
    """In one folder, from which the table can be extracted again."""
    lines = mixed(site, 40)
    crawled = crawl(lines, *TWO, "-s", "KEEP_PAGES=warc")
    words = ("--pages", "table.pages/*.warc.gz", "--table", "table.csv", "-o", "again.csv")
    again = run_scrapy(tmp_path, "extract", *words, table="again.csv")
    assert without_times(again.rows) == without_times(crawled.rows)


@linux
def test_a_process_that_dies_is_started_again(tmp_path: Path, site: SiteProcess) -> None:
    """It goes on where it was; nobody else notices."""
    lines = [site.url(f"/page/{n}?delay=0.2", host=n % 4 + 1) for n in range(300)]
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    words = (*TWO, "-o", "table.csv")
    killed = 0
    with crawl_under_way(tmp_path, *words, rows=30) as process:
        for child in children_of(process.pid):
            os.kill(child, signal.SIGKILL)
            killed += 1
        _, log = process.communicate(timeout=100)
    rows = read_table(tmp_path / "table.csv")
    assert [int(row["position"]) for row in rows] == list(range(1, 301))
    assert Counter(row["outcome"] for row in rows) == {"ok": 300}
    assert log.count("has ended with signal 9. It is started again") == killed == 2
    assert process.returncode == 0


@linux
def test_no_process_outlives_the_one_that_started_it(tmp_path: Path, site: SiteProcess) -> None:
    """After kill -9 they finish what is under way; the next run has their rows, and no other N
    is a problem for it.
    """
    lines = [site.url(f"/page/{n}?delay=0.2", host=n % 4 + 1) for n in range(300)]
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    with crawl_under_way(tmp_path, *TWO, "-o", "table.csv", rows=30) as process:
        children = children_of(process.pid)
        process.kill()
    assert len(children) == 2
    assert wait_for_end(children, 60) == set()
    parts = list((tmp_path / ".table.csv.shards").glob("*.jsonl"))
    had = {row["position"] for part in parts for row in read_table(part)}
    again = run_scrapy(
        tmp_path, "crawl", "urls", "-s", "PROCESSES=3", "-a", "file=urls.txt", "-o", "table.csv"
    )
    by_position = {int(row["position"]): row for row in again.rows}
    assert list(by_position) == list(range(1, 301))
    assert len(again.rows) == 300
    kept = {row["position"]: row for part in parts if part.exists() for row in read_table(part)}
    assert (len(had) > 30, kept, again.exit_code) == (True, {}, 0)


@linux
def test_the_index_of_the_list_is_there_once(tmp_path: Path, site: SiteProcess) -> None:
    """Of ten million records it takes 160 MB: the processes map it, and read no list."""
    lines = [site.url(f"/page/{n}?delay=0.2", host=n % 4 + 1) for n in range(100)]
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    with crawl_under_way(tmp_path, *TWO, "-o", "table.csv", rows=10) as process:
        maps = [Path(f"/proc/{pid}/maps").read_text() for pid in children_of(process.pid)]
        process.send_signal(signal.SIGINT)
    assert ["offsets.npy" in mapped for mapped in maps] == [True, True]


@linux
def test_rows_of_an_interrupted_run_are_taken_over_by_a_single_process(
    tmp_path: Path, site: SiteProcess
) -> None:
    """Whatever PROCESSES is the next time."""
    lines = [site.url(f"/page/{n}?delay=0.2", host=n % 4 + 1) for n in range(200)]
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    with crawl_under_way(tmp_path, *TWO, "-o", "table.csv", rows=30) as process:
        process.kill()
    crawled = run_scrapy(tmp_path, "crawl", "urls", "-a", "file=urls.txt", "-o", "table.csv")
    assert [int(row["position"]) for row in crawled.rows] == list(range(1, 201))
    assert not (tmp_path / ".table.csv.shards").exists()
    assert crawled.exit_code == 0


@linux
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.long)],
)
def test_an_interrupt_ends_all_of_them_and_keeps_what_they_have(
    tmp_path: Path, site: SiteProcess, number: signal.Signals, code: int
) -> None:
    """As with one process: pages under way are finished, and the next run goes on."""
    lines = [site.url(f"/page/{n}?delay=0.2", host=n % 4 + 1) for n in range(300)]
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    with crawl_under_way(tmp_path, *TWO, "-o", "table.csv", rows=30) as process:
        children = children_of(process.pid)
        process.send_signal(number)
        _, log = process.communicate(timeout=60)
    rows = read_table(tmp_path / "table.csv")
    assert 30 <= len(rows) < 300
    assert (process.returncode, wait_for_end(children, 5)) == (code, set()), log
    assert not (tmp_path / ".table.csv.shards").exists()
    again = run_scrapy(tmp_path, "crawl", "urls", *TWO, "-a", "file=urls.txt", "-o", "table.csv")
    assert [int(row["position"]) for row in again.rows] == list(range(1, 301))
    assert again.exit_code == 0


@linux
@pytest.mark.parametrize(
    ("records", "kills"),
    [(700, 3), pytest.param(20_000, 20, marks=pytest.mark.long)],
)
def test_kills_of_any_process_cost_no_row(
    tmp_path: Path, site: SiteProcess, records: int, kills: int
) -> None:
    """Of children and of their parent, at random: every position once, in order."""
    chance = random.Random(records)
    lines = [site.url(f"/page/{n}?size=2000&delay=0.1", host=n % 20 + 1) for n in range(records)]
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    command = [sys.executable, "-m", "scrapy", "crawl", "urls", "-a", "file=urls.txt", *TWO]
    command += ["-o", "table.csv", "-s", RESOLVER, "-s", "CONCURRENT_REQUESTS_PER_DOMAIN=4"]
    hit: Counter[str] = Counter()
    while hit.total() < kills:
        with subprocess.Popen(
            command, cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.DEVNULL
        ) as process:
            time.sleep(chance.uniform(2, 5))
            children = sorted(children_of(process.pid))
            if process.poll() is not None:
                break  # it was complete before
            for _ in range(chance.randint(1, 3)):
                if children and chance.random() < 0.6 and hit.total() < kills - 1:
                    os.kill(children.pop(chance.randrange(len(children))), signal.SIGKILL)
                    hit["child"] += 1
                    time.sleep(chance.uniform(0.2, 1.5))
            process.kill()
            hit["parent"] += 1
    crawled = run_scrapy(tmp_path, *command[3:], timeout=900)
    assert [int(row["position"]) for row in crawled.rows] == list(range(1, records + 1))
    assert Counter(row["outcome"] for row in crawled.rows) == {"ok": records}
    assert (crawled.exit_code, hit.total() >= kills) == (0, True), hit


def test_a_table_that_was_removed_begins_anew(tmp_path: Path, site: SiteProcess) -> None:
    """Rows that an interrupted run has left for it went with it."""
    (tmp_path / "urls.txt").write_text(site.url("/page/1"))
    shards = tmp_path / ".table.csv.shards"
    shards.mkdir()
    first = run_scrapy(tmp_path, "crawl", "urls", "-a", "file=urls.txt", "-o", "t.jsonl",
                       table="t.jsonl")  # fmt: skip
    old = {**first.only(), "title": "old"}
    (shards / "1-of-2.jsonl").write_text(json.dumps(old) + "\n")
    crawled = run_scrapy(tmp_path, "crawl", "urls", "-a", "file=urls.txt", "-o", "table.csv")
    assert (crawled.only()["title"], shards.exists()) == ("Product 1", False)


def test_rows_in_part_reach_a_feed_that_wants_no_more(tmp_path: Path, site: SiteProcess) -> None:
    """FEED_EXPORT_FIELDS is about the feeds, and not about what processes tell each other."""
    (tmp_path / "urls.txt").write_text("\n".join(mixed(site, 20)))
    words = ("-a", "file=urls.txt", "-s", "FEED_EXPORT_FIELDS=url,title", "-O", "table.csv")
    crawled = run_scrapy(tmp_path, "crawl", "urls", *TWO, *words)
    assert (len(crawled.rows), list(crawled.rows[0])) == (28, ["url", "title"])
    assert crawled.exit_code == 0


def test_a_script_that_starts_scrapy_has_its_processes(tmp_path: Path, site: SiteProcess) -> None:
    """They are not that script once more."""
    (tmp_path / "urls.txt").write_text("\n".join(mixed(site, 20)))
    (tmp_path / "run.py").write_text(
        "from scrapy.cmdline import execute\n"
        "words = 'scrapy crawl urls -a file=urls.txt -O table.json -s PROCESSES=2 -s'.split()\n"
        f"execute([*words, {RESOLVER!r}])\n"
    )
    command = [sys.executable, "run.py"]
    done = subprocess.run(
        command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, timeout=100, check=False
    )
    assert len(json.loads((tmp_path / "table.json").read_text())) == 28, done.stderr
    assert done.returncode == 0


def test_processes_that_cannot_start_exit_with_1(
    crawl: Callable[..., Crawl], tmp_path: Path, site: SiteProcess
) -> None:
    """As one does: running it again would not help."""
    (tmp_path / "table.pages").write_text("")
    crawled = crawl([site.url("/page/1")], *TWO, "-s", "KEEP_PAGES=warc")
    assert "pages cannot be kept there" in crawled.log
    assert crawled.exit_code == 1


def test_a_page_torn_by_a_kill_is_taken_away_by_any_number_of_processes(
    crawl: Callable[..., Crawl], tmp_path: Path, site: SiteProcess
) -> None:
    """Otherwise nothing could be extracted from the pages any more."""
    lines = [site.url(f"/page/{n}", host=n % 4 + 1) for n in range(20)]
    keep = ("-s", "KEEP_PAGES=warc")
    crawl(lines[:10], *TWO, *keep)
    for path in (tmp_path / "table.pages").glob("*.warc.gz"):
        with path.open("ab") as torn:
            torn.write(path.read_bytes()[:300])
    assert crawl(lines, *keep, fresh=False).exit_code == 0
    words = ("--pages", "table.pages/*.warc.gz", "-o", "again.csv")
    again = run_scrapy(tmp_path, "extract", *words, table="again.csv")
    assert (len(again.rows), again.exit_code) == (20, 0), again.log


def test_processes_that_only_die_stop_the_crawl(tmp_path: Path, site: SiteProcess) -> None:
    """After three deaths without a row there is a sentence, and everything can be resumed."""
    (tmp_path / "urls.txt").write_text("\n".join(site.url(f"/page/{n}") for n in range(5)))
    words = ("-s", "SPIDER_MODULES=urlcrawler.spiders,saboteurs", "-a", "file=urls.txt")
    crawled = run_scrapy(tmp_path, "crawl", "dies", *TWO, *words, "-o", "table.csv")
    assert "has ended with exit code 9 3 times without a row" in crawled.log
    assert "run the same command again" in crawled.log
    assert (len(crawled.rows), crawled.exit_code) == (0, 75)
    again = run_scrapy(tmp_path, "crawl", "urls", "-a", "file=urls.txt", "-o", "table.csv")
    assert (len(again.rows), again.exit_code) == (5, 0)


def test_failed_records_are_crawled_again_by_several_processes(
    crawl: Callable[..., Crawl],
) -> None:
    """Their rows are replaced, and the others stay."""
    well: list[bool] = []

    def answer(request: Request, number: int) -> Response:
        is_bad = not well and request.path in ("/3", "/7")
        return Response(b"", 500) if is_bad else Response(b"<title>A</title>")

    with site_of(Server(answer).routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(10)]
        once = ("-s", "RETRY_TIMES=0")
        first = crawl(lines, *once, *TWO)
        well.append(True)
        second = crawl(lines, *TWO, "-a", "retry=failed", fresh=False)
    assert [row["outcome"] for row in first.rows].count("http_error") == 2
    assert [row["outcome"] for row in second.rows] == ["ok"] * 10
    times = [row["fetched_at"] for row in first.rows]
    again = [row["fetched_at"] for row in second.rows]
    assert [n for n in range(10) if times[n] != again[n]] == [3, 7]


def test_a_limit_stops_all_processes(crawl: Callable[..., Crawl], site: SiteProcess) -> None:
    """CLOSESPIDER_ITEMCOUNT counts the rows of all."""
    lines = [site.url(f"/page/{n}?delay=0.1", host=n % 4 + 1) for n in range(400)]
    crawled = crawl(lines, *TWO, "-s", "CLOSESPIDER_ITEMCOUNT=40")
    assert 40 <= len(crawled.rows) < 400
    assert crawled.exit_code == 75


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("-s", "PROCESSES=0"), "setting PROCESSES: must be a whole number from 1 on, not '0'"),
        (("-s", "PROCESSES=two"), "setting PROCESSES: must be a whole number from 1 on, not 'two'"),
        ((*TWO, "-s", "THROTTLE_GROUP_BY=ip"), "setting THROTTLE_GROUP_BY: hosts that are grouped"),
        (("-a", "shard=3/2"), "argument `shard`: must be like 3/16, the third of sixteen, not"),
        ((*TWO, "-a", "shard=1/2"), "argument `shard`: is crawled in one process. Leave"),
        (("-a", "shard=1/2", "-s", "THROTTLE_GROUP_BY=ip"), "argument `shard`: hosts that are"),
    ],
)
def test_what_cannot_be_divided_is_refused(
    crawl: Callable[..., Crawl], site: SiteProcess, words: tuple[str, ...], sentence: str
) -> None:
    """One sentence, before the first request."""
    crawled = crawl([site.url("/page/1")], *words)
    assert sentence in crawled.log
    assert (crawled.exit_code, "Traceback" in crawled.log) == (1, False)


def test_what_a_process_says_is_said_with_its_shard(
    crawl: Callable[..., Crawl], site: SiteProcess
) -> None:
    """Warnings and errors only; what goes on is said by the one that has started them."""
    spider = ("crawl", "raises", "-s", "SPIDER_MODULES=urlcrawler.spiders,saboteurs")
    crawled = crawl([site.url("/page/victim"), site.url("/ok", host=2)], *spider, *TWO)
    assert "/2] " in crawled.log
    assert "ValueError: broken callback" in crawled.log
    assert crawled.log.count("Spider opened") == 1
