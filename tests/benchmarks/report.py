"""A report on a long table: time and memory.

    python tests/benchmarks/report.py             1 million rows
    python tests/benchmarks/report.py 100000      so many

Per format the figures alone, and with the page and an earlier table. Each is a process of its own,
and the rows that it has counted are compared with those that were written.
"""

import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

from urlcrawler.output.rows import Table

ROWS = 1_000_000
HOSTS = 5_000
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = ("price", "text")  # of the list, after ours
CHILDREN = resource.RUSAGE_CHILDREN


def write(folder: Path, rows: int) -> None:
    """Write a table in each format, and an earlier one.

    Nothing is kept in memory: a child's peak includes what its parent had when it was started.
    """
    columns = Table(list(COLUMNS)).columns
    with (
        (folder / "table.csv").open("w", newline="") as csv_file,
        (folder / "table.jsonl").open("w") as json_file,
        (folder / "earlier.csv").open("w", newline="") as earlier_file,
    ):
        writers = [csv.DictWriter(file, columns) for file in (csv_file, earlier_file)]
        for writer in writers:
            writer.writeheader()
        for position in range(1, rows + 1):
            row = dict.fromkeys(columns) | a_row(position)
            writers[0].writerow(row)
            json_file.write(json.dumps(row) + "\n")
            writers[1].writerow(row | {"outcome": "failed"} if position % 100 == 0 else row)


def a_row(position: int) -> dict[str, object]:
    """Return a row such as a crawl writes: every tenth is an error."""
    url = f"https://www.host-{position * 7919 % HOSTS}.example.com/path/page-{position}.html"
    row: dict[str, object] = {
        "position": position,
        "url": url,
        "outcome": "ok",
        "status": 200,
        "final_url": url,
        "redirects": 0,
        "attempts": 1,
        "fetched_at": (BEGAN + timedelta(seconds=position / 50)).isoformat(timespec="milliseconds"),
        "elapsed": position % 997 / 500,
        "content_type": "text/html",
        "encoding": "utf-8",
        "bytes": 20480,
        "body_hash": f"{position:032x}",
        "title": f'Page {position}, "the best"',
        "description": "What the page says that it is about, " * 3,
        "price": position % 100 or None,
        "text": "A long text of the page. " * 10,
    }
    if position % 10 == 0:
        row |= {"outcome": "http_error", "status": 404, "error": "http-4xx", "title": None}
    return row


def report(folder: Path, rows: int, *words: str) -> str:
    """Run the command, check what it has counted, and return the line of figures."""
    command = [sys.executable, "-m", "scrapy", "report", "--json", *words]
    environment = {**os.environ, "SCRAPY_SETTINGS_MODULE": "urlcrawler.settings"}
    before, began = resource.getrusage(CHILDREN), monotonic()
    stdout = subprocess.run(
        command, cwd=folder, env=environment, check=True, capture_output=True, text=True
    ).stdout
    seconds, after = monotonic() - began, resource.getrusage(CHILDREN)
    worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    found = json.loads(stdout)
    assert found["rows"] == rows
    assert found["outcomes"] == {"ok": rows - rows // 10, "http_error": rows // 10}
    assert found["positions"]["highest"] == rows
    assert found["positions"]["missing"] == 0
    if "--against" in words:
        assert found["changes"]["moved"][0]["urls"] == rows // 100
    return f"{seconds:6.1f} s  {worked / rows * 1e6:5.1f} us CPU a row  {peak_mb():5.0f} MB so far"


def peak_mb() -> float:
    """Return the most memory that any of the reports so far has held."""
    peak = resource.getrusage(CHILDREN).ru_maxrss
    return peak / 1024 / (1024 if sys.platform == "darwin" else 1)


def main() -> None:
    """Measure both formats."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, rows)
        size = (folder / "table.csv").stat().st_size / 1e6
        print(f"{rows:>9} rows on {HOSTS} hosts, {size:.0f} MB of CSV")
        for what, words in (
            ("CSV", ("table.csv",)),
            ("CSV with page", ("table.csv", "--html", "report.html")),
            ("JSON Lines with page", ("table.jsonl", "--html", "report.html")),
            ("CSV with page, against", ("table.csv", "--html", "report.html", "--against",
                                        "earlier.csv")),
        ):  # fmt: skip
            print(f"{what:<24} {report(folder, rows, *words)}", flush=True)


if __name__ == "__main__":
    main()
