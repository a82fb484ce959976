"""The queue of hosts: what is given out, when, and to whom."""

import gc
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from urlcrawler.hosts import queue as queue_module
from urlcrawler.hosts.host import Host
from urlcrawler.hosts.manners import Manners, Sent
from urlcrawler.hosts.origin import Origin
from urlcrawler.hosts.queue import HostQueue, Turn
from urlcrawler.hosts.shares import CROWDED
from urlcrawler.inputs.index import ListIndex
from urlcrawler.inputs.readers import Reader

OpenReader = Callable[..., Reader]
Queue = HostQueue[str]
FIXED = Manners(9, adaptive=False)


@dataclass
class Crawl:
    """A crawl without a network: takes, remembers, gives back.

    Requests that are pushed are `name/number`, records of the list are their positions.
    """

    queue: Queue
    waiting: dict[str, list[int | str]]
    per_host: int
    total: int
    origins: int = 1
    out: list[Origin[str]] = field(default_factory=list)
    given: list[int | str] = field(default_factory=list)

    def take(self) -> Turn[str] | None:
        working = sum(bool(waiting) for waiting in self.waiting.values())
        turn = self.queue.take()
        if turn:
            what = turn.record.record.position if turn.record else str(turn.request)
            self.given.append(what)
            host = turn.origin.host
            self.out.append(turn.origin)
            self.waiting[host.name].remove(what)
            share = max(1, min(self.per_host, self.total // working))
            may_have_more = len(self.out) <= CROWDED * self.total + 1
            assert self.active[host.name] <= (self.per_host if may_have_more else share)
            assert host.active == self.active[host.name]
        assert bool(self.queue) == any(self.waiting.values())
        return turn

    def push(self, name: str, number: int, priority: int = 0) -> None:
        self.queue.push(
            name, f"http://{name}:{8000 + number % self.origins}", f"{name}/{number}", priority
        )
        self.waiting.setdefault(name, []).append(f"{name}/{number}")
        assert self.queue

    def give_back(self, place: int) -> None:
        self.queue.give_back(self.out.pop(place % len(self.out)))

    @property
    def active(self) -> Counter[str]:
        return Counter(origin.host.name for origin in self.out)

    def drain(self) -> None:
        """Go on until nothing is left."""
        while self.take() or self.out:
            if self.out:
                self.give_back(0)


def crawl_of(
    reader_of: OpenReader,
    hosts: str,
    *,
    per_host: int = 2,
    total: int = 100,
    done: frozenset[int] = frozenset(),
    origins: int = 1,
) -> Crawl:
    """Return a crawl of a list with one record per letter of *hosts*, on the host it names.

    Each host has its records on so many ports.
    """
    lines = [
        f"http://{host}.com:{8000 + number % origins}/{number}" for number, host in enumerate(hosts)
    ]
    index = ListIndex(reader_of("\n".join(lines)))
    waiting: dict[str, list[int | str]] = {f"{host}.com": [] for host in hosts}
    for position, host in enumerate(hosts, 1):
        if position not in done:
            waiting[f"{host}.com"].append(position)
    queue = Queue(
        index, total=total, manners=Manners(per_host, adaptive=False), done=done.__contains__
    )
    return Crawl(queue, waiting, per_host, total, origins)


lists = st.text("abcdef", min_size=1, max_size=40)
limits = st.integers(1, 5)
ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["take", "take", "give back", "push"]),
        st.integers(0, 9),
        st.sampled_from(["a.com", "b.com", "z.com"]),
    ),
    max_size=60,
)


@settings(max_examples=300)
@given(
    hosts=lists, per_host=limits, total=st.integers(7, 20), actions=ACTIONS,
    done=st.frozensets(st.integers(1, 40)), origins=st.integers(1, 3),
)  # fmt: skip
def test_whatever_happens_everything_is_given_out_once(
    reader_of: OpenReader, hosts: str, per_host: int, total: int,
    actions: list[tuple[str, int, str]], done: frozenset[int], origins: int,
) -> None:  # fmt: skip
    """In any order of events no host has more than it may, and nothing is lost or doubled.

    Records that are done are not given out; what is pushed is.
    """
    crawl = crawl_of(reader_of, hosts, per_host=per_host, total=total, done=done, origins=origins)
    crawl.take()
    pushed = []
    for number, (action, value, name) in enumerate(actions):
        if action == "take":
            crawl.take()
        elif action == "push":
            crawl.push(name, number, value)
            pushed.append(f"{name}/{number}")
        elif crawl.out:
            crawl.give_back(value)
    crawl.drain()
    expected = [*(at for at in range(1, len(hosts) + 1) if at not in done), *pushed]
    assert Counter(crawl.given) == Counter(expected)
    assert not crawl.queue


