"""The pace of a host: seconds between two requests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulation import Bucket, crawl

from urlcrawler.hosts.pace import Pace


def send(pace: Pace, times: int, now: float = 0.0) -> list[float]:
    """Send as fast as the pace allows; return when."""
    sent = []
    for _ in range(times):
        now = max(now, pace.next_at)
        pace.sent(now)
        sent.append(now)
    return sent


def test_the_delay_of_the_user_and_that_of_robots_txt_both_hold() -> None:
    """The longer one decides."""
    pace = Pace(0.5)
    assert send(pace, 3) == [0.0, 0.5, 1.0]
    pace.ask(2.0, 1.0)
    assert send(pace, 3, 1.0) == [3.0, 5.0, 7.0]
    pace.ask(1.0, 7.0)
    assert pace.delay(7.0) == 2.0


@given(st.lists(st.floats(0, 3), min_size=2, max_size=50), st.floats(0.1, 2))
def test_whenever_one_comes_the_next_waits_almost_its_delay(
    pauses: list[float], delay: float
) -> None:
    """A late one is made up for by a timer's lateness at most, never by a burst."""
    pace, now, before = Pace(delay), 0.0, -10.0
    for pause in pauses:
        now = max(now + pause, pace.next_at)
        pace.sent(now)
        assert now - before >= delay - 0.021
        before = now


def test_without_a_reason_there_is_no_delay() -> None:
    """A host that never refuses is held back by its limit alone."""
    pace = Pace()
    send(pace, 100)
    assert pace.delay(0.0) == 0


@given(
    st.lists(st.tuples(st.integers(0, 200), st.floats(0.01, 30), st.floats(0.1, 60)), max_size=30)
)
def test_a_refusal_never_quickens_the_pace(events: list[tuple[int, float, float]]) -> None:
    """However many answers came before it, and whenever."""
    pace, now = Pace(), 0.0
    for accepted, spent, pause in events:
        pace.sent(now)
        for _ in range(accepted):
            pace.accepted()
        now += spent
        before = pace.rate(now)
        pace.refused(now, now + pause)
        assert pace.rate(now) > 0
        assert not before or pace.rate(now) <= before
        now += pause


def test_the_pace_is_found_again_when_the_limit_is_gone() -> None:
    """It creeps: after ten minutes without a refusal it is many times what it was."""
    pace = Pace()
    pace.sent(0.0)
    for _ in range(10):
        pace.accepted()
    pace.refused(1.0, 2.0)
    assert pace.rate(602.0) > 5 * pace.rate(2.0)


def test_a_cap_is_never_exceeded() -> None:
    """Nor raised by a later one, or by time."""
    pace = Pace()
    pace.cap(4.0)
    pace.cap(9.0)
    assert pace.delay(0.0) == pace.delay(1e6) == 0.25


@pytest.mark.parametrize("rate", [10, 20, 40])
@pytest.mark.parametrize("seed", range(3))
def test_a_token_bucket_is_emptied_and_hardly_overdrawn(rate: int, seed: int) -> None:
    """85% of its rate, and one answer in a hundred is a refusal: most of them while searching."""
    run = crawl(Bucket(rate, rate), seed=seed, seconds=120)
    assert run.rate(0, 120) >= 0.85 * rate
    assert run.refused <= 0.01 * len(run.good) + 2
