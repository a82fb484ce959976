"""How many files a crawl may have open."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from crawling import ENVIRONMENT, read_table, serving

from urlcrawler.demo import names
from urlcrawler.openfiles import allow_open_files

HOSTS = 1000


def crawl_with(limit: int, folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Crawl a list where a process may have *limit* files open, and no more on request."""
    command = [sys.executable, "-W", "error", "-m", "scrapy", "crawl", "urls", "-afile=urls.txt"]
    resolver = ("-s", "TWISTED_DNS_RESOLVER=urlcrawler.demo.names.DemoResolver")
    return subprocess.run(
        ["/bin/sh", "-c", f'ulimit -n {limit} && exec "$@"', "-", *command, *words, *resolver],
        cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.skipif(not names.answers_everywhere(), reason="this machine has one loopback address")
def test_a_thousand_hosts_do_with_1024_files(tmp_path: Path) -> None:
    """Each page on a host of its own, and a robots.txt: connections that are kept are bounded."""
    with serving(sorted({"127.0.0.1", *names.addresses(HOSTS)})) as site:
        lines = [
            site.url(f"/page/{n}?size=500&delay=0.2", host=n)
            for n in range(1, HOSTS + 1)
            for _ in "ab"
        ]
        (tmp_path / "urls.txt").write_text("\n".join(lines), encoding="utf-8")
        words = ("-O", "table.csv", "-a", "duplicates=fetch")
        done = crawl_with(1024, tmp_path, *words)
    rows = read_table(tmp_path / "table.csv")
    assert {row["outcome"] for row in rows} == {"ok"}, done.stderr
    assert len(rows) == 2 * HOSTS
    assert done.returncode == 0


def test_too_few_files_for_the_concurrency_are_said(tmp_path: Path) -> None:
    """Before the first request, with what to type."""
    (tmp_path / "urls.txt").write_text("http://127.0.0.1:1/\n", encoding="utf-8")
    done = crawl_with(256, tmp_path, "-O", "table.csv")
    assert "512 connections take 576 open files, and this process may have 256" in done.stderr
    assert "Type ulimit -n 576, or -s CONCURRENT_REQUESTS=192" in done.stderr
    assert done.returncode == 1
    assert crawl_with(256, tmp_path, "-O", "t.csv", "-s", "CONCURRENT_REQUESTS=192").returncode == 0


def test_a_system_that_has_less_than_it_says_gives_what_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """macOS says "unlimited" and refuses more than a few thousand."""
    granted = [(256, resource.RLIM_INFINITY)]

    def set_(kind: int, limits: tuple[int, int]) -> None:
        if limits[0] > 10_240:
            raise ValueError("current limit exceeds maximum limit")
        granted.append(limits)

    monkeypatch.setattr(resource, "getrlimit", lambda kind: granted[-1])
    monkeypatch.setattr(resource, "setrlimit", set_)
    assert allow_open_files() == 8192
    assert granted[-1] == (8192, resource.RLIM_INFINITY)


def test_a_limit_that_is_high_enough_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is ever taken away."""
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (100_000, 100_000))
    monkeypatch.setattr(resource, "setrlimit", pytest.fail)
    assert allow_open_files() == 100_000
