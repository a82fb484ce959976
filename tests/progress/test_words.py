"""How far a crawl is, in words."""

import pytest

from urlcrawler.progress.standing import Standing
from urlcrawler.progress.words import duration, left, line, paused, waiting


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"), (0.4, "0 s"), (59, "59 s"), (60, "1 min"), (61, "1 min 1 s"), (3599.6, "1 h"),
        (42_000, "11 h 40 min"), (86_400, "1 d"), (200_000, "2 d 7 h"), (-5, "0 s"),
    ],
)  # fmt: skip
def test_a_duration_is_as_people_say_it(seconds: float, words: str) -> None:
    """Two units at most, the second one only when it says something."""
    assert duration(seconds) == words


def test_a_line_says_how_far_and_how_long() -> None:
    """With the host that decides; what is not known is not there."""
    standing = Standing(1200, 5000, 40.0, 95.0, "a.example", {"failed": 2, "ok": 1198})
    assert line(standing) == (
        "1,200 of 5,000 records (24%); 40.0 a second; about 1 min 35 s left for a.example; "
        "1,198 ok, 2 failed"
    )
    assert line(Standing(0, 7)) == "0 of 7 records (0%); 0.0 a second"


def test_a_host_that_is_paused_is_named_with_the_reason() -> None:
    """The one whose pause ends first, and how many more there are."""
    hosts = [("a.example", "429", 90.0), ("b.example", "503", 12.0)]
    assert paused(Standing(paused=hosts)) == "paused: b.example for 12 s (503) and 1 more hosts"


def test_a_crawl_that_has_stalled_says_what_it_waits_for() -> None:
    """After twenty seconds without a row, and not when it is complete."""
    stalled = Standing(5, 10, silent=31.0, waiting={"answers": 3, "robots.txt files": 1})
    assert waiting(stalled) == "no row for 31 s, waiting for 3 answers, 1 robots.txt files"
    assert waiting(Standing(5, 10, silent=19.0)) == ""
    assert waiting(Standing(10, 10, silent=31.0)) == ""


def test_nothing_is_left_of_a_complete_crawl() -> None:
    """However it was estimated."""
    assert left(Standing(10, 10, 1.0, 60.0)) == ""


def test_of_several_processes_the_last_to_end_decides() -> None:
    """What each of them waits for is added up."""
    standing = Standing(5, 10, 1.0, 5.0)
    part = {"seconds_left": 60.0, "slowest": "a.example", "paused": [["a.example", "429", 3.0]],
            "rendering": 2, "waiting": {"answers": 3}}  # fmt: skip
    standing.take([part, {**part, "seconds_left": None, "slowest": None}])
    assert (standing.seconds_left, standing.slowest) == (60.0, "a.example")
    assert (standing.rendering, standing.waiting, len(standing.paused)) == (4, {"answers": 6}, 2)


def test_control_characters_of_a_host_reach_no_terminal() -> None:
    """A name out of a list may hold anything."""
    assert "\x1b" not in left(Standing(1, 2, 1.0, 5.0, "a\x1b[2J.example"))
