"""Parts of a list, each crawled by itself, and put together at the end."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from crawling import ENVIRONMENT, Crawl, Server, SiteProcess, crawl_list, run_scrapy, site_of
from ruamel.yaml import YAML
from test_processes import mixed, without_times

from urlcrawler.demo.messages import Request, Response


def crawl_shards(folder: Path, lines: list[str], count: int, *words: str) -> list[str]:
    """Crawl each shard into its default table; return the names of these."""
    names = []
    for number in range(1, count + 1):
        table = f"data/results/urls.{number}-of-{count}.csv"
        (folder / "urls.txt").write_text("\n".join(lines) + "\n")
        shard = ("-a", f"shard={number}/{count}")
        crawled = run_scrapy(folder, "crawl", "urls", "-a", "file=urls.txt", *shard, *words,
                             table=table)  # fmt: skip
        assert crawled.exit_code == 0, crawled.log
        names.append(table)
    return names


def test_tables_of_all_shards_are_merged_into_that_of_the_list(
    tmp_path: Path, site: SiteProcess
) -> None:
    """Row by row what one crawl gives, but for times."""
    lines = mixed(site, 40)
    whole = crawl_list(tmp_path, lines, table="whole.csv")
    names = crawl_shards(tmp_path, lines, 3)
    merged = run_scrapy(tmp_path, "shards", "merge", *names, "-o", "merged.csv", table="merged.csv")
    assert without_times(merged.rows) == without_times(whole.rows)
    assert (merged.exit_code, f"{len(lines)} rows in merged.csv" in merged.log) == (0, True)
    status = run_scrapy(tmp_path, "shards", "status", *names)
    rows = [int(line.split()[0]) for line in status.stdout.splitlines()]
    assert (len(rows), sum(rows)) == (3, len(lines))
    plan = run_scrapy(tmp_path, "shards", "plan", "-a", "file=urls.txt", "--shards", "3")
    assert "-a shard=2/3" in plan.stdout
    assert plan.stdout.startswith(f"{len(lines)} records on 11 hosts")


def test_a_merge_with_a_shard_missing_is_refused(tmp_path: Path, site: SiteProcess) -> None:
    """It says which, and writes nothing."""
    names = crawl_shards(tmp_path, mixed(site, 12), 3)
    merged = run_scrapy(tmp_path, "shards", "merge", names[0], names[2], "-o", "merged.csv")
    assert "Not among them: 2 of 3 shards" in merged.log
    assert "there is no row of record" in merged.log
    assert (merged.exit_code, (tmp_path / "merged.csv").exists()) == (1, False)


def test_a_shard_is_bound_to_the_list(tmp_path: Path, site: SiteProcess) -> None:
    """A list that has changed, or another shard, is refused; the rows stay."""
    lines = mixed(site, 12)
    names = crawl_shards(tmp_path, lines, 2)
    before = (tmp_path / names[0]).read_bytes()
    other = crawl_list(tmp_path, lines, "-a", "shard=2/2", table=names[0], fresh=False)
    assert "it belongs to another shard" in other.log
    changed = crawl_list(tmp_path, lines[::-1], "-a", "shard=1/2", table=names[0], fresh=False)
    assert "Type -O" in changed.log
    assert (other.exit_code, changed.exit_code) == (1, 1)
    assert (tmp_path / names[0]).read_bytes() == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("merge", "nothing.csv", "-o", "a.csv"), "nothing.csv: is no table in CSV or JSON Lines"),
        (("merge", "t.csv", "-o", "t.csv"), "-o t.csv: is there already"),
        (("merge", "t.csv", "-o", "a.jsonl"), "must have the format that all of the tables have"),
        (("merge", "t.csv", "u.csv", "-o", "a.csv"), "u.csv: has other columns than t.csv"),
        (("merge", "empty.csv", "-o", "a.csv"), "empty.csv: holds no row yet"),
        (("plan", "-a", "file=no.txt", "--shards", "2"), "no such file: 'no.txt'"),
        (("plan", "-a", "file=t.csv", "--shards", "x"), "--shards"),
    ],
)
def test_what_cannot_be_merged_is_said(
    tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    """One sentence, exit code 1."""
    (tmp_path / "t.csv").write_text("position,url,outcome,error\n1,a,ok,\n")
    (tmp_path / "u.csv").write_text("position,url,outcome,error,x\n2,a,ok,,\n")
    (tmp_path / "empty.csv").write_text("")
    done = run_scrapy(tmp_path, "shards", *words)
    assert sentence in done.log
    assert (done.exit_code, "Traceback" in done.log) == (1, False)


def test_hosts_of_other_shards_are_asked_for_less(crawl: Callable[..., Crawl]) -> None:
    """All shards may redirect to them: of four each has a quarter of the ceiling."""
    most: list[int] = []
    with site_of(Server(lambda request, number: Response(b"")).routes) as target:

        def answer(request: Request, number: int) -> Response:
            return Response(b"", 302, [("Location", f"http://127.0.0.1:{target.port}/slow")])

        async def slow(request: Request) -> Response:
            import asyncio

            most.append(target.in_flight["127.0.0.1"])
            await asyncio.sleep(0.2)
            return Response(b"<title>A</title>")

        target._exact["/slow"] = slow
        with site_of(Server(answer).routes, "127.0.0.2") as site:
            lines = [f"http://127.0.0.2:{site.port}/{n}" for n in range(60)]
            found = {}
            for number in range(1, 5):
                words = ("-a", f"shard={number}/4", "-s", "AUTOTHROTTLE_ENABLED=0")
                crawled = crawl(lines, *words, table=f"{number}.csv")
                found[number] = len(crawled.rows)
    assert sorted(found.values()) == [0, 0, 0, 60]
    assert 1 < max(most) <= 4


def recipe(language: str) -> str:
    """The block of README in that language which is about shards."""
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    blocks = re.findall(rf"```{language}\n(.*?)```", readme, re.DOTALL)
    (found,) = [block for block in blocks if "shard=" in block]
    return found.replace("64", "2")


@pytest.mark.parametrize("scheduler", ["Slurm", "Kubernetes"])
def test_what_readme_says_of_other_schedulers_crawls_every_record(
    tmp_path: Path, scheduler: str
) -> None:
    """Each number they give is a shard, and all of them are the list."""
    if scheduler == "Slurm":
        command, name, first = ["bash", "-c", recipe("bash")], "SLURM_ARRAY_TASK_ID", 1
    else:
        job = YAML(typ="safe").load(recipe("yaml"))
        assert (job["spec"]["completionMode"], job["spec"]["completions"]) == ("Indexed", 2)
        (container,) = job["spec"]["template"]["spec"]["containers"]
        command, name, first = container["command"], "JOB_COMPLETION_INDEX", 0
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    hosts = [f"127.0.1.{n}" for n in range(1, 6)]
    with site_of(Server().routes, *hosts) as site:
        lines = [f"http://{host}:{site.port}/{n}" for n, host in enumerate(hosts * 3)]
        (tmp_path / "urls.txt").write_text("\n".join(lines))
        for number in (first, first + 1):
            env = {**ENVIRONMENT, "PATH": path, name: str(number)}
            subprocess.run(command, cwd=tmp_path, env=env, check=True, capture_output=True)
    tables = [f"data/results/urls.{number}-of-2.csv" for number in (1, 2)]
    merged = run_scrapy(tmp_path, "shards", "merge", *tables, "-o", "all.csv", table="all.csv")
    assert [row["url"] for row in merged.rows] == lines
    assert {row["outcome"] for row in merged.rows} == {"ok"}
