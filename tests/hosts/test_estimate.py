"""How long a crawl takes at the least."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulation import CEILING, Answer, crawl

from urlcrawler.hosts.estimate import CORES, HOST, NOTHING, WINDOW, Load, estimate
from urlcrawler.hosts.manners import Manners

MANNERS = st.builds(
    Manners,
    ceiling=st.integers(1, 64),
    start=st.floats(1, 20),
    adaptive=st.booleans(),
    delay=st.floats(0, 100),
)
LOADS = st.builds(
    Load,
    host=st.integers(0, 9),
    records=st.integers(0, 10**7),
    manners=MANNERS,
    latency=st.floats(0.001, 60),
    asked=st.floats(0, 100),
)
ROUNDING = 1 + 1e-9


def load(records: int, latency: float = 0.5, asked: float = 0.0, **manners: float) -> Load:
    return Load(0, records, Manners(**manners), latency, asked)  # type: ignore[arg-type]


@given(LOADS, st.integers(0, 10**6))
def test_more_records_never_take_less_time(one: Load, more: int) -> None:
    """Neither on their host nor in all."""
    larger = one._replace(records=one.records + more)
    assert one.seconds <= larger.seconds * ROUNDING
    before, after = estimate([one], window=100), estimate([larger], window=100)
    assert before.seconds <= after.seconds * ROUNDING


@given(LOADS, st.integers(1, 64), st.integers(1, 64))
def test_a_smaller_limit_never_takes_less_time(one: Load, ceiling: int, other: int) -> None:
    """Of requests at a time of a host, with or without a delay."""
    low, high = sorted((ceiling, other))
    slow, fast = (
        one._replace(manners=Manners(most, one.manners.start, one.manners.adaptive))
        for most in (low, high)
    )
    assert fast.seconds <= slow.seconds * ROUNDING


@given(LOADS, st.floats(0, 60), st.floats(0, 60))
def test_a_longer_delay_never_takes_less_time(one: Load, asked: float, other: float) -> None:
    """Nor does a page that takes longer."""
    low, high = sorted((asked, other))
    assert one._replace(asked=low).seconds <= one._replace(asked=high).seconds
    fast, slow = one._replace(latency=low), one._replace(latency=high)
    assert fast.seconds <= slow.seconds * ROUNDING


@given(st.lists(LOADS, max_size=8), st.integers(0, 1000), st.integers(0, 1000), st.integers(1, 8))
def test_all_take_at_least_as_long_as_the_slowest_host(
    loads: list[Load], window: int, other: int, processes: int
) -> None:
    """A smaller window never takes less, nor do fewer processes."""
    whole = estimate(loads, window=window, processes=processes)
    assert whole.seconds >= max((one.seconds for one in loads), default=0.0)
    assert whole.seconds >= max(whole.window, whole.processor)
    if 0 < other <= window:
        assert estimate(loads, window=other, processes=processes).seconds >= whole.seconds
    assert estimate(loads, window=window).seconds >= whole.seconds


@pytest.mark.parametrize("latency", [0.05, 0.2, 1.0, 5.0])
@pytest.mark.parametrize("records", [1, 10, 100, 1000])
def test_a_host_that_is_always_comfortable_takes_that_long(latency: float, records: int) -> None:
    """The real limit, in virtual time, needs no less, and little more: it also gives rests."""
    run = crawl(lambda now, rng: Answer(latency), seed=1, seconds=600.0)
    taken = sorted(at for at, _ in run.good)[records - 1]
    told = load(records, latency, ceiling=CEILING).seconds
    assert 0.75 * taken <= told <= taken + 0.01


def test_a_delay_counts_for_each_record() -> None:
    """The largest of those that are asked for, as far as AUTOTHROTTLE_MAX_DELAY lets them."""
    assert load(4200, asked=10).seconds == 42_000
    assert load(100, asked=10, delay=20).seconds == 2000
    assert load(100, asked=3600).seconds == 6000
    assert load(100, asked=10).is_paced
    assert not load(100).is_paced


def test_without_a_throttle_the_ceiling_holds_from_the_start() -> None:
    """AUTOTHROTTLE_ENABLED=0."""
    assert load(1600, ceiling=16, adaptive=False).seconds == pytest.approx(50)


@pytest.mark.parametrize(
    ("loads", "decided_by"),
    [
        ([load(1000, asked=5)], HOST),
        ([load(1000)] * 100, WINDOW),
        ([load(100, latency=0.001)] * 100, CORES),
        ([load(0, asked=5)], NOTHING),
        ([], NOTHING),
    ],
)
def test_what_takes_longest_decides(loads: list[Load], decided_by: str) -> None:
    """One host, all of them in so many requests at a time, the processor, or nothing at all."""
    result = estimate(loads, window=200 if decided_by == WINDOW else 0)
    assert result.decided_by == decided_by
    assert (result.slowest is None, result.seconds == 0) == (decided_by == NOTHING,) * 2


def test_processes_share_the_hosts_but_never_one_host() -> None:
    """What two compute side by side takes half the time; one host has one of them."""
    loads = [load(1000, latency=0.001)] * 10
    one, two = (estimate(loads, window=0, processes=n).processor for n in (1, 2))
    assert two == one / 2
    assert estimate(loads[:1], window=0, processes=2).processor == one / 10
