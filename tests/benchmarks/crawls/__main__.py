"""How fast is it, beside the scripts that it is to replace?

    .venv/bin/python tests/benchmarks/crawls                  # all six cases: an hour
    .venv/bin/python tests/benchmarks/crawls --only b --urls 5000 --rounds 3
    .venv/bin/python tests/benchmarks/crawls --only scripts --rounds 2    # half an hour

Same pages, same five fields, same columns, one run. CPU is that of the whole process tree, in
seconds per 1,000 URLs; ratios are those to asyncio with 1,000 requests at a time. Each contender
must write a row for each URL. A `~` stands before what was extrapolated from a part of the list.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import resource
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[3]))

import scripts
from cases import CASES, SCRIPTS, Case
from contenders import BASELINE, CONTENDERS, environment
from measure import Taken, run
from server import Server, serving

_LONGEST = 1800.0  # seconds of one contender; more is a mistake


def main() -> None:
    """Run the cases that are asked for, and print a table of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(CASES), help="cases, with commas")
    parser.add_argument("--urls", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=1, help="medians of so many runs, in turns")
    parser.add_argument("--contenders", default="", help="parts of their names, with commas")
    args = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    for name in args.only.split(","):
        case = CASES[name]
        case = replace(case, urls=args.urls or case.urls)
        wanted = [part for part in args.contenders.split(",") if part]
        names = [
            each
            for each in CONTENDERS
            if each in case.only and (not wanted or any(part in each for part in wanted))
        ]
        with serving(set(case.latencies), keeps_log=name == SCRIPTS) as server:
            print(
                f"\n({name}) {case.text}. {case.urls} URLs, served by {server.name}\n", flush=True
            )
            (scripts.table if name == SCRIPTS else _table)(case, server, names, args.rounds)


def _table(case: Case, server: Server, names: list[str], rounds: int) -> None:
    urls = case.build(server, case.urls)
    runs: dict[str, list[Taken]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            part = urls[: case.most.get(name, len(urls))]
            runs[name].append(_crawl(name, part, server, case.timeout))
    results = {name: _medians(taken) for name, taken in runs.items()}
    if case.slowest is not None:
        alone = [url for url in urls if url.startswith(server.url(case.slowest, "", 0)[:-2])]
        for name in [name for name in names if name.startswith("urlcrawler")]:
            results[f"{name}: the slowest host alone"] = _crawl(name, alone, server, case.timeout)
    base = results.get(BASELINE)
    print(
        f"{'':<46}{'CPU s/1000':>11}{'':>7}{'wall s':>10}{'':>7}{'memory MB':>11}{'in flight':>11}"
    )
    for name, taken in results.items():
        count = len(urls)
        most = case.most.get(name, count)
        if name.endswith("alone"):
            most = count = len(alone)
        cpu, wall = taken.cpu / most * 1000, taken.wall * count / most
        ratios = ("", "")
        if base and not name.endswith("alone"):
            ratios = (f"{cpu / (base.cpu / len(urls) * 1000):.2f}", f"{wall / base.wall:.2f}")
        about = "~" if most < count else ""
        print(
            f"{name:<46}{cpu:>11.2f}{ratios[0]:>7}{about + format(wall, '.1f'):>10}{ratios[1]:>7}"
            f"{taken.memory / 1e6:>11.0f}{taken.in_flight:>11}",
            flush=True,
        )


def _crawl(name: str, urls: list[str], server: Server, timeout: int) -> Taken:
    """Let a contender crawl *urls*, and count its rows.

    Raises:
        AssertionError: a URL has no row, or more than one.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "urls.txt").write_text("\n".join(urls) + "\n", encoding="utf-8")
        command = CONTENDERS[name](folder, timeout)
        taken = run(command, folder, environment(name), server.in_flight, _LONGEST)
        log = (folder / "log.txt").read_text(errors="replace")[-2000:]
        assert taken.exit_code == 0, f"{name}: exit code {taken.exit_code}\n{log}"
        with (folder / "table.csv").open(newline="") as table:
            rows = sorted(row["url"] for row in csv.DictReader(table))
        assert rows == sorted(urls), f"{name}: {len(rows)} rows for {len(urls)} URLs\n{log}"
        return taken


def _medians(runs: list[Taken]) -> Taken:
    return Taken(
        median(taken.wall for taken in runs),
        median(taken.cpu for taken in runs),
        int(median(taken.memory for taken in runs)),
        int(median(taken.in_flight for taken in runs)),
        0,
    )


if __name__ == "__main__":
    main()
