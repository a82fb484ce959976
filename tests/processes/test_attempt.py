"""One try at a shard: what it begins with, and when its table is that of the shard."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from urlcrawler.processes import lifeline
from urlcrawler.processes.attempt import ABANDONED, ATTEMPT, Order, Result, crawl_shard
from urlcrawler.processes.lifeline import Hold, Lifeline

CRAWL = """
import json, sys, time
table, count, code = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with open(table) as file:
    there = {json.loads(line)["position"] for line in file}
with open(table, "a") as file:
    for position in range(1, count + 1):
        if position not in there:
            file.write(json.dumps({"position": position, "by": table}) + "\\n")
print("a line of the log", file=sys.stderr)
sys.exit(code)
"""
WAITS = "import sys; sys.stdin.read(); sys.exit(75)"  # as a crawl does whose parent is gone


def order(folder: Path, *, records: int = 3, count: int = 3, code: int = 0,
          crawl: str = CRAWL) -> Order:  # fmt: skip
    table = str(folder / f"1-of-2.{ATTEMPT}.jsonl")
    words = ["-c", crawl, table, str(count), str(code)]
    return Order(run="run1", name="1-of-2", records=records, folder=str(folder), cwd=str(folder),
                 project="no.settings", words=words)  # fmt: skip


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def tables(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.jsonl"))


def test_the_table_of_an_attempt_becomes_that_of_the_shard(tmp_path: Path) -> None:
    """With all rows, and nothing else is left of it."""
    Lifeline(tmp_path, "run1")
    assert crawl_shard(order(tmp_path))["code"] == 0
    assert [row["position"] for row in rows(tmp_path / "1-of-2.jsonl")] == [1, 2, 3]
    assert tables(tmp_path) == ["1-of-2.jsonl"]


def test_an_attempt_with_too_few_rows_is_none_of_the_shard(tmp_path: Path) -> None:
    """Its exit code is that of a crawl that has lost records; what it has stays for the next."""
    Lifeline(tmp_path, "run1")
    assert crawl_shard(order(tmp_path, records=4))["code"] == 5
    assert not (tmp_path / "1-of-2.jsonl").exists()
    assert len(tables(tmp_path)) == 1


def test_of_two_attempts_one_becomes_the_table(tmp_path: Path) -> None:
    """The other one, that was thought dead, leaves it as it is."""
    Lifeline(tmp_path, "run1")
    results: list[Result] = []
    threads = [
        threading.Thread(target=lambda: results.append(crawl_shard(order(tmp_path))))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [result["code"] for result in results] == [0, 0, 0, 0]
    found = rows(tmp_path / "1-of-2.jsonl")
    assert sorted(row["position"] for row in found) == [1, 2, 3]
    assert tables(tmp_path) == ["1-of-2.jsonl"]


def test_a_shard_that_is_whole_is_not_crawled_again(tmp_path: Path) -> None:
    """Its table stays what it is."""
    Lifeline(tmp_path, "run1")
    (tmp_path / "1-of-2.jsonl").write_text("whole\n")
    assert crawl_shard(order(tmp_path, code=1)) == {"code": 0, "log": []}
    assert (tmp_path / "1-of-2.jsonl").read_text() == "whole\n"


def test_an_attempt_begins_with_the_rows_of_earlier_ones(tmp_path: Path) -> None:
    """Each once; what is torn, or damaged by a disk that lies, is crawled again."""
    Lifeline(tmp_path, "run1")
    whole = json.dumps({"position": 2, "by": "another"})
    (tmp_path / "1-of-2.a.jsonl").write_text(f"{whole}\n\0\0\0\n[]\n" + '{"position": 3')
    (tmp_path / "1-of-2.b.jsonl").write_text(f"{whole}\n")
    (tmp_path / "2-of-2.c.jsonl").write_text(json.dumps({"position": 1}) + "\n")
    assert crawl_shard(order(tmp_path))["code"] == 0
    found = {row["position"]: row["by"] for row in rows(tmp_path / "1-of-2.jsonl")}
    assert found.pop(2) == "another"
    assert sorted(found) == [1, 3]
    assert "another" not in found.values()


def test_an_attempt_stops_when_the_crawl_is_over(tmp_path: Path) -> None:
    """When it is closed, or another run has begun: its process ends as it does on Ctrl-C."""
    line = Lifeline(tmp_path, "run1")
    timer = threading.Timer(1, line.let_go)
    timer.start()
    assert crawl_shard(order(tmp_path, crawl=WAITS))["code"] == ABANDONED
    timer.join()


def test_a_crawl_that_only_dies_is_given_up(tmp_path: Path) -> None:
    """After three times without a row, with its last words."""
    Lifeline(tmp_path, "run1")
    result = crawl_shard(order(tmp_path, count=0, code=9))
    assert result["code"] == 9
    assert sum("a line of the log" in line for line in result["log"]) == 3


@pytest.mark.parametrize("run", ["", "another"])
def test_a_folder_that_is_not_that_of_the_crawl_is_named(tmp_path: Path, run: str) -> None:
    """A worker that sees no shared disk must not make one up."""
    if run:
        Lifeline(tmp_path, run)
    result = crawl_shard(order(tmp_path))
    assert result["code"] == 1
    assert "All machines must see it" in result["log"][0]
    assert tables(tmp_path) == []


def test_a_lifeline_that_does_not_move_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has held it is gone, or cannot write any more."""
    now = 0.0
    monkeypatch.setattr(lifeline, "monotonic", lambda: now)
    line = Lifeline(tmp_path, "run1")
    hold = Hold(tmp_path, "run1")
    for _ in range(3):
        assert hold.is_firm
        now += lifeline.PATIENCE - 1
        line.beat()
    assert hold.is_firm
    now += lifeline.PATIENCE
    assert not hold.is_firm
