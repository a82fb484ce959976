"""Tables on disk: torn tails, disks that fail, and the order of the list."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urlcrawler.exceptions import OutputError
from urlcrawler.items import OWN_COLUMNS, Page
from urlcrawler.output import ordering
from urlcrawler.output.cells import clean
from urlcrawler.output.ordering import put_in_order
from urlcrawler.output.rows import Table
from urlcrawler.output.tablefile import TableFile
from urlcrawler.output.tables import FORMATS, Format

TABLE = Table(["note"])


def rows(count: int, note: str = 'a, "b"\nc') -> list[Any]:
    pages = [Page(n, f"http://a.com/{n}", "ok", 200) for n in range(1, count + 1)]
    for page in pages:
        page.columns = {"note": note}
    return [TABLE.row(page) for page in pages]


@pytest.fixture(params=["csv", "jsonl"])
def format_(request: pytest.FixtureRequest) -> Format:
    return FORMATS[request.param](TABLE.columns)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "table"


def write(path: Path, format_: Format, some: list[Any]) -> list[int]:
    """Write rows as a crawl does; return the positions that count as written."""
    written: list[int] = []
    table = TableFile(path, format_)
    assert list(table.lines()) == []
    for row in some:
        table.add(row, lambda row=row: written.append(row["position"]))  # type: ignore[misc]
    table.close()
    return written


def positions(path: Path, format_: Format) -> list[int]:
    table = TableFile(path, format_)
    try:
        return [line.position for line in table.lines()]
    finally:
        table.release()


def test_a_table_torn_at_any_byte_of_its_last_rows_is_cut_to_whole_ones(
    path: Path, format_: Format
) -> None:
    """Every byte of the last two rows, line breaks inside cells included."""
    some = rows(6)
    write(path, format_, some)
    whole = path.read_bytes()
    ends = [len(whole) - len(format_.encode(row)) for row in some[-2:]]
    before = len(whole) - sum(len(format_.encode(row)) for row in some[-2:])
    for size in range(before, len(whole)):
        path.write_bytes(whole[:size])
        complete = 4 if size < ends[1] else 5
        assert positions(path, format_) == list(range(1, complete + 1)), size
        assert path.read_bytes() == b"".join(
            [format_.header(), *map(format_.encode, some[:complete])]
        )


@pytest.mark.parametrize(
    "tail", [b"\0" * 4096, b'"', b"7,", b"\xff\xfe{", b"7," * 4, b'{"position": 7', b"\n\n\n"]
)
def test_what_a_power_cut_leaves_behind_the_rows_is_taken_away(
    path: Path, format_: Format, tail: bytes
) -> None:
    """Zeros, halves of rows and noise: the rows before them stay."""
    write(path, format_, rows(3))
    whole = path.read_bytes()
    path.write_bytes(whole + tail)
    assert positions(path, format_) == [1, 2, 3]
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "tail",
    [
        b"my notes about these pages",
        b"1.0,http://a.com/1,ok,200,,,,,,,,,,,,,\n2.0,http://a.com/2,ok,200,,,,,,,,,,,,,\n",
        b'7,"a row, and\nits end"\nand more of somebody\'s own',
        b'{"position": 7, "mine": "treasure"}',
        b'{"position": 7, "url": "http://a.com/7"}\n',
    ],
)
def test_text_of_somebody_s_own_behind_the_rows_is_refused(
    path: Path, format_: Format, tail: bytes
) -> None:
    """No crawl can have left it, so taking it away might cost somebody's work."""
    write(path, format_, rows(3))
    whole = path.read_bytes()
    path.write_bytes(whole + tail)
    with pytest.raises(OutputError, match=f"what begins at byte {len(whole)} is no row of a crawl"):
        positions(path, format_)
    assert path.read_bytes() == whole + tail


