"""The figures of a report, from tables as crawls write them."""

import csv
import json
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pytest

from urlcrawler.extensions.usage import COLUMNS
from urlcrawler.items import Page
from urlcrawler.output.rows import Table
from urlcrawler.output.tables import FORMATS
from urlcrawler.report.figures import Figures, figures
from urlcrawler.report.hosts import LARGEST, WORST
from urlcrawler.report.positions import positions
from urlcrawler.report.reading import read_table
from urlcrawler.report.timing import latency, throughput
from urlcrawler.report.wording import percent, seconds


def figures_of(path: Path, pages: Iterable[Page], *columns: str) -> Figures:
    """Write a table and return its figures."""
    table = Table(list(columns))
    format_ = FORMATS[path.suffix[1:]](table.columns)
    rows = (format_.encode(table.row(page)) for page in pages)
    path.write_bytes(format_.header() + b"".join(rows))
    read = read_table(str(path))
    try:
        return figures(read)
    finally:
        read.close()


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([1, 2, 3], ["Each of the positions 1 to 3 has exactly one row."]),
        ([3, 1, 2], ["Each of the positions 1 to 3 has exactly one row."]),
        ([2], ["1 of the positions 1 to 2 has no row: 1."]),
        ([1, 1, 2, 2], ["2 positions have more than one row: 1, 2."]),
        (
            [1, 4, 4, 1_000_000],
            [
                "999,997 of the positions 1 to 1,000,000 have no row: 2 to 3, 5 to 999,999.",
                "1 position has more than one row: 4.",
            ],
        ),
        ([], ["The table has no row yet."]),
    ],
)
def test_each_position_is_counted_once(found: list[int], said: list[str]) -> None:
    """In whatever order the rows are, and however large a position is."""
    assert positions(pd.Series(found, dtype="int64")).sentences() == said


def test_only_the_first_gaps_are_named() -> None:
    """Of a table with a hole at every other place the rest is a number."""
    (said,) = positions(pd.Series(range(2, 101, 2))).sentences()
    assert said.startswith("50 of the positions 1 to 100 have no row: 1, 3, 5,")
    assert said.endswith("39 and 30 more.")


@pytest.mark.parametrize(
    ("span", "width", "bins"), [(0, 1, 1), (59, 1, 60), (60, 2, 31), (864_000, 21_600, 41)]
)
def test_rows_over_time_fit_into_a_picture(span: int, width: int, bins: int) -> None:
    """A crawl of seconds, and one of ten days."""
    fetched = pd.Series([1_700_000_000_000, 1_700_000_000_000 + 1000 * span, -1])
    found = throughput(fetched, pd.Series([True, False, True]))
    assert found is not None
    assert (found.width, len(found.ok)) == (width, bins)
    assert (sum(found.ok), sum(found.other)) == (1, 1)
    assert found.began == "2023-11-14T22:13:20+00:00"


def test_a_table_that_went_on_after_years_still_fits() -> None:
    """The bins are as wide as they must be."""
    found = throughput(pd.Series([0, 7 * 10**12]), pd.Series([True, True]))
    assert found is not None
    assert len(found.ok) <= 62


def test_latencies_are_counted_however_long_they_are() -> None:
    """None falls out of the picture, and those that are not known are none."""
    found = latency(pd.Series([0.0, 0.5, 0.5, 5000.0, None], dtype="float32"))
    assert found is not None
    assert (found.rows, found.p50, sum(found.counts)) == (4, 0.5, 4)
    assert len(found.edges) == len(found.counts) + 1
    assert latency(pd.Series([None], dtype="float32")) is None


def test_of_many_hosts_the_largest_and_the_worst_are_listed(tmp_path: Path) -> None:
    """A small host that only fails is not overlooked; the number of all is said."""

    def rows() -> Iterable[Page]:
        for host in range(LARGEST + 100):
            for number in range(2 if host < LARGEST else 1):
                yield Page(1, f"https://h{host}.com/{number}", "ok")
        for host in range(WORST + 5):
            yield Page(1, f"https://bad{host}.com/").fail("dns", "a reason")

    found = figures_of(tmp_path / "table.csv", rows()).hosts
    assert found.count == LARGEST + 100 + WORST + 5
    assert len([host for host in found.listed if host.rows == 2]) == LARGEST
    assert len([host for host in found.listed if host.errors]) == WORST
    assert len(found.listed) == LARGEST + WORST


def test_the_lines_of_a_host_are_added_up(tmp_path: Path) -> None:
    """A crawl that was resumed has left one for each run; the file may hold more than ours."""
    path = tmp_path / "table.csv"
    with (tmp_path / ".table.csv.hosts.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        line = dict.fromkeys(COLUMNS) | {"host": "a.com", "requests": 1, "ok": 1}
        writer.writerow(line | {"paused": 1.5, "refused": 2, "highest": 8})
        writer.writerow(line | {"paused": 2.5, "refused": 1, "highest": 3, "given_up": "refused"})
        writer.writerow(line | {"paused": "torn"})
    (host,) = figures_of(path, [Page(1, "http://a.com/")]).hosts.listed
    assert host.throttled is not None
    assert (host.throttled.paused, host.throttled.refused) == (4.0, 3)
    assert (host.throttled.highest, host.throttled.given_up) == (8, "refused")


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_value_is_what_is_not_empty(tmp_path: Path, suffix: str) -> None:
    """Nothing, an empty text, list or object is none; 0 and false are values."""
    values = (None, "", [], {}, 0, False, "x", ["x"])
    pages = [Page(n, "http://a.com/", "ok", columns={"f": v}) for n, v in enumerate(values, 1)]
    pages += [Page(9, "http://a.com/", "failed", columns={"f": "x"})]
    column = figures_of(tmp_path / f"table.{suffix}", pages, "f").coverage[0]
    assert (column.column, column.filled, column.share) == ("f", 4, 0.5)


def test_fields_are_told_from_columns_of_the_list_by_the_stats(tmp_path: Path) -> None:
    """The table alone does not say which is which."""
    page = Page(1, "http://a.com/", "ok", columns={"price": "1", "shop": "x"})
    path = tmp_path / "table.csv"
    kinds = [column.kind for column in figures_of(path, [page], "price", "shop").coverage]
    assert kinds[:3] == ["own", "own", "metadata"]
    stats = json.dumps({"fields/price/found": 1})
    (tmp_path / ".table.csv.stats.json").write_text(stats, encoding="utf-8")
    kinds = [column.kind for column in figures_of(path, [page], "price", "shop").coverage]
    assert kinds[:3] == ["field", "list", "metadata"]


def test_the_table_of_a_shard_is_known_by_its_name(tmp_path: Path) -> None:
    """It lacks what is in the others, and nothing is wrong with that."""
    found = figures_of(tmp_path / "urls.3-of-16.csv", [Page(7, "http://a.com/")])
    assert "this is shard 3 of 16" in found.notes[0]


@pytest.mark.parametrize(
    ("share", "shown"),
    [(None, "-"), (0, "0.0%"), (1e-9, "0.1%"), (0.99999, "99.9%"), (1, "100.0%")],
)
def test_only_all_is_a_hundred_percent(share: float | None, shown: str) -> None:
    """One error in a million rows is to be seen."""
    assert percent(share) == shown


def test_seconds_have_as_many_digits_as_matter() -> None:
    """Three, and no fractions of minutes."""
    assert [seconds(value) for value in (None, 0.1234, 12345.6)] == ["-", "0.123 s", "12,346 s"]
