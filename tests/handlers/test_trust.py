"""When connections of an origin are used again."""

import socket

from urlcrawler.handlers.trust import ENOUGH, MOST_IDLE, WATCHED, Trust, is_readable


def test_an_origin_is_watched_before_it_is_trusted() -> None:
    """A few connections at a time, until enough of them have been silent to their end."""
    trust = Trust()
    for _ in range(ENOUGH):
        assert (trust.allows_reuse("a"), trust.most_idle("a")) == (False, WATCHED)
        trust.note_silence("a")
    assert (trust.allows_reuse("a"), trust.most_idle("a")) == (True, MOST_IDLE)
    assert not trust.allows_reuse("b")


def test_one_answer_too_many_is_never_forgiven() -> None:
    """However silent the others are, before and after."""
    trust = Trust()
    for _ in range(ENOUGH):
        trust.note_silence("a")
    trust.distrust("a", "http://a")
    for _ in range(ENOUGH):
        trust.note_silence("a")
    assert (trust.allows_reuse("a"), trust.most_idle("a")) == (False, 0)


def test_nobody_is_trusted_when_connections_are_not_to_be_kept() -> None:
    """KEEPALIVE_ENABLED=0: none stays open, and none is used again."""
    trust = Trust(keeps_alive=False)
    assert (trust.allows_reuse("a"), trust.most_idle("a")) == (False, 0)


def test_bytes_that_wait_on_a_socket_are_seen() -> None:
    """And its end."""
    here, there = socket.socketpair()
    with here, there:
        assert not is_readable(here.fileno())
        there.send(b"x")
        assert is_readable(here.fileno())
        here.recv(1)
        assert not is_readable(here.fileno())
        there.close()
        assert is_readable(here.fileno())
