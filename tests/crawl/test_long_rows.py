"""Rows of one megabyte: a column of the list that is carried into the table."""

import csv
import json
import os
import sys
from pathlib import Path

import pytest
from crawling import Crawl, SiteProcess, read_table, run_scrapy
from faults import SHORT

MEGABYTE = 1_000_000


def resume(folder: Path, table: str, *words: str) -> Crawl:
    words = ("-a", "file=list.csv", "-o", table, *words)
    return run_scrapy(folder, "crawl", "urls", *words, table="not read")


@pytest.mark.parametrize("name", [pytest.param("table.csv", marks=pytest.mark.long), "table.jsonl"])
def test_rows_of_a_megabyte_are_torn_and_completed(
    tmp_path: Path, site: SiteProcess, name: str
) -> None:
    """Half a row that cannot be taken back, then a cut in the midst of one: nothing is missing."""
    csv.field_size_limit(sys.maxsize)  # the reader of the standard library refuses such cells
    notes = [(f'{n}, "é"\n' + "x" * 990) * (MEGABYTE // 1000) for n in range(8)]
    with (tmp_path / "list.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["url", "note"])
        writer.writerows([site.url(f"/page/{n}"), note] for n, note in enumerate(notes))
    table = tmp_path / name
    addon = json.dumps({"faults.Faulty": 0})
    faults = f"pwrite:6:{SHORT},ftruncate:2:EIO"
    failed = resume(tmp_path, name, "-s", f"ADDONS={addon}", "-s", f"FAULTS={faults}")
    assert failed.exit_code == 4
    assert "the last row may be torn" in failed.log
    assert table.stat().st_size > 4 * MEGABYTE
    stopped = resume(tmp_path, name, "-s", "CLOSESPIDER_ITEMCOUNT=1", "-s", "CONCURRENT_REQUESTS=1")
    assert "bytes of a row that was not finished are taken away" in stopped.log
    os.truncate(table, table.stat().st_size - MEGABYTE // 3)
    completed = resume(tmp_path, name)
    assert "bytes of a row that was not finished are taken away" in completed.log
    assert completed.exit_code == 0
    assert [row["note"] for row in read_table(table)] == notes
