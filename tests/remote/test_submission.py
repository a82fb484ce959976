"""What a job is given of a list."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urlcrawler.exceptions import ArgumentError, ListError
from urlcrawler.inputs.formats import open_reader
from urlcrawler.inputs.index import ListIndex
from urlcrawler.inputs.inline import open_inline
from urlcrawler.inputs.records import Record
from urlcrawler.inputs.sources import Source, open_source
from urlcrawler.remote.submission import describe

CELLS = st.sampled_from(
    ["http://a.example/", "b.example", "with blank", "#no", '"quoted\nline"', "é", "\x85", "{", ""]
)
LINES = st.lists(st.lists(CELLS, min_size=1, max_size=3).map(",".join), min_size=1, max_size=6)


def records(source: Source) -> tuple[list[Record], list[str]]:
    try:
        index = ListIndex(open_reader(source, None))
        return [index.record(place + 1) for place in range(len(index))], index.columns
    finally:
        source.close()


@given(
    lines=LINES,
    suffix=st.sampled_from([".txt", ".csv", ".tsv", "", ".jsonl"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]),
)
def test_a_list_that_is_sent_has_the_records_of_the_file(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[str],
    suffix: str,
    end: str,
    encoding: str,
) -> None:
    """All of them, with their columns and mistakes, whatever its format and encoding."""
    path = tmp_path_factory.mktemp("list") / f"my list{suffix}"
    path.write_bytes(end.join(["url,who", *lines, ""]).encode(encoding, errors="replace"))
    source = open_source(str(path))
    try:
        expected = records(source)
    except ListError:
        with pytest.raises(ListError):
            describe(str(path), "urls", {}, None)
        return
    sent = describe(str(path), "urls", {}, None).arguments
    found = open_inline(sent["urls"], sent["_name"])
    assert found.name == source.name
    assert records(found) == expected


def test_the_id_of_a_job_is_that_of_its_list_and_arguments(tmp_path: Path) -> None:
    """The same again is the same job, also with `retry`; another list or selector is another."""
    path = tmp_path / "urls.txt"
    path.write_text("http://a.example/\n")
    job = describe(str(path), "urls", {}, None).job
    assert job == describe(str(path), "urls", {"retry": "failed"}, None).job
    others = {
        describe(str(path), "own", {}, None).job,
        describe(str(path), "urls", {"fields": "f.yaml"}, None).job,
        describe(None, "urls", {"file": "/srv/urls.txt"}, None).job,
        describe(None, "urls", {"file": "https://lists.example/urls.txt?d=1"}, None).job,
    }
    path.write_text("http://a.example/\nhttp://b.example/\n")
    others.add(describe(str(path), "urls", {}, None).job)
    assert len(others - {job}) == 5
    assert {each.startswith("urls-") for each in others} == {True}


@pytest.mark.parametrize(
    ("path", "arguments", "job", "words"),
    [
        (None, {}, None, "name one list"),
        ("urls.txt", {"file": "urls.txt"}, None, "name one list"),
        ("urls.txt", {"_job": "1"}, None, "`_job`: scrapyd has a use of its own"),
        ("urls.txt", {"project": "p"}, None, "`project`: scrapyd has a use of its own"),
        ("urls.txt", {"json_ld": "x" * 100_001}, None, "`json_ld`: has over 100,000 bytes"),
        ("urls.txt", {}, "../up", "--jobid: must be letters"),
        ("urls.txt", {}, "x" * 81, "--jobid: must be letters"),
        ("long.txt", {}, None, "Copy the list to the server and type -a file="),
        ("long.txt.gz", {}, None, "has over 100,000 bytes"),
        ("nul.txt", {}, None, "holds a NUL"),
        ("empty.txt", {}, None, "the list is empty"),
        ("none.txt", {}, None, "no such file: 'none.txt'"),
    ],
)
def test_what_cannot_be_sent_is_refused_here(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str | None,
    arguments: dict[str, str],
    job: str | None,
    words: str,
) -> None:
    """scrapyd would drop such a job without a word, or it would fail at the server."""
    import gzip

    monkeypatch.chdir(tmp_path)
    long = b"".join(b"http://a.example/%d\n" % n for n in range(5000))
    Path("long.txt").write_bytes(long)
    Path("long.txt.gz").write_bytes(gzip.compress(long))
    Path("nul.txt").write_bytes(b"http://a.example/ and more\nhttp://a.example/\0\n")
    Path("urls.txt").write_text("http://a.example/\n")
    Path("empty.txt").write_text("")
    with pytest.raises((ArgumentError, ListError), match=words.replace("[", r"\[")):
        describe(path, "urls", arguments, job)