@given(hosts=lists, per_host=limits, total=st.integers(0, 4))
def test_a_small_window_gives_out_everything_too(
    reader_of: OpenReader, hosts: str, per_host: int, total: int
) -> None:
    """With fewer places than hosts they take turns; 0 is no limit, as in Scrapy."""
    queue = crawl_of(reader_of, hosts, per_host=per_host, total=total).queue
    out, given_out = list[Origin[str]](), list[int]()
    while queue or out:
        turn = queue.take()
        if turn and turn.record:
            given_out.append(turn.record.record.position)
            out.append(turn.origin)
            assert len({origin.host.name for origin in out}) <= (total or len(hosts))
            assert turn.origin.host.active <= per_host
        elif out:
            queue.give_back(out.pop(0))
    assert sorted(given_out) == list(range(1, len(hosts) + 1))


@given(hosts=lists, per_host=limits, total=st.integers(6, 20))
def test_the_window_is_divided_fairly(
    reader_of: OpenReader, hosts: str, per_host: int, total: int
) -> None:
    """When nothing comes back, every host with records left has its share out at the least."""
    crawl = crawl_of(reader_of, hosts, per_host=per_host, total=total)
    while crawl.take():
        pass
    left = [name for name, waiting in crawl.waiting.items() if waiting]
    share = max(1, min(per_host, total // max(1, len(left))))
    assert all(share <= crawl.active[name] <= per_host for name in left)


def test_hosts_that_never_answer_leave_a_third_of_the_window_to_the_others(
    reader_of: OpenReader,
) -> None:
    """However many each may have at a time: in the second half of it they have their share only."""
    crawl = crawl_of(reader_of, "a" * 90 + "b" * 90 + "c" * 40 + "d" * 40, per_host=90, total=100)
    for _ in range(100):
        crawl.take()
    assert crawl.active["a.com"] + crawl.active["b.com"] > 50
    assert crawl.active["c.com"] + crawl.active["d.com"] > 33


@given(hosts=lists, per_host=limits, total=st.integers(2, 20), dead=st.sampled_from("abcdef"))
def test_a_host_that_never_answers_does_not_stop_the_others(
    reader_of: OpenReader, hosts: str, per_host: int, total: int, dead: str
) -> None:
    """All records of the other hosts are given out, wherever its own stand in the list."""
    queue = crawl_of(reader_of, dead * 50 + hosts, per_host=per_host, total=total).queue
    others = Counter[str]()
    while turn := queue.take():
        if turn.origin.host.name != f"{dead}.com":
            others[turn.origin.host.name] += 1
            queue.give_back(turn.origin)
    assert others == Counter(f"{host}.com" for host in hosts if host != dead)


def test_the_host_that_takes_longest_has_its_turn_first(reader_of: OpenReader) -> None:
    """After a first request of each: with one place free at a time, all end together."""
    crawl = crawl_of(reader_of, "aabbbbbbc", per_host=16)
    while crawl.take():
        pass
    assert crawl.given == [3, 1, 9, 4, 5, 6, 7, 2, 8]


def test_a_slow_host_takes_longer_than_a_large_one(reader_of: OpenReader) -> None:
    """What counts are seconds, of the pace that a host has."""
    crawl = crawl_of(reader_of, "aaaaabbb", per_host=1)
    crawl.take()
    crawl.take()
    host = crawl.queue.kept.get("b.com")
    assert host
    assert host.seconds_left(0.0) == 2.0
    host.pace.ask(10.0, 0.0)
    assert host.seconds_left(0.0) == 20.0


def test_what_is_done_already_takes_no_time(reader_of: OpenReader) -> None:
    """Of a crawl that goes on: a host counts by what is left of it."""
    lines = "\n".join(f"http://{host}.com/{n}" for n, host in enumerate("aaaabb"))
    index = ListIndex(reader_of(lines))
    done = np.array([True, True, True, False, False, False])
    queue = Queue(
        index, total=9, manners=FIXED, done=lambda at: bool(done[at - 1]), sizes=index.sizes(done)
    )
    turns = [queue.take() for _ in range(3)]
    positions = [turn.record.record.position for turn in turns if turn and turn.record]
    assert positions == [4, 5, 6]
    assert [host.left for host in queue.kept.open.values()] == [0, 0]


def test_a_share_that_shrinks_holds_for_hosts_that_stand_in_the_row(
    reader_of: OpenReader,
) -> None:
    """A host that could have a fourth request loses its turn when two more hosts come."""
    crawl = crawl_of(reader_of, "a" * 9, per_host=6, total=6)
    for _ in range(3):
        crawl.take()
    crawl.push("b.com", 0)
    crawl.push("c.com", 0)
    crawl.drain()
    assert crawl.given[:5] == [1, 2, 3, "b.com/0", "c.com/0"]


def test_follow_ups_go_before_records_by_priority(reader_of: OpenReader) -> None:
    """A redirect or retry is nearer to its row than a record that was not begun."""
    crawl = crawl_of(reader_of, "aaaa", per_host=9)
    crawl.take()
    for number, priority in enumerate([0, 5, -5, 5]):
        crawl.push("a.com", number, priority)
    crawl.drain()
    assert crawl.given == [1, "a.com/1", "a.com/3", "a.com/0", "a.com/2", 2, 3, 4]


def test_requests_need_not_be_comparable(reader_of: OpenReader) -> None:
    """Equal priorities keep the order in which they were pushed."""
    queue = HostQueue[object](
        ListIndex(reader_of("not a url")),
        total=9,
        manners=FIXED,
        done=lambda position: False,
    )
    requests = [object() for _ in range(9)]
    for request in requests:
        queue.push("a.com", "http://a.com", request)
    turns = [queue.take() for _ in requests]
    assert [turn.request for turn in turns if turn] == requests


def test_a_list_that_is_done_gives_out_nothing(reader_of: OpenReader) -> None:
    """The second run of a complete crawl requests nothing."""
    crawl = crawl_of(reader_of, "aabbc", done=frozenset(range(1, 6)))
    assert crawl.take() is None
    assert not crawl.queue


def test_a_record_that_is_done_meanwhile_is_skipped(reader_of: OpenReader) -> None:
    """`done` is asked when a record comes up, not once at the start."""
    done = set[int]()
    index = ListIndex(reader_of("http://a.com/1\nhttp://a.com/2\nhttp://a.com/3\n"))
    queue = Queue(index, total=9, manners=FIXED, done=done.__contains__)
    done.update({1, 2})
    turn = queue.take()
    assert turn
    assert turn.record
    assert turn.record.record.position == 3


@pytest.mark.parametrize("total", [1, 10])
def test_hosts_that_are_finished_are_forgotten(reader_of: OpenReader, total: int) -> None:
    """A list of a million hosts has *total* of them in memory, and a few known ones, at most."""
    lines = "\n".join(f"http://h{number}.com/" for number in range(500))
    queue = Queue(
        ListIndex(reader_of(lines)),
        total=total,
        manners=FIXED,
        done=lambda position: False,
        most_known=5,
    )
    gc.collect()
    others = sum(isinstance(thing, Host) for thing in gc.get_objects())
    out, most = list[Origin[str]](), 0
    for step in range(500):
        turn = queue.take()
        out += [turn.origin] if turn else []
        while len(out) == total or (out and not turn):
            queue.give_back(out.pop(0))
            turn = None
        if step % 50 == 0:
            alive = sum(isinstance(thing, Host) for thing in gc.get_objects())
            most = max(most, alive - others)
    assert most <= total + 5


def test_many_silent_hosts_may_mean_that_this_machine_is_offline(reader_of: OpenReader) -> None:
    """One silent host among others that answer, or alone, says nothing of that kind."""
    crawl = crawl_of(reader_of, "abc")
    origins = [turn.origin for turn in (crawl.take(), crawl.take(), crawl.take()) if turn]
    silent = Sent(0.0, 1, 1)
    origins[0].unreachable(silent, 30.0, "read-timeout", "", weight=3)
    assert not crawl.queue.kept.may_be_offline(origins[0])
    origins[1].unreachable(silent, 30.0, "connect-timeout", "", weight=3)
    assert crawl.queue.kept.may_be_offline(origins[0])
    crawl.queue.kept.satisfied(origins[2], silent, 31.0)
    assert not crawl.queue.kept.may_be_offline(origins[0])


def test_what_backs_off_is_bounded(reader_of: OpenReader) -> None:
    """A host of whose requests many wait to be tried again gets no further record meanwhile."""
    now = [0.0]
    queue = Queue(
        ListIndex(reader_of("\n".join(f"http://a.com/{n}" for n in range(100)))),
        total=99,
        manners=Manners(50, adaptive=False),
        done=lambda position: False,
        clock=lambda: now[0],
    )
    given = 0
    for number in range(100):
        if turn := queue.take():
            given += turn.record is not None
            queue.push("a.com", "http://a.com", str(number), not_before=10.0)
            queue.give_back(turn.origin)
    assert given == 32
    now[0] = 10.0
    turns = [queue.take() for _ in range(33)]
    assert [turn.request is not None for turn in turns if turn] == [True] * 32 + [False]


def test_a_record_that_is_deferred_comes_last(reader_of: OpenReader) -> None:
    """When all others are done, once, with what was known of it."""
    crawl = crawl_of(reader_of, "aab", per_host=1)
    first = crawl.take()
    assert first
    assert first.record
    crawl.queue.remaining.last_round.defer(first.record.record.position, 3, "http-5xx", 503)
    crawl.waiting["a.com"].append(first.record.record.position)
    crawl.give_back(0)
    crawl.drain()
    assert sorted(crawl.given[:3]) == [1, 2, 3]
    assert crawl.given[3:] == [first.record.record.position]
    assert not crawl.queue


def test_while_much_follows_up_no_record_is_begun(
    reader_of: OpenReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a list of redirects to one slow host would come to wait in memory, all of it."""
    monkeypatch.setattr(queue_module, "MOST_PUSHED", 3)
    crawl = crawl_of(reader_of, "aaabbb", per_host=1)
    for number in range(4):
        crawl.push("slow.com", number)
    taken = [crawl.take(), crawl.take(), crawl.take()]
    assert [str(turn and turn.request) for turn in taken] == ["slow.com/0", "None", "None"]
    assert {turn and turn.record for turn in taken} == {None}
    crawl.give_back(0)
    crawl.take()
    crawl.take()
    assert crawl.given[1:] == ["slow.com/1", 1]
    crawl.drain()
    assert len(crawl.given) == 10


def test_a_group_of_many_origins_opens_some_at_a_time(
    reader_of: OpenReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A domain with thousands of host names: each is crawled, and few are kept in memory."""
    monkeypatch.setattr(queue_module, "MOST_ORIGINS", 4)
    lines = [f"http://{number % 50}.a.com/{number}" for number in range(200)]
    queue = Queue(
        ListIndex(reader_of("\n".join(lines))),
        total=20,
        manners=Manners(3, adaptive=False),
        done=lambda position: False,
        group=lambda name, ready: ready("a.com"),
    )
    given, out = list[int](), list[Origin[str]]()
    while queue or out:
        if turn := queue.take():
            assert turn.record
            given.append(turn.record.record.position)
            out.append(turn.origin)
            assert len(turn.origin.host.working) <= 4
        else:
            queue.give_back(out.pop(0))
    assert sorted(given) == list(range(1, 201))


def test_an_origin_that_is_down_is_given_up_beside_one_that_is_well(
    reader_of: OpenReader,
) -> None:
    """Only what waits for the one is written off, and the other is crawled to its end."""
    now = [0.0]
    lines = [f"http://a.com:{port}/{number}" for port in (81, 82) for number in range(50)]
    queue = Queue(
        ListIndex(reader_of("\n".join(lines))),
        total=20,
        manners=Manners(3),
        done=lambda position: False,
        clock=lambda: now[0],
    )
    good, written_off = list[int](), list[int]()
    while queue:
        while queue.given_up:
            origin = queue.given_up.popleft()
            assert origin.name == "http://a.com:81"
            while turn := queue.write_off(origin):
                assert turn.record
                written_off.append(turn.record.record.position)
        if turn := queue.take():
            now[0] += 0.1
            if turn.origin.name.endswith("81"):
                turn.origin.unreachable(turn.sent, now[0], "refused", "")
            else:
                assert turn.record
                good.append(turn.record.record.position)
                turn.origin.answered(turn.sent, 0.1, now[0])
                queue.kept.satisfied(turn.origin, turn.sent, now[0])
            queue.give_back(turn.origin)
        else:
            now[0] = max(now[0], queue.wake_at or 0)
    assert good == list(range(51, 101))
    assert len(written_off) == 50 - 6


def test_a_probe_of_one_origin_does_not_keep_the_others(reader_of: OpenReader) -> None:
    """It may take as long as a time-out; they are asked meanwhile."""
    now = [0.0]
    lines = [f"http://a.com:{port}/{number}" for port in (81, 82) for number in range(3)]
    queue = Queue(
        ListIndex(reader_of("\n".join(lines))),
        total=20,
        manners=Manners(9, adaptive=False),
        done=lambda position: False,
        clock=lambda: now[0],
    )
    first = queue.take()
    assert first
    ill = first.origin
    ill.satisfied(first.sent, 0.1, "http://a.com:81/good")
    ill.unreachable(Sent(0.2, 1, 1), 1.0, "read-timeout", "", weight=3)
    queue.give_back(ill)
    now[0] = ill.circuit.probe_at
    turns = [turn for turn in (queue.take() for _ in range(9)) if turn]
    assert sum(turn.probe is not None for turn in turns) == 1
    assert sum(turn.origin is not ill for turn in turns) == 3
