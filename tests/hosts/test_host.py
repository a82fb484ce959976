"""The state of one host: what follows from what happens to its requests."""

import math

import pytest

from urlcrawler.hosts.host import Host
from urlcrawler.hosts.treatment import OFFLINE_PATIENCE, Manners, Sent

URL = "http://example.com/"


def host_of(**manners: float) -> Host[str]:
    """Return a host that has answered once."""
    host = Host[str]("example.com", Manners(**manners))  # type: ignore[arg-type]
    succeed(host, 0.0)
    return host


def succeed(host: Host[str], now: float) -> None:
    """Let a request be answered as pages usually are."""
    sent = host.sent(now)
    host.active -= 1
    host.answered(sent, 0.1, now + 0.1)
    host.satisfied(sent, now + 0.1, URL)


def refuse(host: Host[str], now: float, seconds: float | None) -> None:
    sent = host.sent(now)
    host.active -= 1
    host.refused(sent, seconds, now, "429")


def ban(host: Host[str], at: float, level: int, rate: int) -> float:
    """Let everything be answered with 403 until a probe is; return the time then."""
    for number in range(3):
        host.blocked(
            Sent(at + number / 100, level + number, rate + number), at + 1, "403", is_sure=False
        )
    assert host.circuit.cause == "blocked"
    now = host.circuit.probe_at
    host.blocked(Sent(now, 1, 1), now + 0.1, "403", is_sure=False)
    now = host.circuit.probe_at
    host.satisfied(Sent(now, 1, 1), now + 0.1, URL)
    return now + 0.1


def test_a_pause_lasts_as_long_as_the_host_asks_and_a_tenth_more_at_most() -> None:
    """Jitter goes one way: nobody comes back too early."""
    host = host_of()
    refuse(host, 10.0, 20.0)
    assert 30 <= host.ready_at(10.0) <= 32


def test_an_absurd_retry_after_is_capped() -> None:
    """RETRY_AFTER_MAX."""
    host = host_of(max_pause=60)
    refuse(host, 10.0, 1e9)
    assert host.ready_at(10.0) <= 76


def test_refusals_without_a_time_wait_longer_each_time() -> None:
    """1, 2, 4 seconds: and a success begins anew."""
    host, waits, now = host_of(), [], 10.0
    for _ in range(3):
        refuse(host, now, None)
        waits.append(host.paused_until - now)
        now = host.paused_until
    succeed(host, now)
    refuse(host, now + 1, None)
    assert waits == pytest.approx([1, 2, 4], rel=0.11)
    assert host.paused_until - now - 1 == pytest.approx(1, rel=0.11)


def test_a_host_without_a_success_between_two_pauses_opens_its_circuit() -> None:
    """It does not mean the rate, it means: not now."""
    host = host_of()
    refuse(host, 10.0, 1.0)
    assert not host.circuit.is_open
    refuse(host, host.paused_until, 1.0)
    assert host.circuit.cause == "rate-limited"
    assert host.room(16) == 1


def test_refusals_of_requests_that_were_under_way_are_one_pause() -> None:
    """Sixteen answers 429 at once are one message."""
    host = host_of()
    requests = [host.sent(10.0) for _ in range(16)]
    for sent in requests:
        host.refused(sent, 5.0, 10.1, "429")
    assert not host.circuit.is_open
    assert host.usage.paused < 6
    assert host.usage.refused == 16


def test_after_a_ban_a_host_gets_70_percent_of_what_led_to_it() -> None:
    """Of the lowest level that was answered so, and never more again."""
    host = host_of()
    now = ban(host, 10.0, level=10, rate=40)
    assert host.limit.ceiling == 7
    assert host.pace.delay(now) == pytest.approx(1 / 26)
    for _ in range(1000):
        succeed(host, now := now + 0.1)
        assert host.limit.value <= 7


