"""What follows from what happens to the requests of an origin."""

import math

import pytest

from urlcrawler.hosts.host import Host
from urlcrawler.hosts.manners import Manners, Sent
from urlcrawler.hosts.origin import Origin
from urlcrawler.hosts.treatment import OFFLINE_PATIENCE

URL = "http://example.com/"


def new(**manners: float) -> Origin[str]:
    """Return an origin with work, the only one of its host."""
    host = Host[str]("example.com", Manners(**manners))  # type: ignore[arg-type]
    origin = host.origin("http://example.com")
    origin.chains.append(1)
    host.note_work(origin)
    return origin


def known(**manners: float) -> Origin[str]:
    """Return one that has answered once."""
    origin = new(**manners)
    succeed(origin, 0.0)
    return origin


def succeed(origin: Origin[str], now: float) -> None:
    """Let a request be answered as pages usually are."""
    sent = origin.host.sent(now)
    origin.host.active -= 1
    origin.answered(sent, 0.1, now + 0.1)
    origin.satisfied(sent, now + 0.1, URL)


def refuse(origin: Origin[str], now: float, seconds: float | None) -> None:
    sent = origin.host.sent(now)
    origin.host.active -= 1
    origin.refused(sent, seconds, now, "429")


def ban(origin: Origin[str], at: float, level: int, rate: int) -> float:
    """Let everything be answered with 403 until a probe is; return the time then."""
    for number in range(3):
        origin.blocked(
            Sent(at + number / 100, level + number, rate + number), at + 1, "403", is_sure=False
        )
    assert origin.circuit.cause == "blocked"
    now = origin.circuit.probe_at
    origin.blocked(Sent(now, 1, 1), now + 0.1, "403", is_sure=False)
    now = origin.circuit.probe_at
    origin.satisfied(Sent(now, 1, 1), now + 0.1, URL)
    return now + 0.1


def test_a_pause_lasts_as_long_as_the_host_asks_and_a_tenth_more_at_most() -> None:
    """Jitter goes one way: nobody comes back too early."""
    origin = known()
    refuse(origin, 10.0, 20.0)
    assert 30 <= origin.host.ready_at(10.0) <= 32


def test_an_absurd_retry_after_is_capped() -> None:
    """RETRY_AFTER_MAX."""
    origin = known(max_pause=60)
    refuse(origin, 10.0, 1e9)
    assert origin.host.ready_at(10.0) <= 76


def test_refusals_without_a_time_wait_longer_each_time() -> None:
    """1, 2, 4 seconds: and a success begins anew."""
    origin, waits, now = known(), [], 10.0
    for _ in range(3):
        refuse(origin, now, None)
        waits.append(origin.host.paused_until - now)
        now = origin.host.paused_until
    succeed(origin, now)
    refuse(origin, now + 1, None)
    assert waits == pytest.approx([1, 2, 4], rel=0.11)
    assert origin.host.paused_until - now - 1 == pytest.approx(1, rel=0.11)


def test_a_host_without_a_success_between_two_pauses_opens_its_circuit() -> None:
    """It does not mean the rate, it means: not now."""
    origin = known()
    refuse(origin, 10.0, 1.0)
    assert not origin.circuit.is_open
    refuse(origin, origin.host.paused_until, 1.0)
    assert origin.circuit.cause == "rate-limited"
    assert origin.host.room(16) == 1


def test_refusals_of_requests_that_were_under_way_are_one_pause() -> None:
    """Sixteen answers 429 at once are one message."""
    origin = known()
    requests = [origin.host.sent(10.0) for _ in range(16)]
    for sent in requests:
        origin.refused(sent, 5.0, 10.1, "429")
    assert not origin.circuit.is_open
    assert origin.host.usage.paused < 6
    assert origin.host.usage.refused == 16


def test_after_a_ban_a_host_gets_70_percent_of_what_led_to_it() -> None:
    """Of the lowest level that was answered so, and never more again."""
    origin = known()
    now = ban(origin, 10.0, level=10, rate=40)
    assert origin.host.limit.ceiling == 7
    assert origin.host.pace.delay(now) == pytest.approx(1 / 26)
    for _ in range(1000):
        succeed(origin, now := now + 0.1)
        assert origin.host.limit.value <= 7


def test_answers_to_requests_from_before_a_ban_do_not_blur_its_level() -> None:
    """They were under way; the level of the first that was banned is what counts."""
    origin = known()
    early = Sent(9.9, 4, 9)
    origin.blocked(Sent(10.0, 5, 10), 10.1, "403", is_sure=False)
    origin.satisfied(early, 10.2, URL)
    ban(origin, 10.05, level=15, rate=30)
    assert origin.host.limit.ceiling == 3


def test_forbidden_pages_are_no_ban_when_a_good_one_is_given() -> None:
    """The first probe goes well: nothing is learned from it, but to doubt less."""
    origin = known()
    for number in range(3):
        origin.blocked(Sent(10 + number, 4, 4), 10 + number, "403", is_sure=False)
    assert origin.probe == URL
    succeed(origin, origin.circuit.probe_at)
    assert not origin.circuit.is_open
    assert origin.host.limit.ceiling == 16


