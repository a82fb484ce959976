"""The limit of a host: how many requests at a time."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulation import CEILING, Answer, Workers, crawl

from urlcrawler.hosts.limit import Limit

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["answered", "answered", "answered", "overloaded", "restart", "cap"]),
        st.floats(0.0001, 60, allow_nan=False),
    ),
    max_size=400,
)


def feed(limit: Limit, event: str, value: float, now: float) -> None:
    """Let something happen at *now*."""
    if event == "answered":
        limit.answered(now, value, limit.value, now + value)
    elif event == "overloaded":
        limit.overloaded(now, now)
    elif event == "restart":
        limit.restart(now)
    else:
        limit.cap(int(value), now)


def answer(limit: Limit, latency: float, times: int, now: float = 0.0) -> float:
    """Let a host answer *times* requests, one after the other; return the time then."""
    for _ in range(times):
        limit.answered(now, latency, limit.value, now + latency)
        now += latency
    return now


@given(start=st.floats(0, 40), ceiling=st.integers(1, 40), events=EVENTS)
def test_the_limit_stays_between_one_probe_and_the_ceiling(
    start: float, ceiling: int, events: list[tuple[str, float]]
) -> None:
    """Whatever happens, in any order, with any latency."""
    limit, now = Limit(start, ceiling), 0.0
    for event, value in events:
        feed(limit, event, value, now)
        now += value
        assert 1 <= limit.value <= limit.ceiling <= ceiling
        assert limit.highest <= ceiling


@given(ceiling=st.integers(1, 40), events=EVENTS, latency=st.floats(0.0001, 10))
def test_a_healthy_host_is_never_stuck_at_the_floor(
    ceiling: int, events: list[tuple[str, float]], latency: float
) -> None:
    """After any history, a host with an even latency gets more in the end, also if it is slower."""
    limit, now = Limit(1, ceiling), 0.0
    for event, value in events:
        if event != "cap":
            feed(limit, event, value, now)
        now += value
    most = 1
    for _ in range(1600):
        now = answer(limit, latency, 1, max(now, 1.0)) + 0.2
        most = max(most, limit.value)
    assert most > ceiling // 2


@given(ceiling=st.integers(1, 40), events=EVENTS)
def test_a_refusal_never_raises_the_limit(ceiling: int, events: list[tuple[str, float]]) -> None:
    """Whatever the state, a 429 halves the limit or leaves the floor as it is."""
    limit, now = Limit(1, ceiling), 0.0
    for event, value in events:
        feed(limit, event, value, now)
        now += value
    before = limit.value
    limit.overloaded(now, now)
    assert limit.value <= max(1, before // 2)


def test_a_host_begins_with_one_request_and_doubles() -> None:
    """1, 2, 4, 8, 16: each after as many answers as tell something."""
    limit, seen, now = Limit(1, 16), [1], 0.0
    for _ in range(60):
        now = answer(limit, 0.2, 1, now)
        if limit.value != seen[-1]:
            seen.append(limit.value)
    assert seen == [1, 2, 4, 8, 16]


def test_refusals_of_one_moment_count_once() -> None:
    """Eight answers 429 to requests that were under way together halve the limit once."""
    limit = Limit(16, 16)
    for _ in range(8):
        limit.overloaded(1.0, 2.0)
    assert limit.value == 8


def test_a_limit_that_was_used_in_part_only_is_not_raised() -> None:
    """Nothing is known of a level that was never tried."""
    limit = Limit(4, 16)
    for step in range(200):
        limit.answered(step, 0.2, 2, step + 0.2)
    assert limit.value == 4


@pytest.mark.parametrize("workers", [1, 2, 3, 5, 8, 12])
@pytest.mark.parametrize("seed", range(3))
def test_workers_with_a_queue_are_kept_busy_and_no_queue_grows(workers: int, seed: int) -> None:
    """85% of what is possible, with a median latency of 1.5 times the unloaded one at most."""
    run = crawl(Workers(workers, 0.2), seed=seed)
    assert run.rate(0, 60) >= 0.85 * workers / 0.2
    assert run.latency() <= 1.5 * 0.2


@pytest.mark.parametrize("workers", [4, 8, 12])
@pytest.mark.parametrize("seed", range(3))
def test_a_change_of_capacity_is_followed_within_20_seconds(workers: int, seed: int) -> None:
    """Half of the workers leave for 30 s: no queue when they are gone, full speed when back."""
    run = crawl(Workers(workers, 0.2, away=(20, 50)), seed=seed, seconds=80)
    full = workers / 0.2
    assert run.rate(40, 50) >= 0.8 * full / 2
    assert run.latency(40, 50) <= 1.5 * 0.2
    assert run.rate(70, 80) >= 0.8 * full


@pytest.mark.parametrize("seed", range(5))
def test_a_heavy_tail_is_not_taken_for_load(seed: int) -> None:
    """Latencies that differ by factors, with no relation to the load, cost a tenth at most."""

    def serve(now: float, rng: random.Random) -> Answer:
        return Answer(0.2 * rng.paretovariate(1.5))

    assert crawl(serve, seed=seed, seconds=120).level() >= 0.88 * CEILING


def test_a_host_that_became_slower_for_good_is_not_punished_for_ever() -> None:
    """Three times the latency at any load: after a while it has as many requests as before."""

    def serve(now: float, rng: random.Random) -> Answer:
        return Answer((0.1 if now < 30 else 0.3) * rng.uniform(0.9, 1.1))

    run = crawl(serve, seed=1, seconds=180)
    assert run.host.limit.value > CEILING // 2
    assert run.host.limit.unloaded == pytest.approx(0.3, rel=0.2)


def test_a_fast_host_is_not_run_over() -> None:
    """Each step up lasts a second at least, however many answers there are."""
    limit, now, steps = Limit(1, 16), 0.0, {}
    while now < 4.5:
        now = answer(limit, 0.001, 1, now)
        steps.setdefault(limit.value, now)
    assert list(steps) == [1, 2, 4, 8, 16]
    assert steps[16] >= 4


def test_a_difference_that_may_be_chance_decides_nothing() -> None:
    """Latencies of 0.05 and 0.5 s, in turns: a window that is slower by a third is no alarm."""
    limit, now = Limit(8, 8), 0.0
    for number in range(64 + 96):
        latency = (0.05 if number % 2 else 0.5) * (1 if number < 64 else 1.35)
        now = answer(limit, latency, 1, now)
    assert limit.value == 8
