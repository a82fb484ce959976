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
import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic

from urlcrawler.items import OWN_COLUMNS

ROWS = 1_000_000
CHILDREN = resource.RUSAGE_CHILDREN


def write(folder: Path, rows: int) -> None:
    """Write the list, and for each format its table in order and out of it."""
    order = list(range(1, rows + 1))
    urls = [f"https://www.host-{n % 1000}.example.com/path/page-{n}.html" for n in order]
    (folder / "urls.txt").write_text("\n".join(urls) + "\n")
    for name in ("ordered", "shuffled"):
        with (
            (folder / f"{name}.csv").open("w", newline="") as csv_file,
            (folder / f"{name}.jsonl").open("w") as json_file,
        ):
            writer = csv.DictWriter(csv_file, OWN_COLUMNS)
            writer.writeheader()
            for position in order:
                row = a_row(position, urls[position - 1])
                writer.writerow(row)
                json_file.write(json.dumps(row) + "\n")
        random.Random(1).shuffle(order)  # noqa: S311 - not a secret


def a_row(position: int, url: str) -> dict[str, object]:
    """Return a row such as a crawl writes."""
    found = {
        "position": position,
        "url": url,
        "outcome": "ok",
        "status": 200,
        "final_url": url,
        "redirects": 0,
        "attempts": 1,
        "fetched_at": "2026-01-01T00:00:00.000+00:00",
        "elapsed": 0.25,
        "content_type": "text/html",
        "encoding": "utf-8",
        "bytes": 20480,
        "title": f'Page {position}, "the best"',
    }
    return dict.fromkeys(OWN_COLUMNS) | found


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
    positions = [position_of(line) for line in (folder / table).open() if line[0] in "{123456789"]
    assert positions == list(range(1, rows + 1))
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