def test_a_host_that_forbids_everything_from_the_start_is_no_ban() -> None:
    """There is no page that went well: 403 is what it answers, and each record has its row."""
    origin = new()
    for number in range(50):
        assert not origin.blocked(Sent(number, 1, 1), number, "403", is_sure=False)
    assert not origin.circuit.is_open


def test_a_silence_that_ends_is_learned_from_like_a_ban() -> None:
    """Some servers do not say 403, they say nothing."""
    origin = known()
    origin.unreachable(Sent(10.0, 6, 30), 40.0, "read-timeout", "", weight=3)
    now = origin.circuit.probe_at
    origin.unreachable(Sent(now, 1, 1), now + 10, "read-timeout", "", weight=3)
    now = origin.circuit.probe_at
    origin.satisfied(Sent(now, 1, 1), now, URL)
    assert origin.host.limit.ceiling == 4


def test_a_probe_that_goes_well_at_once_caps_nothing() -> None:
    """A hiccup is no ban."""
    origin = known()
    origin.unreachable(Sent(10.0, 6, 30), 40.0, "read-timeout", "", weight=3)
    succeed(origin, origin.circuit.probe_at)
    assert (origin.host.limit.ceiling, origin.host.room(16)) == (16, 1)


def test_a_second_silence_is_an_outage() -> None:
    """The first may have been a ban; caps that came of each would strangle the host in the end."""
    origin = known()
    now, caps = 10.0, []
    for _ in range(2):
        origin.unreachable(Sent(now, 4, 20), now + 30, "read-timeout", "", weight=3)
        for _ in range(2):
            now = origin.circuit.probe_at
            origin.unreachable(Sent(now, 1, 1), now + 10, "read-timeout", "", weight=3)
        now = origin.circuit.probe_at
        origin.satisfied(Sent(now, 1, 1), now, URL)
        caps.append((origin.host.limit.ceiling, origin.host.pace.delay(now)))
        now += 60
    assert caps == [(2, pytest.approx(1 / 13)), (2, pytest.approx(1 / 13))]


def test_without_a_wait_a_probe_that_fails_counts_once_too() -> None:
    """BACKOFF_START=0: the next one is due at once, and was not sent yet."""
    origin = known(backoff=0)
    origin.unreachable(Sent(10.0, 1, 1), 20.0, "read-timeout", "", weight=3)
    origin.unreachable(probe := Sent(20.0, 1, 1), 30.0, "read-timeout", "", weight=3)
    origin.probed(probe, 30.0)
    assert origin.circuit.probes == 1
    origin.probed(Sent(30.5, 1, 1), 31.0)  # nobody has called it a failure, nor a success
    assert origin.circuit.probes == 2


def test_a_dozen_unavailable_pages_in_a_row_are_the_server() -> None:
    """502, 503 and 504 speak of it; 500 speaks of the page, however often."""
    origin = new()
    for number in range(50):
        origin.failing(Sent(number, 1, 1), number, "500", is_unavailable=False)
    assert not origin.circuit.is_open
    for number in range(50, 62):
        origin.failing(Sent(number, 1, 1), number, "503", is_unavailable=True)
    assert origin.circuit.cause == "http-5xx"


def exhaust(origin: Origin[str], cause: str) -> float:
    now = 10.0
    for _ in range(6):
        now = max(now, origin.circuit.probe_at)
        origin.unreachable(Sent(now, 1, 1), now + 0.1, cause, "", weight=3)
        now += 0.2
    return now


def test_a_host_that_refuses_is_given_up() -> None:
    """A refusal is an answer of its machine: it is not ours that is offline."""
    origin = known()
    now = exhaust(origin, "refused")
    assert origin.is_exhausted(now, may_be_offline=True)


@pytest.mark.parametrize("cause", ["dns", "connect-timeout", "read-timeout"])
def test_silence_everywhere_may_be_this_machine(cause: str) -> None:
    """No host is given up for a minute then; when others are not silent, it is at once."""
    origin = known()
    now = exhaust(origin, cause)
    opened = origin.circuit.opened_at
    assert not origin.is_exhausted(opened + OFFLINE_PATIENCE - 1, may_be_offline=True)
    assert origin.is_exhausted(opened + OFFLINE_PATIENCE + 1, may_be_offline=True)
    assert origin.is_exhausted(now, may_be_offline=False)


def test_an_outage_of_this_machine_caps_nothing() -> None:
    """When no other host had answered either, it says nothing about this one."""
    origin = known()
    origin.unreachable(Sent(10.0, 6, 30), 40.0, "read-timeout", "", weight=3)
    now = origin.circuit.probe_at
    origin.unreachable(Sent(now, 1, 1), now + 10, "read-timeout", "", weight=3)
    now = origin.circuit.probe_at
    origin.satisfied(Sent(now, 1, 1), now, URL, is_its_own=False)
    assert origin.host.limit.ceiling == 16


def test_the_median_latency_is_that_of_all_answers() -> None:
    """A sample of fixed size stands for however many there were."""
    origin = known()
    for number in range(10_000):
        origin.host.usage.answered((number * 7919 % 10_000) / 10_000)
    assert origin.host.usage.latency == pytest.approx(0.5, abs=0.25)
    assert not math.isnan(origin.host.usage.latency or math.nan)
