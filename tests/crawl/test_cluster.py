"""One list on a cluster: the same table, whatever happens to any of its machines."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trustme
from clusters import Cluster, cluster, started_by
from crawling import (
    ENVIRONMENT,
    RESOLVER,
    Crawl,
    Server,
    SiteProcess,
    read_table,
    run_scrapy,
    site_of,
)
from test_processes import linux, mixed, wait_for_end, without_times

from urlcrawler import read_results
from urlcrawler.demo import names
from urlcrawler.demo.messages import Request, Response

PAGES = 300
MOST_TWICE = 4  # pages that may be fetched twice when something is killed
SABOTEURS = ("-s", "SPIDER_MODULES=urlcrawler.spiders,saboteurs", "-s", RESOLVER)
HOSTS = [f"127.0.1.{number}" for number in range(1, 21)]


def words(
    cluster: Cluster | None, *more: str, shards: int = 3, table: str = "table.csv"
) -> list[str]:
    scheduler = ("--scheduler", cluster.address) if cluster else ()
    return [
        "shards",
        "run",
        "-a",
        "file=urls.txt",
        "-o",
        table,
        "--shards",
        str(shards),
        *scheduler,
        *more,
    ]


@contextmanager
def crawling(folder: Path, words: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Such a crawl, which has brought some rows to whoever looks, and goes on."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "scrapy", *words, "-s", RESOLVER],
        cwd=folder, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        yield process


def until_rows(folder: Path, count: int) -> None:
    """Wait until attempts have written so many rows, together."""
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        parts = (folder / ".table.csv.shards").glob("*-of-*.jsonl")
        if sum(part.read_bytes().count(b"\n") for part in parts) >= count:
            return
        time.sleep(0.05)
    raise AssertionError("no row came")


class Slow(Server):
    """Pages of which each takes a while."""

    async def page(self, request: Request) -> Response:
        await asyncio.sleep(0.2)
        return await super().page(request)


def another_disk() -> bool:
    """Return whether /dev/shm is one."""
    shared = Path("/dev/shm")  # noqa: S108 - asked for, not written to
    return shared.is_dir() and shared.stat().st_dev != Path(tempfile.gettempdir()).stat().st_dev


def list_of(folder: Path, site_port: int, pages: int = PAGES) -> None:
    lines = [f"http://{HOSTS[n % len(HOSTS)]}:{site_port}/{n}" for n in range(pages)]
    (folder / "urls.txt").write_text("\n".join(lines) + "\n")


def list_with_victim(folder: Path, site: SiteProcess) -> None:
    """Sixty pages on six hosts, one of which spiders of `saboteurs` do something with."""
    lines = [site.url(f"/page/{n}", host=n % 6 + 1) for n in range(60)]
    lines[7] = site.url("/page/victim", host=2)
    (folder / "urls.txt").write_text("\n".join(lines))


def assert_whole(crawled: Crawl, pages: int = PAGES) -> None:
    """Every record once, in order, and nothing of the shards is left."""
    assert [int(row["position"]) for row in crawled.rows] == list(range(1, pages + 1)), crawled.log
    assert Counter(row["outcome"] for row in crawled.rows) == {"ok": pages}
    assert crawled.exit_code == 0, crawled.log
    assert not (crawled.table.parent / ".table.csv.shards").exists()


def test_a_cluster_gives_the_table_of_one_process(tmp_path: Path, site: SiteProcess) -> None:
    """Row by row, but for times; so it does into Parquet, and on this machine alone."""
    (tmp_path / "urls.txt").write_text("\n".join(mixed(site)) + "\n")
    whole = run_scrapy(tmp_path, "crawl", "urls", "-a", "file=urls.txt", "-o", "whole.csv",
                       table="whole.csv")  # fmt: skip
    with cluster(tmp_path) as two:
        crawled = run_scrapy(tmp_path, *words(two), "-s", RESOLVER)
    assert without_times(crawled.rows) == without_times(whole.rows), crawled.log
    assert "3 shards of " in crawled.log
    assert (crawled.exit_code, whole.exit_code) == (0, 0)


@linux
@pytest.mark.parametrize("victim", ["worker", "crawl"])
def test_a_process_that_is_killed_costs_no_row(tmp_path: Path, victim: str) -> None:
    """A shard goes on with the rows that it has, and hardly a page is fetched twice."""
    server = Slow()
    with site_of(server.routes, *HOSTS) as site, cluster(tmp_path) as two:
        list_of(tmp_path, site.port)
        with crawling(tmp_path, words(two)) as process:
            until_rows(tmp_path, 40)
            worker = two.workers[0]
            (crawl,) = started_by(worker.pid)
            os.kill(worker.pid if victim == "worker" else crawl, signal.SIGKILL)
            _, log = process.communicate(timeout=100)
        crawled = Crawl(process.returncode, log, "", tmp_path / "table.csv",
                        read_table(tmp_path / "table.csv"))  # fmt: skip
    assert_whole(crawled)
    assert PAGES <= len(server.times) <= PAGES + MOST_TWICE
    assert wait_for_end({crawl}, 10) == set()


@linux
def test_a_crawl_that_is_killed_goes_on_with_the_same_command(tmp_path: Path) -> None:
    """What its workers have is taken over, after they have let go of it."""
    server = Slow()
    with site_of(server.routes, *HOSTS) as site, cluster(tmp_path) as two:
        list_of(tmp_path, site.port)
        with crawling(tmp_path, words(two)) as process:
            until_rows(tmp_path, 40)
            process.kill()
        again = run_scrapy(tmp_path, *words(two, shards=2), "-s", RESOLVER)
    assert_whole(again)
    assert PAGES <= len(server.times) <= PAGES + MOST_TWICE


def test_a_scheduler_that_is_lost_ends_the_crawl(tmp_path: Path) -> None:
    """It says so, and the same command goes on with another one."""
    server = Slow()
    with site_of(server.routes, *HOSTS) as site, cluster(tmp_path) as two:
        list_of(tmp_path, site.port)
        with crawling(tmp_path, words(two)) as process:
            until_rows(tmp_path, 40)
            two.schedulers[0].kill()
            _, log = process.communicate(timeout=100)
        assert (
            "the scheduler of the cluster is gone. To go on, start it and its workers again" in log
        )
        assert process.returncode == 75
        two.start_scheduler()
        two.start_worker()
        again = run_scrapy(tmp_path, *words(two), "-s", RESOLVER)
    assert_whole(again)
    assert PAGES <= len(server.times) <= PAGES + MOST_TWICE


def test_a_shard_that_cannot_be_crawled_leaves_the_others_alone(
    tmp_path: Path, site: SiteProcess
) -> None:
    """They are crawled to their end, and it is told which one failed, and how."""
    list_with_victim(tmp_path, site)
    crawled = run_scrapy(tmp_path, "shards", "run", "dies_there", *words(None, *SABOTEURS)[2:])
    assert "1 of 3 shards have failed" in crawled.log
    assert "code 9" in crawled.log
    assert len(crawled.rows) >= 40
    assert crawled.exit_code == 75
    again = run_scrapy(tmp_path, *words(None, "-s", RESOLVER))
    assert_whole(again, 60)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--scheduler", "tcp://127.0.0.1:1"), "no scheduler of Dask answers there"),
        (("--scheduler", "nowhere"), "--scheduler: must be like tls://host:8786"),
        (("--work", "nowhere"), "--work nowhere: there is no such folder"),
        (("--shards", "many"), "argument `--shards`: must be a whole number above 0"),
        (("--scheduler", "inproc://127.0.0.1:1"), "--scheduler: must be like tls://host:8786"),
        (("--work", "/proc"), "--work /proc: cannot be written"),
        (("-a", "shard=1/2"), "argument `shard`: is crawled in one process"),
        (("-s", "KEEP_PAGES=warc", "--work", "."), "setting KEEP_PAGES: each machine writes"),
        (("-s", "SPIDER_MODULES=saboteurs", "ordinary"), "spider 'ordinary': reads no list"),
        (("-s", "PROCESSES=2"), "setting PROCESSES: the threads of the workers say"),
        (("-s", "THROTTLE_GROUP_BY=ip"), "setting THROTTLE_GROUP_BY: hosts that are grouped"),
        (("-a", "file=no.txt"), "no such file: 'no.txt'"),
    ],
)
def test_what_cannot_be_run_is_said_before_the_first_request(
    tmp_path: Path, site: SiteProcess, more: tuple[str, ...], sentence: str
) -> None:
    """One sentence, exit code 1, and no table."""
    (tmp_path / "urls.txt").write_text(site.url("/page/1"))
    crawled = run_scrapy(tmp_path, *words(None), *more)
    assert sentence in crawled.log
    assert (crawled.exit_code, crawled.table.exists()) == (1, False), crawled.log


@pytest.mark.parametrize("tls", [False, pytest.param(True, marks=pytest.mark.long)])
def test_a_crawl_waits_for_workers_that_come_later(
    tmp_path: Path, site: SiteProcess, monkeypatch: pytest.MonkeyPatch, tls: bool
) -> None:
    """It says so; and who has no certificate for `tls://` is told what is wrong."""
    (tmp_path / "urls.txt").write_text("\n".join(mixed(site, 40)))
    certificate = certified(tmp_path) if tls else {}
    protocol = ("--protocol", "tls") if tls else ()
    with cluster(tmp_path, workers=0, env=certificate, words=protocol) as none:
        if tls:
            refused = run_scrapy(tmp_path, *words(none))
            assert "tls:// needs certificates. Name them in Dask's configuration" in refused.log
            assert (refused.exit_code, "Traceback" in refused.log) == (1, False)
            for name, value in certificate.items():
                monkeypatch.setitem(ENVIRONMENT, name, value)
        with crawling(tmp_path, words(none)) as process:
            assert process.stderr is not None
            while "has no worker yet" not in process.stderr.readline():
                assert process.poll() is None
            none.start_worker()
            none.start_worker()
            _, log = process.communicate(timeout=60)
    rows = read_table(tmp_path / "table.csv")
    assert [int(row["position"]) for row in rows] == list(range(1, 49)), log
    assert process.returncode == 0


def certified(folder: Path) -> dict[str, str]:
    """Return the environment in which Dask finds its certificates."""
    authority = trustme.CA()
    mine = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    mine.private_key_and_cert_chain_pem.write_to_path(folder / "me.pem")
    names = [
        f"{who}__{what}" for who in ("SCHEDULER", "WORKER", "CLIENT") for what in ("CERT", "KEY")
    ]
    files = {"CA_FILE": "ca.pem", **dict.fromkeys(names, "me.pem")}
    return {
        f"DASK_DISTRIBUTED__COMM__TLS__{name}": str(folder / file) for name, file in files.items()
    }


@pytest.mark.parametrize(("signals", "code"), [([signal.SIGINT], 130), ([signal.SIGTERM], 143)])
def test_an_interrupted_crawl_keeps_what_its_workers_have(
    tmp_path: Path, signals: list[signal.Signals], code: int
) -> None:
    """They finish the pages under way; what they have is in the table, and nothing is left."""
    server = Slow()
    with site_of(server.routes, *HOSTS) as site, cluster(tmp_path) as two:
        list_of(tmp_path, site.port)
        with crawling(tmp_path, words(two)) as process:
            until_rows(tmp_path, 40)
            for number in signals:
                process.send_signal(number)
            _, log = process.communicate(timeout=60)
        rows = read_table(tmp_path / "table.csv")
        assert (process.returncode, 40 <= len(rows) < PAGES) == (code, True), log
        assert len(server.times) == len(rows)
        assert "Not finished. To go on: scrapy shards run -a file=urls.txt --shards 3" in log
        assert not (tmp_path / ".table.csv.shards").exists()
        again = run_scrapy(tmp_path, "crawl", "urls", "-a", "file=urls.txt", "-o", "table.csv")
    assert_whole(again)
    assert len(server.times) == PAGES


def test_what_all_machines_see_may_be_elsewhere(tmp_path: Path, site: SiteProcess) -> None:
    """A table of any format, on a disk of this machine alone; the rows pass through the folder."""
    lines = [site.url(f"/page/{n}", host=n % 4 + 1) for n in range(30)]
    lines += [site.url(f"/page/{n}", host=5) for n in range(30, 150)]
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    (tmp_path / "fields.yaml").write_text("heading: h1")
    (tmp_path / "shared").mkdir()
    elsewhere = ("--work", "shared", "-a", "fields=fields.yaml", "-s", RESOLVER)
    crawled = run_scrapy(tmp_path, *words(None, *elsewhere, table="table.parquet"))
    table = read_results(tmp_path / "table.parquet")
    assert crawled.exit_code == 0, crawled.log
    assert list(table.position) == list(range(1, 151))
    assert list(table.heading) == [f"Product {n}" for n in range(150)]
    assert [*(tmp_path / "shared").iterdir()] == []
    assert [path.name for path in tmp_path.glob(".*.shards")] == []
    host = names.shop(5)
    assert f"{host} has 120 records, and a shard of its own: it takes" in crawled.log


@linux
@pytest.mark.long
def test_a_shard_that_costs_workers_their_life_is_given_up(
    tmp_path: Path, site: SiteProcess
) -> None:
    """After three times as many workers as Dask gives it; the others are finished."""
    list_with_victim(tmp_path, site)
    few = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
    with cluster(tmp_path, workers=0, env=few) as two:
        for _ in range(2):
            two.start_worker("--nanny")  # which starts it again
        more = words(two, *SABOTEURS)[2:]
        crawled = run_scrapy(tmp_path, "shards", "run", "kills_its_parent", *more, timeout=400)
    assert "its worker was lost again and again" in crawled.log
    assert "1 of 3 shards have failed" in crawled.log
    assert len(crawled.rows) >= 40
    assert crawled.exit_code == 75


@linux
@pytest.mark.long
def test_kills_of_anything_cost_no_row(tmp_path: Path) -> None:
    """Workers, their crawls, the crawl itself and the scheduler, at random: each record once."""
    chance, pages = random.Random(1), 3000
    server, hit = Slow(), Counter[str]()
    with site_of(server.routes, *HOSTS) as site, cluster(tmp_path, workers=2) as two:
        list_of(tmp_path, site.port, pages)
        while hit.total() < 20:
            with crawling(tmp_path, words(two, shards=6)) as process:
                while process.poll() is None and hit.total() < 20:
                    time.sleep(chance.uniform(2, 6))
                    kind = chance.choice(["worker", "crawl", "driver", "scheduler"])
                    workers = [each for each in two.workers if each.poll() is None]
                    crawls = [pid for each in workers for pid in started_by(each.pid)]
                    if kind == "worker" and workers:
                        workers[0].kill()
                        two.start_worker()
                    elif kind == "crawl" and crawls:
                        os.kill(chance.choice(crawls), signal.SIGKILL)
                    elif kind == "driver":
                        process.kill()
                    elif kind == "scheduler":
                        two.schedulers[-1].kill()
                        two.start_scheduler()
                        for _ in range(2):
                            two.start_worker()
                    hit[kind] += 1
                process.kill()
        crawled = run_scrapy(tmp_path, *words(two, shards=6), "-s", RESOLVER, timeout=600)
    assert_whole(crawled, pages)
    assert set(hit) == {"worker", "crawl", "driver", "scheduler"}


@pytest.mark.skipif(not another_disk(), reason="needs a disk that is not that of the tests")
def test_what_arguments_name_is_copied_to_where_all_machines_see_it(
    tmp_path: Path, site: SiteProcess
) -> None:
    """Files of one name do not take each other's place, and nobody else may read the copies."""
    lines = [site.url(f"/page/{n}", host=n % 4 + 1) for n in range(40)]
    (tmp_path / "old").mkdir()
    (tmp_path / "urls.csv").write_text("\n".join(["url", *lines[:20]]))
    run_scrapy(tmp_path, "crawl", "urls", "-a", "file=urls.csv", "-o", "old/urls.csv")
    (tmp_path / "urls.csv").write_text("\n".join(["url", *lines]))
    (tmp_path / "old" / "secrets.yaml").write_text(f"{names.shop(1)}:\n  headers: {{X-Key: a}}")
    more = ("-a", "since=old/urls.csv", "-a", "headers=old/secrets.yaml", "-s", RESOLVER)
    with TemporaryDirectory(dir="/dev/shm") as shared:
        command = ["shards", "run", "-a", "file=urls.csv", "-o", "table.csv", "--work", shared]
        with crawling(tmp_path, [*command, *more, "-s", "DOWNLOAD_DELAY=0.1"]) as process:
            copies: list[Path] = []
            while not copies and process.poll() is None:
                copies = [*Path(shared).glob("table.csv.*.shards/headers.secrets.yaml")]
            modes = {path.stat().st_mode & 0o777 for path in (copies[0], copies[0].parent)}
            _, log = process.communicate(timeout=60)
        assert [*Path(shared).iterdir()] == []
    rows = read_table(tmp_path / "table.csv")
    assert [row["url"] for row in rows] == lines, log
    assert Counter(row["outcome"] for row in rows) == {"unchanged": 20, "ok": 20}
    assert modes == {0o600, 0o700}


def test_a_link_that_somebody_has_put_into_the_folder_is_not_followed(
    tmp_path: Path, site: SiteProcess
) -> None:
    """What it leads to is not ours to remove."""
    (tmp_path / "urls.txt").write_text(site.url("/page/1"))
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("theirs")
    (tmp_path / "theirs").symlink_to("precious")
    (tmp_path / ".table.csv.shards").symlink_to(tmp_path / "theirs")
    crawled = run_scrapy(tmp_path, *words(None, "--work", ".", "-s", RESOLVER))
    assert_whole(crawled, 1)
    assert (tmp_path / "precious" / "file").read_text() == "theirs"
