"""N in = N out, checked without a line of the project's own code."""

import csv
import gzip
import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq


@dataclass
class Report:
    """What came out of a crawl.

    Attributes:
        kills: number of interruptions, by way.
        lost, doubled, torn, headers: faults of the table.
        in_order: whether the rows are in the order of the list.
        again: pages that were requested more often than necessary.
        allowed: how often that may be: the requests under way at each kill, and the rows cut.
    """

    kills: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    doubled: int = 0
    torn: int = 0
    headers: int = 1
    in_order: bool = True
    again: int = 0
    allowed: int = 0

    @property
    def is_clean(self) -> bool:
        whole = not (self.lost or self.doubled or self.torn) and self.headers == 1
        return whole and self.in_order and self.again <= self.allowed


def rows_of(table: Path) -> tuple[int, int, list[tuple[int, str]]]:
    """Return the number of headers, of torn rows, and position and URL of each whole row."""
    if table.suffix == ".csv":
        with table.open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        whole = [row for row in rows if len(row) == len(header) and row[0].isdecimal()]
        headers = 1 + sum(row == header for row in rows)
        return headers, len(rows) - len(whole), [(int(row[0]), row[1]) for row in whole]
    if table.suffix == ".parquet":
        columns = pq.read_table(table, columns=["position", "url"]).to_pydict()
        return 1, 0, [*zip(columns["position"], columns["url"], strict=True)]
    if table.suffix == ".sqlite":
        with closing(sqlite3.connect(table)) as database:
            query = "SELECT position, url FROM results ORDER BY position"
            return 1, 0, database.execute(query).fetchall()
    data = table.read_bytes()
    lines = (gzip.decompress(data) if table.suffix == ".gz" else data).splitlines()
    return 1, 0, [(row["position"], row["url"]) for row in map(json.loads, lines)]


def check(table: Path, urls: list[str]) -> Report:
    """Compare the table with the list."""
    headers, torn, found = rows_of(table)
    counts, wanted = Counter(found), list(enumerate(urls, 1))
    return Report(
        lost=sum(pair not in counts for pair in wanted),
        doubled=sum(count - 1 for count in counts.values()),
        torn=torn + sum(pair not in set(wanted) for pair in counts),
        headers=headers,
        in_order=found == sorted(found),
    )
