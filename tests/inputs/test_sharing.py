"""An index that other processes borrow is the one that was lent."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from urlcrawler.inputs.index import ListIndex
from urlcrawler.inputs.readers import Reader
from urlcrawler.inputs.sharing import borrow, lend

OpenReader = Callable[..., Reader]
LISTS = {
    ".txt": "http://a.com/1\nhttp://b.com/\nnot a url\nhttp://a.com/2\nhttp://a.com/1\n",
    ".csv": "sku;link\n7;http://a.com/1\n8;http://b.com/\n9;http://a.com/1\n",
    ".jsonl": '{"sku": 7, "link": "http://a.com/1"}\n[]\n{"link": "http://b.com/", "size": 3}\n',
}


@pytest.mark.parametrize("suffix", LISTS)
def test_a_borrowed_index_is_that_of_the_list(
    tmp_path: Path, reader_of: OpenReader, suffix: str
) -> None:
    """The same columns, hosts, chains and records, and the list is not scanned for it."""
    column = None if suffix == ".txt" else "link"
    index = ListIndex(reader_of(LISTS[suffix], suffix, column))
    lend(index, tmp_path / "index")
    reader = reader_of(LISTS[suffix], suffix, column)
    reader.scan = lambda: pytest.fail("the list is read again")  # type: ignore[method-assign]
    borrowed = borrow(tmp_path / "index", reader)
    assert borrowed.columns == index.columns
    assert len(borrowed) == len(index)
    assert [borrowed.record(n) for n in range(1, len(index) + 1)] == [
        index.record(n) for n in range(1, len(index) + 1)
    ]
    assert repr(list(borrowed.without_request())) == repr(list(index.without_request()))
    for mine, lent in zip(borrowed.arrays, index.arrays, strict=True):
        assert np.array_equal(mine, lent)


def test_who_borrows_may_change_it_for_himself(tmp_path: Path, reader_of: OpenReader) -> None:
    """The chains of a last round are those of one process."""
    index = ListIndex(reader_of(LISTS[".txt"]))
    lend(index, tmp_path)
    one, other = (borrow(tmp_path, reader_of(LISTS[".txt"])) for _ in range(2))
    one.arrays.following[0] = 0
    assert other.following(1) == index.following(1) != 0


def test_half_an_index_is_none(tmp_path: Path, reader_of: OpenReader) -> None:
    """What a full disk has left; whoever borrows it reads the list instead."""
    lend(ListIndex(reader_of(LISTS[".txt"])), tmp_path)
    with (tmp_path / "origins.npy").open("r+b") as file:
        file.truncate(100)
    with pytest.raises(ValueError, match=r"origins|header|size|buffer|mmap"):
        borrow(tmp_path, reader_of(LISTS[".txt"]))
