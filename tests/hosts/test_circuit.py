"""The circuit of a host: whether it is worth asking."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urlcrawler.hosts.circuit import FAILURES, PROBES, TIMEOUT, UNAVAILABLE, Circuit


def fail(circuit: Circuit, times: int, cause: str = "refused", now: float = 0.0) -> float:
    """Let requests fail, each sent when it may be; return the time then."""
    for _ in range(times):
        now = max(now, circuit.probe_at)
        circuit.failed(now, now + 0.01, cause, f"because of {cause}")
        now += 0.02
    return now


def test_a_failure_or_two_are_no_reason() -> None:
    """Pages fail; a host is not judged by one."""
    circuit = Circuit(1.0)
    fail(circuit, FAILURES - 1)
    assert not circuit.is_open


def test_a_success_in_between_begins_the_count_anew() -> None:
    """In a row means since the last success."""
    circuit = Circuit(1.0)
    for _ in range(20):
        fail(circuit, FAILURES - 1)
        circuit.succeeded()
    assert not circuit.is_open


def test_failures_in_a_row_open_it_and_probes_come_at_growing_intervals() -> None:
    """1, 2, 4: times the first wait, and a tenth of jitter."""
    circuit, waits = Circuit(1.0), []
    now = fail(circuit, FAILURES)
    while not circuit.is_exhausted:
        waits.append(circuit.probe_at - now)
        now = fail(circuit, 1, now=now)
    assert len(waits) == PROBES
    assert waits == pytest.approx([1, 2, 4], rel=0.15)
    assert circuit.reason == "because of refused"


def test_one_timeout_opens_it() -> None:
    """It has cost as long as a timeout takes; the next one may take as long."""
    circuit = Circuit(1.0)
    circuit.failed(0.0, 30.0, "read-timeout", "", weight=TIMEOUT)
    assert circuit.is_open


def test_what_was_under_way_when_it_opened_is_no_probe() -> None:
    """Sixteen requests that fail together are one outage, not thirteen probes."""
    circuit = Circuit(1.0)
    for _ in range(16):
        circuit.failed(0.0, 1.0, "reset", "")
    assert circuit.probes == 0
    assert not circuit.is_exhausted


def test_a_host_whose_first_probe_goes_well_is_doubted_less() -> None:
    """Its pages failed, not the host: opening it takes twice as many failures each time."""
    circuit = Circuit(1.0)
    needed = []
    for _ in range(8):
        count = 0
        while not circuit.is_open:
            fail(circuit, 1)
            count += 1
        needed.append(count)
        circuit.succeeded()
    assert needed == [3, 6, 12, 24, 48, 96, 96, 96]


def test_a_host_that_asked_for_time_has_it() -> None:
    """Retry-After counts when it is longer than the interval."""
    circuit = Circuit(1.0)
    circuit.failed(0.0, 1.0, "robots-unreachable", "", weight=FAILURES, wait=60.0)
    assert 61 <= circuit.probe_at <= 61 + 6.1


def test_one_503_is_a_quarter_of_a_reason() -> None:
    """A dozen in a row are the server, and not the page; then it takes more probes to be sure."""
    circuit = Circuit(1.0)
    for number in range(12):
        assert not circuit.is_open
        circuit.failed(number, number, "http-5xx", "", weight=UNAVAILABLE)
    assert circuit.is_open
    fail(circuit, 4, "http-5xx", now=12.0)
    assert not circuit.is_exhausted
    fail(circuit, 1, "http-5xx", now=circuit.probe_at)
    assert circuit.is_exhausted


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 100)), max_size=100))
def test_it_always_ends_open_with_a_time_or_closed(events: list[tuple[bool, float]]) -> None:
    """Nothing leaves a host without a time at which it is asked again."""
    circuit, now = Circuit(2.0), 0.0
    for is_failure, spent in events:
        now += spent
        if is_failure:
            circuit.failed(now, now, "reset", "")
        else:
            circuit.succeeded()
            assert not circuit.is_open
        assert circuit.probe_at < now + 100
        assert circuit.is_open or not circuit.is_exhausted