@pytest.mark.parametrize("size", [1, 100, 1 << 25])
def test_a_row_of_any_size_is_read_again(path: Path, format_: Format, size: int) -> None:
    """Line breaks in it make no difference."""
    some = rows(3)
    some[1]["note"] = "line\n" * (size // 5)
    write(path, format_, some)
    assert positions(path, format_) == [1, 2, 3]


@pytest.mark.parametrize("how", ["replaced", "removed"])
def test_a_table_that_is_replaced_meanwhile_is_written_no_more(
    path: Path, format_: Format, how: str
) -> None:
    """An editor that saves by renaming leaves the crawl with a file that nobody sees."""
    table = TableFile(path, format_)
    assert list(table.lines()) == []
    table.add(rows(1)[0], lambda: None)
    if how == "replaced":
        path.with_name("other").write_bytes(path.read_bytes())
        path.with_name("other").replace(path)
    else:
        path.unlink()
    table.try_sync()
    assert table.failure
    assert "replaced or removed" in str(table.failure)
    table.close()


def test_a_table_and_a_link_to_it_are_one(path: Path, format_: Format) -> None:
    """One lock, one order: the link stays a link."""
    link = path.with_name("link")
    link.symlink_to(path)
    write(path, format_, rows(5)[::-1])
    table = TableFile(link, format_)
    with pytest.raises(OutputError, match="another crawl is writing it"):
        TableFile(path, format_)
    table.release()
    put_in_order(link, format_, rows=5)
    assert link.is_symlink()
    assert positions(path, format_) == [1, 2, 3, 4, 5]


def test_a_table_keeps_its_permissions_when_it_is_put_in_order(path: Path, format_: Format) -> None:
    """A table that only its owner may read stays one."""
    write(path, format_, rows(5)[::-1])
    path.chmod(0o600)
    put_in_order(path, format_, rows=5)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_table_with_fewer_rows_than_records_is_not_put_in_order(
    path: Path, format_: Format
) -> None:
    """It stays as it is, rather than to lose a row without a word."""
    write(path, format_, rows(5)[::-1])
    before = path.read_bytes()
    with pytest.raises(OutputError, match="has 5 rows of 6"):
        put_in_order(path, format_, rows=6)
    path.write_bytes(before + b"what is this\n")
    with pytest.raises(OutputError, match="is no row"):
        put_in_order(path, format_, rows=5)


def test_a_table_of_a_crawl_that_was_killed_at_its_first_byte_is_begun_anew(
    path: Path, format_: Format
) -> None:
    """Any part of the header, or of the first row where there is no header."""
    beginning = format_.header() or format_.encode(rows(1)[0])
    for size in range(len(beginning)):
        path.write_bytes(beginning[:size])
        assert positions(path, format_) == []
        assert path.read_bytes() == format_.header()


@pytest.mark.parametrize("content", [b"precious\n", b"precious", b"name,age\nAda,36\n", b"[]"])
def test_a_file_that_is_no_table_is_not_touched(
    path: Path, format_: Format, content: bytes
) -> None:
    """It is refused, and stays as it is."""
    path.write_bytes(content)
    with pytest.raises(OutputError, match="Type -O"):
        positions(path, format_)
    assert path.read_bytes() == content


def test_one_crawl_at_a_time_has_the_table(path: Path, format_: Format) -> None:
    """A second one is refused; when the first is done it may."""
    first = TableFile(path, format_)
    with pytest.raises(OutputError, match="another crawl is writing it"):
        TableFile(path, format_)
    first.release()
    TableFile(path, format_).release()


@pytest.fixture
def small_runs() -> Iterator[None]:
    with mock.patch.object(ordering, "_RUN", 600):
        yield


@pytest.mark.usefixtures("small_runs")
@pytest.mark.parametrize("name", ["csv", "jsonl"])
@given(shuffled=st.permutations(range(1, 30)), note=st.text(max_size=20))
def test_a_table_is_put_into_the_order_of_the_list(
    tmp_path_factory: pytest.TempPathFactory, name: str, shuffled: list[int], note: str
) -> None:
    """Whatever the order was and whatever the cells hold; no row changes."""
    path = tmp_path_factory.mktemp("order") / "table"
    format_, some = FORMATS[name](TABLE.columns), rows(29, clean(note))
    write(path, format_, [some[n - 1] for n in shuffled])
    put_in_order(path, format_, rows=29)
    assert path.read_bytes() == b"".join([format_.header(), *map(format_.encode, some)])
    assert sorted(each.name for each in path.parent.iterdir()) == [".table.lock", "table"]


@pytest.mark.usefixtures("small_runs")
@pytest.mark.parametrize("name", ["csv", "jsonl"])
@given(
    shuffled=st.permutations(range(1, 30)),
    again=st.lists(st.integers(1, 29), unique=True),
    data=st.data(),
)
def test_newer_rows_take_the_place_of_older_ones(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    shuffled: list[int],
    again: list[int],
    data: st.DataObject,
) -> None:
    """In whichever order both came; rows that only one of them has stay."""
    folder = tmp_path_factory.mktemp("newer")
    format_, old, new = FORMATS[name](TABLE.columns), rows(29), rows(29, "again")
    kept = data.draw(st.sets(st.sampled_from(shuffled))) | set(shuffled) - set(again)
    older = [n for n in shuffled if n in kept]
    write(folder / "table", format_, [old[n - 1] for n in older])
    write(folder / "newer", format_, [new[n - 1] for n in again])
    in_order = older == sorted(older)
    put_in_order(folder / "table", format_, rows=29, newer=folder / "newer", in_order=in_order)
    whole = [(new if n in again else old)[n - 1] for n in range(1, 30)]
    assert (folder / "table").read_bytes() == b"".join(
        [format_.header(), *map(format_.encode, whole)]
    )


@given(written=st.permutations(range(1, 6)), read=st.integers(0, 5))
def test_a_table_knows_whether_its_rows_are_in_order(
    tmp_path_factory: pytest.TempPathFactory, written: list[int], read: int
) -> None:
    """Of those that an earlier run has left, and of those that come now."""
    path, some = tmp_path_factory.mktemp("known") / "table", rows(5)
    format_ = FORMATS["csv"](TABLE.columns)
    write(path, format_, [some[n - 1] for n in written[:read]])
    table = TableFile(path, format_)
    list(table.lines())
    for n in written[read:]:
        table.add(some[n - 1], lambda: None)
    table.close()
    assert table.in_order == (written == sorted(written))


def test_a_table_that_cannot_be_ordered_stays_as_it_is(path: Path, format_: Format) -> None:
    """A full disk while sorting costs the order, not the rows."""
    write(path, format_, rows(5)[::-1])
    before = path.read_bytes()
    full = OSError(errno.ENOSPC, "No space left on device")
    with mock.patch.object(os, "fsync", side_effect=full), pytest.raises(OSError, match="space"):
        put_in_order(path, format_, rows=29)
    assert path.read_bytes() == before
    assert not (path.parent / ".table.ordered").exists()


def test_the_columns_of_a_table_are_those_of_the_code() -> None:
    """What the ledger reads from a row is there."""
    assert {"position", "url", "outcome", "error"} <= set(OWN_COLUMNS)
