"""One host: what its origins share, and what each has for itself."""

import math

import pytest

from urlcrawler.hosts.host import KEPT_ORIGINS, Host
from urlcrawler.hosts.manners import Manners, Sent
from urlcrawler.hosts.origin import Origin

URL = "http://a.com/"


def host_with(*names: str) -> tuple[Host[str], list[Origin[str]]]:
    """Return a host and its origins, each with work."""
    host = Host[str]("a.com", Manners())
    origins = [host.origin(name) for name in names]
    for number, origin in enumerate(origins, 1):
        origin.chains.append(number)
        host.note_work(origin)
    return host, origins


def test_origins_take_turns() -> None:
    """Each port of a host has its part."""
    host, origins = host_with("http://a.com", "https://a.com", "http://a.com:81")
    assert [host.next_origin(0.0) for _ in range(6)] == origins * 2


def test_an_origin_that_is_down_does_not_keep_the_others() -> None:
    """One port is silent; the host is asked on the other, and only there."""
    host, (dead, well) = host_with("http://a.com:81", "http://a.com")
    dead.unreachable(Sent(0.0, 1, 1), 1.0, "read-timeout", "", weight=3)
    assert host.ready_at(1.0) < 1.0
    assert [host.next_origin(1.0) for _ in range(3)] == [well] * 3
    well.chains.clear()
    host.note_work(well)
    assert host.ready_at(1.0) == dead.circuit.probe_at
    assert host.next_origin(1.0) is None


def test_one_probe_at_a_time() -> None:
    """While it is out nothing else is asked, and no time is known when that will be."""
    host, (dead,) = host_with("http://a.com")
    dead.unreachable(Sent(0.0, 1, 1), 1.0, "read-timeout", "", weight=3)
    dead.active = 1
    assert host.ready_at(100.0) == math.inf


def test_a_pause_and_a_pace_are_those_of_all() -> None:
    """Whichever port asks for a rest."""
    host, (first, second) = host_with("http://a.com", "https://a.com")
    first.refused(Sent(1.0, 1, 1), 20.0, 1.0, "429")
    assert second.ready_at() < 1.0
    assert host.ready_at(1.0) >= 21.0


@pytest.mark.parametrize(("others_answer_at", "limit"), [(3.0, 8), (1.0, 1)])
def test_a_host_that_was_never_away_does_not_begin_anew(
    others_answer_at: float, limit: int
) -> None:
    """An origin that comes back restarts the limit only where the others were away as well."""
    host, (first, second) = host_with("http://a.com", "https://a.com")
    now = 0.0
    while host.limit.value < 16:
        host.limit.answered(now, 0.1, host.limit.value, now := now + 0.1)
    first.unreachable(Sent(now, 4, 4), now + 2, "read-timeout", "", weight=3)  # halves it
    second.satisfied(Sent(now, 1, 1), now + others_answer_at, URL)
    probe = Sent(first.circuit.probe_at, 1, 1)
    first.satisfied(probe, probe.at + 1, URL)
    assert host.limit.value == limit


def test_the_state_of_origins_is_bounded() -> None:
    """A domain may have a million host names; what is being asked is never forgotten."""
    host, (busy,) = host_with("http://a.com")
    for number in range(2 * KEPT_ORIGINS):
        host.origin(f"http://{number}.a.com")
    assert len(host.origins) == KEPT_ORIGINS
    assert host.origin("http://a.com") is busy
