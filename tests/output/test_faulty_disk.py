"""Tables on disks that fail, at each of the first hundred calls and at any size."""

import csv
import errno
import json
import os
import resource
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from faults import SHORT, failing

from urlcrawler.exceptions import OutputError
from urlcrawler.items import Page
from urlcrawler.output import ordering
from urlcrawler.output.ordering import put_in_order
from urlcrawler.output.rows import Table
from urlcrawler.output.tablefile import TableFile
from urlcrawler.output.tables import FORMATS, Format

TABLE = Table(["note"])
ERRORS = ("ENOSPC", "EIO", "EROFS")
FAULTS = [("pwrite", SHORT), *((call, how) for call in ("pwrite", "fsync") for how in ERRORS)]
pytestmark = pytest.mark.parametrize("name", ["csv", "jsonl"])


def rows(count: int) -> list[Any]:
    pages = [Page(n, f"http://a.com/{n}", "ok", 200) for n in range(1, count + 1)]
    for page in pages:
        page.columns = {"note": f'{page.position}, "b"\n' * (page.position % 7)}
    return [TABLE.row(page) for page in pages]


ROWS = rows(99)


@pytest.fixture
def format_(name: str) -> Format:
    return FORMATS[name](TABLE.columns)


@pytest.fixture
def whole(format_: Format) -> bytes:
    return b"".join([format_.header(), *map(format_.encode, ROWS)])


@contextmanager
def disk(*faults: tuple[str, int, str]) -> Iterator[None]:
    """A disk that fails as told. Nothing is made durable: that takes long and cannot be seen."""
    with ExitStack() as patches:
        patches.enter_context(mock.patch.object(os, "fsync"))
        patches.enter_context(mock.patch("urlcrawler.output.tablefile._SYNC_SECONDS", 0))
        for call, nth, how in faults:
            broken = failing(getattr(os, call), nth, how)
            patches.enter_context(mock.patch.object(os, call, broken))
        yield