def test_answers_to_requests_from_before_a_ban_do_not_blur_its_level() -> None:
    """They were under way; the level of the first that was banned is what counts."""
    host = host_of()
    early = Sent(9.9, 4, 9)
    host.blocked(Sent(10.0, 5, 10), 10.1, "403", is_sure=False)
    host.satisfied(early, 10.2, URL)
    ban(host, 10.05, level=15, rate=30)
    assert host.limit.ceiling == 3


def test_forbidden_pages_are_no_ban_when_a_good_one_is_given() -> None:
    """The first probe goes well: nothing is learned from it, but to doubt less."""
    host = host_of()
    for number in range(3):
        host.blocked(Sent(10 + number, 4, 4), 10 + number, "403", is_sure=False)
    assert host.probe == URL
    succeed(host, host.circuit.probe_at)
    assert not host.circuit.is_open
    assert host.limit.ceiling == 16


def test_a_host_that_forbids_everything_from_the_start_is_no_ban() -> None:
    """There is no page that went well: 403 is what it answers, and each record has its row."""
    host = Host[str]("example.com", Manners())
    for number in range(50):
        assert not host.blocked(Sent(number, 1, 1), number, "403", is_sure=False)
    assert not host.circuit.is_open


def test_a_silence_that_ends_is_learned_from_like_a_ban() -> None:
    """Some servers do not say 403, they say nothing."""
    host = host_of()
    host.unreachable(Sent(10.0, 6, 30), 40.0, "read-timeout", "", weight=3)
    now = host.circuit.probe_at
    host.unreachable(Sent(now, 1, 1), now + 10, "read-timeout", "", weight=3)
    now = host.circuit.probe_at
    host.satisfied(Sent(now, 1, 1), now, URL)
    assert host.limit.ceiling == 4


def test_a_probe_that_goes_well_at_once_caps_nothing() -> None:
    """A hiccup is no ban."""
    host = host_of()
    host.unreachable(Sent(10.0, 6, 30), 40.0, "read-timeout", "", weight=3)
    succeed(host, host.circuit.probe_at)
    assert (host.limit.ceiling, host.room(16)) == (16, 1)


def exhaust(host: Host[str], cause: str) -> float:
    now = 10.0
    for _ in range(6):
        now = max(now, host.circuit.probe_at)
        host.unreachable(Sent(now, 1, 1), now + 0.1, cause, "", weight=3)
        now += 0.2
    return now


def test_a_host_that_refuses_is_given_up() -> None:
    """A refusal is an answer of its machine: it is not ours that is offline."""
    host = host_of()
    now = exhaust(host, "refused")
    assert host.is_given_up(now, lambda host: True)


@pytest.mark.parametrize("cause", ["dns", "connect-timeout", "read-timeout"])
def test_silence_everywhere_may_be_this_machine(cause: str) -> None:
    """No host is given up for a minute then; when others are not silent, it is at once."""
    host = host_of()
    now = exhaust(host, cause)
    opened = host.circuit.opened_at
    assert not host.is_given_up(opened + OFFLINE_PATIENCE - 1, lambda host: True)
    assert host.is_given_up(opened + OFFLINE_PATIENCE + 1, lambda host: True)
    assert host.is_given_up(now, lambda host: False)


def test_an_outage_of_this_machine_caps_nothing() -> None:
    """When no other host had answered either, it says nothing about this one."""
    host = host_of()
    host.unreachable(Sent(10.0, 6, 30), 40.0, "read-timeout", "", weight=3)
    now = host.circuit.probe_at
    host.unreachable(Sent(now, 1, 1), now + 10, "read-timeout", "", weight=3)
    now = host.circuit.probe_at
    host.satisfied(Sent(now, 1, 1), now, URL, is_its_own=False)
    assert host.limit.ceiling == 16


def test_the_median_latency_is_that_of_all_answers() -> None:
    """A sample of fixed size stands for however many there were."""
    host = host_of()
    for number in range(10_000):
        host.usage.answered((number * 7919 % 10_000) / 10_000)
    assert host.usage.latency == pytest.approx(0.5, abs=0.25)
    assert not math.isnan(host.usage.latency or math.nan)
