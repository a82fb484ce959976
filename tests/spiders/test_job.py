"""Ids of jobs as parts of file names."""

from hypothesis import given
from hypothesis import strategies as st

from urlcrawler.spiders.job import file_name


@given(job=st.text(min_size=1))
def test_any_id_is_a_file_name(job: str) -> None:
    """Of one folder, not hidden, and short enough for the names of what stands beside the table."""
    name = file_name(job)
    assert not {"/", "\0", "\n"} & set(name)
    assert not name.startswith(".")
    assert 0 < len(name.encode()) <= 80
    assert name.isascii()


@given(jobs=st.sets(st.text(min_size=1), min_size=2, max_size=2))
def test_two_ids_are_two_file_names(jobs: set[str]) -> None:
    """Jobs never write into each other."""
    one, other = jobs
    assert file_name(one) != file_name(other)


def test_what_scrapyd_gives_by_itself_stays_as_it_is() -> None:
    """So the table is found by the id that schedule.json has answered with."""
    assert file_name("05f1aa3c8a7c11f0b1c8d78fc2e2ab40") == "05f1aa3c8a7c11f0b1c8d78fc2e2ab40"