@contextmanager
def room(size: int) -> Iterator[None]:
    """Files may become *size* bytes long: a write across the end falls short, the next fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def crawl(path: Path, format_: Format) -> tuple[set[int], Exception | None]:
    """Write the rows that the table has not; return which count as written, and what failed.

    An OutputError has struck before the first of them.
    """
    table = TableFile(path, format_)
    done: set[int] = set()
    table.on_failure = lambda lost: done.difference_update(lost)
    try:
        for line in table.lines():
            done.add(line.position)
        for row in ROWS:
            if row["position"] not in done:
                table.add(row, lambda row=row: done.add(row["position"]))  # type: ignore[misc]
    except OutputError as error:
        return done, error
    finally:
        table.close()
    return done, table.failure


def independently(path: Path) -> list[dict[str, Any]]:
    """Return the rows as a reader of somebody else's sees them."""
    with path.open(encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            return list(csv.DictReader(file, strict=True))
        return [json.loads(line) for line in file]


def check_whole(path: Path, whole: bytes, done: set[int]) -> None:
    """The table holds the first rows of the list, each whole, and those count as written."""
    assert whole.startswith(path.read_bytes())
    found = [int(row["position"]) for row in independently(path)]
    assert found == list(range(1, len(found) + 1))
    assert done == set(found)


@pytest.mark.parametrize(("call", "how"), FAULTS)
def test_any_call_that_fails_leaves_whole_rows_and_is_made_up_for(
    tmp_path: Path, name: str, format_: Format, whole: bytes, call: str, how: str
) -> None:
    """N = 1 to 100: what counts as written is there, nothing else; the next run completes it."""
    for nth in range(1, 101):
        path = tmp_path / f"{nth}.{name}"
        with disk((call, nth, how)):
            done, failure = crawl(path, format_)
        assert failure or (nth == 1 and not format_.header())  # half of nothing is whole
        assert (nth == 1 or (call, nth) == ("fsync", 2)) >= isinstance(failure, OutputError)
        check_whole(path, whole, done)
        with disk():
            assert crawl(path, format_)[1] is None
        assert path.read_bytes() == whole


@pytest.mark.parametrize("how", ERRORS)
def test_a_row_that_cannot_be_taken_back_is_cut_by_the_next_run(
    tmp_path: Path, name: str, format_: Format, whole: bytes, how: str
) -> None:
    """Writing falls short at each N, and ftruncate fails as well: a torn row stays, for now."""
    for nth in range(2, 101):
        path = tmp_path / f"{nth}.{name}"
        with disk(("pwrite", nth, SHORT), ("ftruncate", 2, how)):
            done, failure = crawl(path, format_)
        assert failure
        assert len(done) == nth - 2
        torn = path.read_bytes()
        assert whole.startswith(torn)
        assert not torn.endswith(b"\n") or torn.count(b"\n") > len(done)
        with disk():
            crawl(path, format_)
        assert path.read_bytes() == whole


@pytest.mark.parametrize("how", ERRORS)
def test_what_earlier_runs_have_made_durable_is_never_taken_back(
    tmp_path: Path, name: str, format_: Format, whole: bytes, how: str
) -> None:
    """A failed fsync of a run that goes on costs rows of this run only."""
    half = len(format_.header()) + sum(len(format_.encode(row)) for row in ROWS[:50])
    for nth in range(1, 5):
        path = tmp_path / f"{nth}.{name}"
        path.write_bytes(whole[:half])
        with disk(("fsync", nth, how)):
            done, failure = crawl(path, format_)
        assert isinstance(failure, OutputError) == (nth == 1)
        assert path.stat().st_size >= half
        check_whole(path, whole, done)


def test_a_table_that_may_not_grow_holds_the_rows_that_fit(
    tmp_path: Path, name: str, format_: Format, whole: bytes
) -> None:
    """With the system's own short writes, at every byte of the header and of the first rows."""
    first = len(format_.header())
    for size in range(first + 600):
        path = tmp_path / f"{size}.{name}"
        with room(size), disk():
            done, failure = crawl(path, format_)
        assert isinstance(failure, OutputError if size < first else OSError)
        assert size < first or size - path.stat().st_size < len(format_.encode(ROWS[len(done)]))
        check_whole(path, whole, done)
        with disk():
            crawl(path, format_)
        assert path.read_bytes() == whole


@pytest.mark.parametrize("run", [1, pytest.param(600, marks=pytest.mark.long), 1 << 20])
def test_a_table_is_in_order_or_as_it_was_whatever_room_there_is(
    tmp_path: Path, name: str, format_: Format, whole: bytes, run: int
) -> None:
    """No room for the sorted runs, or for the copy; nothing is left beside the table."""
    path = tmp_path / f"table.{name}"
    shuffled = format_.header() + b"".join(map(format_.encode, ROWS[::-1]))
    ordered = 0
    for size in range(0, len(whole) + 4000, 97):
        path.write_bytes(shuffled)
        buffers = mock.patch.multiple(ordering, _WRITE=512, _RUN=run)
        with room(size), disk(), buffers:
            try:
                put_in_order(path, format_, rows=len(ROWS))
                ordered += 1
            except OSError:
                assert path.read_bytes() == shuffled
            else:
                assert path.read_bytes() == whole
        assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert ordered > 1


def test_what_a_killed_sort_has_left_takes_no_room(
    tmp_path: Path, name: str, format_: Format, whole: bytes
) -> None:
    """A copy as large as the table would keep the next run from sorting on a small disk."""
    path, left = tmp_path / f"table.{name}", tmp_path / f".table.{name}.ordered"
    path.write_bytes(whole)
    left.write_bytes(whole[:-7])
    with room(0), disk(), pytest.raises(OSError, match="File too large"):
        put_in_order(path, format_, rows=len(ROWS))
    assert not left.exists()


@pytest.mark.parametrize("how", ERRORS)
@pytest.mark.parametrize(
    ("faults", "changed"),
    [
        (["fsync:1"], False),
        (["replace:1"], False),
        (["replace:1", "unlink:2"], False),
        (["fsync:2"], True),  # of the folder: the table is in order, though perhaps not for long
    ],
)
def test_a_table_whose_copy_cannot_take_its_place_is_put_in_order_by_the_next_run(
    tmp_path: Path, name: str, format_: Format, whole: bytes, faults: list[str], changed: bool,
    how: str,
) -> None:  # fmt: skip
    """The first error is the one that is told; a copy that cannot be removed is used again."""
    path = tmp_path / f"table.{name}"
    shuffled = format_.header() + b"".join(map(format_.encode, ROWS[::-1]))
    path.write_bytes(shuffled)
    some = [(call, int(nth)) for call, nth in (fault.split(":") for fault in faults)]
    ways = [(call, nth, "EACCES" if call == "unlink" else how) for call, nth in some]
    with disk(*ways), pytest.raises(OSError, match=os.strerror(getattr(errno, how))):
        put_in_order(path, format_, rows=len(ROWS))
    assert path.read_bytes() == (whole if changed else shuffled)
    with disk():
        put_in_order(path, format_, rows=len(ROWS))
    assert path.read_bytes() == whole
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
