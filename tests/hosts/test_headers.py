"""What servers say about waiting."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urlcrawler.hosts.headers import exhausted_for, retry_after

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0), ("120", 120), (" 7 ", 7), ("1.5", 1.5),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30),
        ("Sunday, 01-Mar-26 12:00:30 GMT", 30),
        ("Sun Mar  1 12:00:30 2026", 30),
        ("Sun, 01 Mar 2026 13:00:30 +0100", 30),
        ("Sat, 28 Feb 2026 12:00:00 GMT", 0),
        (None, None), ("", None), ("soon", None), ("-5", None), ("1e3", None), ("٣", None),
        ("Sun, 99 Mar 2026 12:00:30 GMT", None), ("99999999999999999999999 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_is_read_in_both_forms(value: str | None, seconds: float | None) -> None:
    """Seconds, or any of the three dates of RFC 9110; what is neither says nothing."""
    assert retry_after(value, NOW) == seconds


@given(st.text())
def test_no_retry_after_is_an_error(value: str) -> None:
    """Servers send what they like."""
    seconds = retry_after(value, NOW)
    assert seconds is None or seconds >= 0


@given(st.timedeltas(timedelta(0), timedelta(days=300)))
def test_a_date_is_as_many_seconds_away_as_it_is(ahead: timedelta) -> None:
    """To the second, which is all that the form can say."""
    value = (NOW + ahead).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert retry_after(value, NOW) == pytest.approx(ahead.total_seconds(), abs=1)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"ratelimit-remaining": "0", "ratelimit-reset": "30"}, 30),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "30"}, 30),
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "30"}, 30),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000030"}, 30),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1600000000"}, 0),
        ({"ratelimit": '"default";r=0;t=30'}, 30),
        ({"ratelimit": "limit=100, remaining=0, reset=30"}, 30),
        ({"ratelimit": '"default";r=5;t=30'}, None),
        ({"ratelimit": '"minute";r=0;t=30, "day";r=900;t=80000'}, 30),
        ({"ratelimit": '"minute";r=0;t=30, "hour";r=0;t=600'}, 600),
        ({"ratelimit-remaining": "5", "ratelimit-reset": "9", "ratelimit": '"b";r=0;t=30'}, 30),
        ({"ratelimit-remaining": "5", "ratelimit-reset": "30"}, None),
        ({"ratelimit-remaining": "0"}, None),
        ({"ratelimit-remaining": "none", "ratelimit-reset": "?"}, None),
        ({}, None),
    ],
)
def test_a_quota_that_is_used_up_is_noticed(headers: dict[str, str], seconds: float | None) -> None:
    """In every spelling that is in use, before the first 429."""
    assert exhausted_for(headers, 1_700_000_000.0) == seconds


@given(st.text(), st.text(), st.text())
def test_no_quota_is_an_error(remaining: str, reset: str, policy: str) -> None:
    """Nor any text in these headers."""
    headers = {"ratelimit-remaining": remaining, "ratelimit-reset": reset, "ratelimit": policy}
    seconds = exhausted_for(headers, 1_700_000_000.0)
    assert seconds is None or seconds >= 0
