"""Which records have their row, held against a set."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urlcrawler import ledger as module
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
    assert (ledger.total, ledger.count, set(ledger.open)) == (total, len(done), out)
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


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that shows what stands in it."""
    now = [100.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    return now


def test_a_record_that_nobody_works_on_is_overdue(clock: list[float]) -> None:
    """From being handed out, or let go, until it has its row; not while somebody has it."""
    ledger = Ledger(9)
    for position in (5, 4, 3, 2, 1):
        ledger.hand_out(position)
    ledger.take(2)
    ledger.take(3)
    ledger.add(4)
    clock[0] += 10
    ledger.let_go(3)
    ledger.touch(5)
    clock[0] += 1
    assert ledger.overdue(5) == [1]
    clock[0] += 5
    assert ledger.overdue(5) == [1, 3, 5]
    ledger.add(3)
    assert ledger.overdue(5) == [1, 5]


@pytest.mark.parametrize("note", ["take", "let_go", "touch"])
def test_a_record_that_has_its_row_owes_nothing_more(note: str) -> None:
    """Requests of a spider's own may carry the record of a page that is done."""
    ledger = Ledger(9)
    ledger.hand_out(1)
    ledger.add(1)
    for position in (1, 2):
        getattr(ledger, note)(position)
    assert ledger.open == {}


def test_what_somebody_has_is_not_touched(clock: list[float]) -> None:
    """A page under way does not give back the request that waits for the same record."""
    ledger = Ledger(9)
    ledger.hand_out(1)
    ledger.take(1)
    ledger.touch(1)
    clock[0] += 99
    assert ledger.overdue(5) == []
