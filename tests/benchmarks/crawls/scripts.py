"""The scripts that people come from: what each does to the machine, the table and the servers.

Seconds are for the whole list; those that would take hours crawl the beginning of it, and the rest
is extrapolated. Then each crawls a shorter list of faster pages three times: undisturbed, for what
a page costs of the processor; until it is killed with -9 in the middle, the process and all that it
has started; and once more, to the end.
"""

from __future__ import annotations

import csv
import math
import os
import resource
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from cases import Case
from contenders import CONTENDERS, environment
from measure import run
from server import Answer, Server

_LONGEST = 3600.0
_LATENCY = "0.1"
# URLs of the shorter list: some seconds, of which one half is enough to have written rows.
_SHORT = {"a loop": 400, "15 threads": 2_000, "32 processes, each appends": 6_400,
          "32 processes, one writer from before": 6_400}  # fmt: skip
_SHORT_OTHERS = 8_000


@dataclass
class State:
    """What a table is like: URLs without a row, with two, and lines that are none of its rows."""

    lost: int
    doubled: int
    broken: int

    def __str__(self) -> str:
        return f"{self.lost}/{self.doubled}/{self.broken}"


@dataclass
class Result:
    """What was measured of one contender in one round."""

    seconds: float
    cpu: float
    memory: int
    at_once: int
    undisturbed: State
    killed: State
    again: int
    short: int


def table(case: Case, server: Server, names: list[str], rounds: int) -> None:
    """Measure, and print a line for each contender."""
    urls = case.build(server, case.urls)
    results: dict[str, list[Result]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            results[name].append(_measure(case, server, name, urls))
            print(f"  {name}: {results[name][-1]}", flush=True)
    print("\nrows: URLs without one / with two / lines that are none")
    print(
        f"{'':<40}{'s for ' + format(len(urls), ','):>14}{'CPU s/1000':>12}{'MB':>7}"
        f"{'one host':>10}{'rows':>24}{'rows, killed':>24}{'fetched again':>32}"
    )
    for name, found in results.items():
        about = "~" if case.most.get(name, len(urls)) < len(urls) else ""
        seconds = about + format(median(each.seconds for each in found), ",.0f")
        print(
            f"{name:<40}{seconds:>14}{median(each.cpu for each in found):>12.2f}"
            f"{median(each.memory for each in found) / 1e6:>7.0f}"
            f"{max(each.at_once for each in found):>10}"
            f"{_each(each.undisturbed for each in found):>24}"
            f"{_each(each.killed for each in found):>24}"
            f"{_each(f'{each.again} of {each.short}' for each in found):>32}"
        )


def _measure(case: Case, server: Server, name: str, urls: list[str]) -> Result:
    part = urls[: case.most.get(name, len(urls))]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        _write(folder, part)
        command = CONTENDERS[name](folder, case.timeout)
        server.answers()
        taken = run(command, folder, environment(name), server.in_flight, _LONGEST)
        assert taken.exit_code == 0, (folder / "log.txt").read_text(errors="replace")[-2000:]
        at_once = _most_at_once(server.answers())
    count = _SHORT.get(name, _SHORT_OTHERS)
    short = [server.url(n // 200 % 250, _LATENCY, n) for n in range(count)]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        _write(folder, short)
        before = _cpu()
        seconds = _start(name, folder, case.timeout, math.inf)
        cpu = _cpu() - before
        undisturbed = _look(folder, short)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        _write(folder, short)
        server.answers()
        _start(name, folder, case.timeout, seconds / 2)
        before = len(server.answers())
        _start(name, folder, case.timeout, math.inf)
        again = before + len(server.answers()) - len(short)
        killed = _look(folder, short)
    scale = len(urls) / len(part)
    return Result(
        taken.wall * scale, cpu / count * 1000, taken.memory, at_once, undisturbed,
        killed, again, count,
    )  # fmt: skip


def _write(folder: Path, urls: list[str]) -> None:
    (folder / "urls.txt").write_text("\n".join(urls) + "\n", encoding="utf-8")


def _start(name: str, folder: Path, timeout: int, kill_after: float) -> float:
    """Let a contender crawl, to its end or until it is killed; return the seconds."""
    command = [word if word != "-O" else "-o" for word in CONTENDERS[name](folder, timeout)]
    began = time.monotonic()
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(name),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            code = process.wait(min(kill_after, _LONGEST))
            assert code == 0, (folder / "log.txt").read_text(errors="replace")[-2000:]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            time.sleep(0.5)
    return time.monotonic() - began


def _cpu() -> float:
    """Return the seconds of all processes that were waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _look(folder: Path, urls: list[str]) -> State:
    """Compare the table with the list."""
    with (folder / "table.csv").open(newline="", errors="replace") as file:
        rows = list(csv.reader(file))
    header = rows[0]
    place, wanted = header.index("url"), set(urls)
    whole = Counter(
        row[place] for row in rows[1:] if len(row) == len(header) and row[place] in wanted
    )
    return State(
        lost=len(wanted) - len(whole),
        doubled=sum(count > 1 for count in whole.values()),
        broken=len(rows) - 1 - whole.total(),
    )


def _most_at_once(answers: list[Answer]) -> int:
    """Return how many requests one host had at a time, at most."""
    events = [(answer.begin, 1, answer.host) for answer in answers]
    events += [(answer.end, -1, answer.host) for answer in answers]
    now: Counter[str] = Counter()
    most = 0
    for _, change, host in sorted(events):
        now[host] += change
        most = max(most, now[host])
    return most


def _each(values: Iterable[object]) -> str:
    """Return the values of all rounds, once where they are the same."""
    return ", ".join(dict.fromkeys(map(str, values)))
