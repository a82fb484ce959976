"""Finds for each record of a list the row of an old table that asks for the same.

Of each row that counts two 64-bit numbers are kept, as in `output.earlier`: the hash of what it
asks for and the byte at which it begins.
"""

from array import array
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from urlcrawler.adoption.account import Account
from urlcrawler.adoption.done import Done
from urlcrawler.adoption.oldtable import OldTable
from urlcrawler.exceptions import InvalidUrl
from urlcrawler.inputs.building import FIRST_ORIGIN
from urlcrawler.inputs.grouping import NO_REQUEST
from urlcrawler.inputs.index import ListIndex
from urlcrawler.inputs.records import Record
from urlcrawler.inputs.urls import Target, parse_target


def target_of(url: str) -> Target | None:
    """Return what *url* asks for; None when that is nothing."""
    try:
        return parse_target(url)
    except InvalidUrl:
        return None


class Rows:
    """The rows of an old table that count, by what they ask for."""

    def __init__(self, old: OldTable, done: Done, account: Account) -> None:
        """Read all of it, and note in the *account* what does not count."""
        self._old = old
        hashes, offsets = array("q"), array("Q")
        for offset, row in old.rows():
            account.rows += 1
            key = _key(row.url)
            if row.problem is not None:
                account.broken.add(offset, row.problem)
            elif old.repeats_header(row):
                account.headers += 1
            elif key == NO_REQUEST:
                account.no_url.add(offset, repr(row.url))
            elif why := done.why_not({old.url_column: row.url, **row.columns}):
                account.refuse(why)
            else:
                hashes.append(key)
                offsets.append(offset)
        found = np.frombuffer(hashes, np.int64)
        order = np.argsort(found, kind="stable")  # the last one of a URL stays the last
        self._hashes, self._offsets = found[order], np.frombuffer(offsets, np.uint64)[order]

    def __len__(self) -> int:
        """Return how many count."""
        return len(self._hashes)

    def compare(
        self, index: ListIndex, has_row: NDArray[np.bool_], account: Account
    ) -> NDArray[np.uint32]:
        """Return the positions of the records that have a row here, and none in the table yet.

        Args:
            has_row: by position, from 0 on, whether a record has its row, or is left to others.
            account: takes what belongs to no such record.
        """
        asked = _requests(index)
        is_first = np.ones(len(self), np.bool_)
        is_first[1:] = self._hashes[1:] != self._hashes[:-1]
        urls = self._hashes[is_first]
        wanted = asked[~has_row]
        on_list, is_wanted = np.isin(urls, asked), np.isin(urls, wanted)
        sizes = np.diff(np.flatnonzero(is_first), append=len(self))
        account.adopted = int(np.count_nonzero(is_wanted))
        account.there = int(np.count_nonzero(on_list & ~is_wanted))
        account.repeated = int(sizes[on_list].sum()) - account.adopted - account.there
        foreign = np.sort(self._offsets[np.repeat(~on_list, sizes)])
        for offset in foreign[:10]:
            account.foreign.add(int(offset), self._old.row(int(offset)).url)
        account.foreign.count = len(foreign)
        places = np.flatnonzero(np.isin(asked, urls) & ~has_row).astype(np.uint32)
        account.records = len(places)
        return places + np.uint32(1)

    def find(self, url: str) -> Record | None:
        """Return the last row that asks for the same as *url*."""
        key, wanted = _key(url), target_of(url)
        place = int(np.searchsorted(self._hashes, key, side="right")) - 1
        while place >= 0 and self._hashes[place] == key:
            row = self._old.row(int(self._offsets[place]))
            if target_of(row.url) == wanted:
                return row
            place -= 1
        return None


def _requests(index: ListIndex) -> NDArray[np.int64]:
    """Return for each record the hash of what it asks for; NO_REQUEST for those that ask nothing,
    and those that ask for the same as another.
    """
    hashes = array("q", (_key(url or "") for url in _urls(index)))
    asked = np.frombuffer(hashes, np.int64).copy()
    asked[index.origins < FIRST_ORIGIN] = NO_REQUEST
    return asked


def _urls(index: ListIndex) -> Iterator[str | None]:
    for (_, url), _ in zip(index.reader.scan(), range(len(index)), strict=False):
        yield url


def _key(url: str) -> int:
    target = target_of(url)
    return hash(target) or 1 if target else NO_REQUEST
