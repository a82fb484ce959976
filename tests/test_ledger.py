"""Which records have their row, held against a set."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urlcrawler.ledger import Ledger

totals = st.integers(1, 70)
events = st.lists(st.tuples(st.booleans(), st.integers(1, 70)), max_size=99)


@given(totals, events, st.integers(1, 80))
def test_the_ledger_knows_what_a_set_knows(
    total: int, events: list[tuple[bool, int]], most: int
) -> None:
    """Which positions are done, how many, which are out, and which are missing."""
    ledger, done, out = Ledger(total), set[int](), set[int]()
    for is_row, position in events:
        if position > total:
            continue
        if is_row:
            assert ledger.add(position) == (position not in done)
            done.add(position)
            out.discard(position)
        else:
            ledger.hand_out(position)
            out.add(position)
    positions = range(1, total + 1)
    assert {position for position in positions if position in ledger} == done
    assert (ledger.total, ledger.count, ledger.open) == (total, len(done), out)
    missing = [position for position in positions if position not in done]
    assert ledger.missing(most) == missing[:most]


@pytest.mark.parametrize("total", [1, 7, 8, 9, 63, 64, 65])
def test_the_last_record_counts(total: int) -> None:
    """At the seams of the bytes nothing is missing that is there, and nothing is there twice."""
    ledger = Ledger(total)
    for position in range(1, total):
        ledger.add(position)
    assert ledger.missing() == [total]
    assert ledger.add(total)
    assert not ledger.add(total)
    assert (ledger.missing(), ledger.count) == ([], total)


def test_missing_names_twenty_at_most() -> None:
    """A message with ten million numbers helps nobody."""
    assert Ledger(10_000_000).missing() == list(range(1, 21))
