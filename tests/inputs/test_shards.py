"""Which shard has which records."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from urlcrawler.hosts.groups import Groups
from urlcrawler.inputs.formats import open_reader
from urlcrawler.inputs.index import ListIndex
from urlcrawler.inputs.shards import Plan, Shard, key_of, parse_shard
from urlcrawler.inputs.sources import Source

HOST = Groups("host").name


def index_of(urls: list[str]) -> ListIndex:
    file = BytesIO(("\n".join(urls) + "\n").encode())
    return ListIndex(open_reader(Source("urls.txt", "urls", ".txt", file), None))


def hosts_of(index: ListIndex, plan: Plan, number: int) -> set[str]:
    mine = plan.members(Shard(number, plan.count))
    return {index.record(int(at) + 1).url.split("/")[2] for at in np.flatnonzero(mine)}


@pytest.mark.parametrize(
    ("text", "shard"),
    [
        ("3/16", Shard(3, 16)), ("1/1", Shard(1, 1)), (" 2/2 ", Shard(2, 2)),
        ("03-of-16", Shard(3, 16)), ("0/2", None), ("3/2", None), ("a/2", None), ("1", None),
        ("1/", None), ("-1/2", None), ("1/99999", None), ("", None),
    ],
)  # fmt: skip
def test_a_shard_is_named_by_its_number_and_their_count(text: str, shard: Shard | None) -> None:
    """Anything else is none."""
    assert parse_shard(text) == shard


def test_names_of_shards_sort_in_their_order() -> None:
    """As parts of names of files."""
    names = [Shard(number, 100).name for number in range(1, 101)]
    assert (names[2], names) == ("003-of-100", sorted(names))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 6)), min_size=1, max_size=80),
    st.integers(1, 9),
)
def test_each_record_is_in_one_shard_and_hosts_are_whole(
    pages: list[tuple[int, int]], count: int
) -> None:
    """Invalid records and duplicates too; http and https of a host stay together."""
    schemes = ("http", "https")
    urls = [
        f"{schemes[page % 2]}://h{host}.example/{page}" if host else f"no url {page}"
        for host, page in pages
    ]
    index = index_of(urls)
    plan = Plan(index, count, HOST)
    members = np.array([plan.members(Shard(number, count)) for number in range(1, count + 1)])
    assert (members.sum(axis=0) == 1).all()
    shard_of_host: dict[str, set[int]] = {}
    seen: set[str] = set()
    for place, url in enumerate(urls):
        if url.startswith("http") and url not in seen:
            number = int(members[:, place].argmax())
            shard_of_host.setdefault(url.split("/")[2], set()).add(number)
            seen.add(url)
    assert all(len(numbers) == 1 for numbers in shard_of_host.values())
    heads = [set(map(int, plan.heads(Shard(number, count)))) for number in range(1, count + 1)]
    assert sum(map(len, heads)) == len(index.heads)
    assert set().union(*heads) == set(map(int, index.heads))
    assert sum(plan.loads) == len(seen)


def test_the_largest_host_goes_onto_the_lightest_shard() -> None:
    """Loads differ by no more than the list forces."""
    sizes = {"a": 50, "b": 30, "c": 20, "d": 10, "e": 10}
    urls = [f"http://{host}.example/{n}" for host, size in sizes.items() for n in range(size)]
    index = index_of(urls)
    plan = Plan(index, 2, HOST)
    assert sorted(plan.loads) == [60, 60]
    assert hosts_of(index, plan, 1) | hosts_of(index, plan, 2) == {f"{h}.example" for h in sizes}


def test_what_is_done_weighs_nothing() -> None:
    """A crawl that goes on divides what is left."""
    urls = [f"http://{host}.example/{n}" for host in "abcd" for n in range(10)]
    index = index_of(urls)
    done = np.array([url[7] in "ab" for url in urls])
    assert Plan(index, 2, HOST, done).loads == [10, 10]


def test_hosts_of_a_domain_stay_together() -> None:
    """When they are to be polite together."""
    urls = [f"http://{name}.{n}.example/" for n in range(4) for name in ("www", "shop", "api")]
    index = index_of(urls)
    plan = Plan(index, 3, Groups("domain").name)
    domains = [{host.split(".", 1)[1] for host in hosts_of(index, plan, n)} for n in (1, 2, 3)]
    assert sum(map(len, domains)) == 4


def test_a_shard_knows_its_groups() -> None:
    """By keys that mean the same in every process."""
    index = index_of(["http://a.example/", "http://b.example/"])
    plan = Plan(index, 2, HOST)
    keys = {key for number in (1, 2) for key in plan.groups(Shard(number, 2)).tolist()}
    assert keys == {key_of("a.example"), key_of("b.example")}
    assert key_of("a.example") == 14738105319478931982


def test_the_plan_is_the_same_in_every_process() -> None:
    """The hashes of the index are not; nothing of a plan depends on them."""
    urls = [f"http://h{n % 37}.example/{n % 11}" for n in range(500)]
    first, second = (Plan(index_of(urls), 5, HOST) for _ in range(2))
    for number in range(1, 6):
        mine = first.members(Shard(number, 5))
        assert (mine == second.members(Shard(number, 5))).all()


def test_a_plan_that_was_saved_is_the_same(tmp_path: Path) -> None:
    """Records, heads and groups of each shard; that of another list is refused."""
    index = index_of([f"http://h{n % 17}.example/{n}" for n in range(200)] + ["no url"] * 9)
    plan = Plan(index, 4, HOST)
    plan.save(tmp_path / "plan")
    found = Plan.load(tmp_path / "plan", index)
    none_done = np.zeros(len(index), np.bool_)
    assert (found.count, found.loads) == (4, plan.loads)
    assert found.records(none_done).tolist() == plan.records(none_done).tolist()
    assert found.records(none_done).sum() == 209
    for number in range(1, 5):
        shard = Shard(number, 4)
        for name in ("members", "heads", "groups"):
            assert np.array_equal(getattr(found, name)(shard), getattr(plan, name)(shard))
        assert found.records(none_done)[number] == np.count_nonzero(found.members(shard))
    with pytest.raises(ValueError, match="of another list"):
        Plan.load(tmp_path / "plan", index_of(["http://a.example/"]))
