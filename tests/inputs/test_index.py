"""The index, held against a dictionary of everything."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from urlcrawler.exceptions import InvalidUrl, ListError
from urlcrawler.inputs import building, grouping
from urlcrawler.inputs.index import ListIndex
from urlcrawler.inputs.readers import Reader
from urlcrawler.inputs.urls import Target, parse_target

OpenReader = Callable[..., Reader]

SPELLINGS = [
    "http://{host}/{page}", "http://{host}:80/{page}", "HTTP://{host}/{page}#top",
    "http://me:pw@{host}/{page}", "http://@{host}/{page}", "http://{host}/{page}?",
]  # fmt: skip
INVALID = ["not a url", "http://[::1", "mailto:me@a.com", "ftp://a.com/"]
urls = st.sampled_from(INVALID) | st.builds(
    str.format,
    st.sampled_from(SPELLINGS),
    host=st.sampled_from(["a.com", "b.com", "c.com", "d.com", "127.0.0.1"]),
    page=st.integers(0, 3),
)
slice_sizes = st.sampled_from([1, 2, 7, 1 << 16])


@dataclass
class Model:
    """What an index must know, kept the wasteful way."""

    hosts: dict[str, list[int]] = field(default_factory=dict)
    duplicates: dict[int, int] = field(default_factory=dict)
    invalid: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, lines: list[str], *, fetch_duplicates: bool = False, limit: int = 0) -> "Model":
        model, firsts = cls(), dict[Target, int]()
        for position, line in enumerate(lines[: limit or None], 1):
            try:
                target = parse_target(line)
            except InvalidUrl:
                model.invalid.append(position)
                continue
            first = firsts.setdefault(target, position)
            if first == position or fetch_duplicates:
                model.hosts.setdefault(target.host, []).append(position)
            else:
                model.duplicates[position] = first
        return model

    @property
    def chains(self) -> list[list[int]]:
        """Largest host first, equal ones in the order of the list."""
        return sorted(self.hosts.values(), key=lambda chain: (-len(chain), chain[0]))


def chain(index: ListIndex, head: int) -> Iterator[int]:
    """Yield the positions of one host as the crawl gets them."""
    while head:
        yield head
        head = index.following(head)


def assert_like(index: ListIndex, model: Model, lines: list[str]) -> None:
    assert [list(chain(index, int(head))) for head in index.heads] == model.chains
    without = {record.position: why for record, why in index.without_request()}
    assert list(without) == sorted([*model.invalid, *model.duplicates])
    assert {at: why for at, why in without.items() if isinstance(why, int)} == model.duplicates
    for position, line in enumerate(lines[: len(index)], 1):
        record, target = index.resolve(position)
        assert (record.position, record.url) == (position, line)
        assert isinstance(target, InvalidUrl) == (position in model.invalid)


@settings(max_examples=300)
@given(
    lines=st.lists(urls, min_size=1, max_size=40),
    size=slice_sizes,
    fetch_duplicates=st.booleans(),
    limit=st.integers(0, 45),
)
def test_the_index_knows_what_a_dictionary_knows(
    reader_of: OpenReader, lines: list[str], size: int, fetch_duplicates: bool, limit: int
) -> None:
    """Hosts, their records, duplicates and invalid ones, across the seams of every slice."""
    options: dict[str, Any] = {"fetch_duplicates": fetch_duplicates, "limit": limit}
    with mock.patch.object(grouping, "_SLICE", size):
        index = ListIndex(reader_of("\n".join(lines)), **options)
        assert len(index) == min(len(lines), limit or len(lines))
        assert_like(index, Model.of(lines, **options), lines)


def _is_request(value: Any) -> bool:
    """Tell a request, an URL or a target with a user, from an origin."""
    return isinstance(value, tuple) or value.count("/") > 2


def _same_hash_for_all_requests(value: Any) -> int:
    return 7 if _is_request(value) else hash(value)


@given(lines=st.lists(urls, min_size=1, max_size=20), size=slice_sizes)
def test_requests_that_share_a_hash_are_told_apart(
    reader_of: OpenReader, lines: list[str], size: int
) -> None:
    """A hit is verified in the list, so that a collision never costs a record its request."""
    with (
        mock.patch.object(grouping, "_SLICE", size),
        mock.patch.object(building, "hash", _same_hash_for_all_requests, create=True),
    ):
        index = ListIndex(reader_of("\n".join(lines)))
    assert_like(index, Model.of(lines), lines)


@pytest.mark.parametrize("value", [-(2**63), -2, 0, 1, 2, 2**63 - 1])
def test_no_hash_of_an_origin_has_a_meaning_of_its_own(reader_of: OpenReader, value: int) -> None:
    """Whatever the hash of an origin, its records are neither invalid nor duplicates."""

    def hash_(key: Any) -> int:
        return hash(key) if _is_request(key) else value

    lines = ["http://a.com/1", "not a url", "http://a.com/2", "http://a.com/1"]
    with mock.patch.object(building, "hash", hash_, create=True):
        index = ListIndex(reader_of("\n".join(lines)))
    assert_like(index, Model.of(lines), lines)


def test_origins_that_share_a_hash_lose_no_record(reader_of: OpenReader) -> None:
    """They are crawled as one, which is slower and complete."""
    lines = [f"http://{host}.com/{page}" for page in range(3) for host in "abc"]

    def hash_(key: Any) -> int:
        return hash(key) if _is_request(key) else 5

    with mock.patch.object(building, "hash", hash_, create=True):
        index = ListIndex(reader_of("\n".join(lines)))
    assert [list(chain(index, int(head))) for head in index.heads] == [list(range(1, 10))]


def test_ports_and_schemes_of_a_host_are_chained_apart(reader_of: OpenReader) -> None:
    """One may be down while the other is well; the usual port is the same as none."""
    lines = ["http://a.com/1", "https://a.com/1", "http://a.com:8080/1", "http://a.com:80/2"]
    index = ListIndex(reader_of("\n".join(lines)))
    assert [list(chain(index, int(head))) for head in index.heads] == [[1, 4], [2], [3]]


def test_hosts_come_largest_first(reader_of: OpenReader) -> None:
    """What takes longest begins first; duplicates do not make a host larger."""
    lines = [*["http://a.com/1"] * 5, "http://b.com/1", "http://b.com/2", "http://c.com/"]
    index = ListIndex(reader_of("\n".join(lines)))
    assert index.heads.tolist() == [6, 1, 8]


def test_large_lists_cross_the_real_slices(reader_of: OpenReader) -> None:
    """150,000 records over 50,000 hosts, a third of them duplicates."""
    lines = [f"http://h{number % 50_000}.com/{number % 100_000}" for number in range(150_000)]
    index = ListIndex(reader_of("\n".join(lines)))
    model = Model.of(lines)
    assert index.heads.tolist() == [chain[0] for chain in model.chains]
    assert list(chain(index, 50_000)) == [50_000, 100_000]
    assert {record.position: why for record, why in index.without_request()} == model.duplicates


@pytest.mark.parametrize(
    ("data", "suffix"),
    [
        ("", ".txt"),
        ("\n \n", ".txt"),
        ("# a\n\n#b", ".txt"),
        ("url,n\n\n", ".csv"),
        ("\n", ".jsonl"),
    ],
)
def test_a_list_without_a_record_is_refused(reader_of: OpenReader, data: str, suffix: str) -> None:
    """Nothing, blank lines, comments, a header alone: the sentence says that it is empty."""
    with pytest.raises(ListError, match="the list is empty"):
        ListIndex(reader_of(data, suffix))


def test_a_list_of_nothing_to_fetch_is_a_list(reader_of: OpenReader) -> None:
    """Every record is invalid, and has its row."""
    index = ListIndex(reader_of("\n".join(INVALID)))
    assert index.heads.tolist() == []
    assert [record.url for record, _ in index.without_request()] == INVALID


def test_broken_records_say_what_is_wrong_with_them(reader_of: OpenReader) -> None:
    """A line that cannot be read is `bad-record`, with the reader's own sentence."""
    index = ListIndex(reader_of('{"url": "http://a.com"}\n{"url": 1}\noops\n', ".jsonl"))
    without = index.without_request()
    assert [(record.position, getattr(why, "error", ""), str(why)) for record, why in without] == [
        (2, "bad-record", "'url' of the object is not a text"),
        (3, "bad-record", "the line is not a JSON object, or one of endless depth"),
    ]


@pytest.mark.parametrize("limit", [0, 1])
def test_the_columns_are_those_of_the_records(reader_of: OpenReader, limit: int) -> None:
    """With a limit, of the records it lets through."""
    lines = '{"url": "http://a.com", "x": 1}\n{"url": "http://b.com", "y": 1}\n'
    index = ListIndex(reader_of(lines, ".jsonl"), limit=limit)
    assert index.columns == (["x"] if limit else ["x", "y"])


def test_a_wrong_column_is_refused_with_a_limit_too(reader_of: OpenReader) -> None:
    """A trial run of ten records must not pass what the whole run refuses."""
    with pytest.raises(ListError, match="no column 'nope'; columns are: url"):
        ListIndex(reader_of('{"url": "http://a.com"}\n', ".jsonl", "nope"), limit=1)


def test_a_long_list_says_how_far_it_is(
    reader_of: OpenReader, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Minutes without a word look like a crash."""
    monkeypatch.setattr(building, "_REPORT_SECONDS", 0.0)
    with caplog.at_level("INFO"):
        ListIndex(reader_of("x:\n" * 65_536))
    assert "Reading the list: 65536 records so far" in caplog.text
