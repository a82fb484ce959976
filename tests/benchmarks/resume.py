"""Running a command again on a long table: time and memory.

    python tests/benchmarks/resume.py             1 million rows
    python tests/benchmarks/resume.py 100000      so many

Per format a complete table without the file that binds it to its list (every row is compared with
its record), with it, and one whose rows are not in order yet. Each is a process of its own, and the
rows are counted afterwards.
"""

import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic

from urlcrawler.output.rows import Table

ROWS = 1_000_000
PRIME = 7_919  # shares no factor with the number of rows, so each comes once
CHILDREN = resource.RUSAGE_CHILDREN


def write(folder: Path, rows: int) -> None:
    """Write the list, and for each format its table in order and out of it.

    Nothing is kept in memory: a child's peak includes what its parent had when it was started.
    """
    with (folder / "urls.txt").open("w") as file:
        file.writelines(f"{url_of(position)}\n" for position in range(1, rows + 1))
    for name, step in (("ordered", 1), ("shuffled", PRIME)):
        with (
            (folder / f"{name}.csv").open("w", newline="") as csv_file,
            (folder / f"{name}.jsonl").open("w") as json_file,
        ):
            writer = csv.DictWriter(csv_file, Table([]).columns)
            writer.writeheader()
            for number in range(rows):
                row = a_row(1 + number * step % rows)
                writer.writerow(row)
                json_file.write(json.dumps(row) + "\n")


def url_of(position: int) -> str:
    return f"https://www.host-{position % 1000}.example.com/path/page-{position}.html"


def a_row(position: int) -> dict[str, object]:
    """Return a row such as a crawl writes."""
    found = {
        "position": position,
        "url": url_of(position),
        "outcome": "ok",
        "status": 200,
        "final_url": url_of(position),
        "redirects": 0,
        "attempts": 1,
        "fetched_at": "2026-01-01T00:00:00.000+00:00",
        "elapsed": 0.25,
        "content_type": "text/html",
        "encoding": "utf-8",
        "bytes": 20480,
        "title": f'Page {position}, "the best"',
    }
    return dict.fromkeys(Table([]).columns) | found


def resume(folder: Path, table: str, rows: int) -> str:
    """Run the command on a table, check what is left of it, and return the line of figures."""
    command = [sys.executable, "-m", "scrapy", "crawl", "urls", "-a", "file=urls.txt", "-o", table]
    environment = {**os.environ, "SCRAPY_SETTINGS_MODULE": "urlcrawler.settings"}
    before, began = resource.getrusage(CHILDREN), monotonic()
    log = subprocess.run(
        command, cwd=folder, env=environment, check=True, capture_output=True, text=True
    ).stderr
    seconds, after = monotonic() - began, resource.getrusage(CHILDREN)
    worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert f"{rows} of {rows} records have their row. 0 pages" in log, log
    with (folder / table).open() as file:
        positions = (position_of(line) for line in file if not line.startswith("position"))
        for position, wanted in zip(positions, range(1, rows + 1), strict=True):
            assert position == wanted
    return f"{seconds:6.1f} s  {worked / rows * 1e6:5.1f} us CPU a row"


def position_of(line: str) -> int:
    return int(line.split(",", 1)[0].removeprefix('{"position": '))


def peak_mb() -> float:
    """Return the most memory that any of the crawls so far has held."""
    peak = resource.getrusage(CHILDREN).ru_maxrss
    return peak / 1024 / (1024 if sys.platform == "darwin" else 1)


def main() -> None:
    """Measure every kind of table."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, rows)
        for suffix in ("csv", "jsonl"):
            for what, table in (
                ("first time", f"ordered.{suffix}"),
                ("again", f"ordered.{suffix}"),
                ("to be put in order", f"shuffled.{suffix}"),
            ):
                line = resume(folder, table, rows)
                print(f"{rows:>9} rows, {suffix:<6} {what:<19} {line}", flush=True)
        print(f"{peak_mb():.0f} MB at most, of which Python and Scrapy hold about 60")


if __name__ == "__main__":
    main()
