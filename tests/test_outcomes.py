"""The closed lists of outcomes and errors."""

import re

import pytest

from urlcrawler.outcomes import ERRORS, OUTCOMES, error_of_status


@pytest.mark.parametrize("slug", ERRORS)
def test_every_error_has_an_outcome_and_a_meaning(slug: str) -> None:
    """The outcome is one of the list and none of those that need no reason."""
    error = ERRORS[slug]
    assert error.outcome in OUTCOMES.keys() - {"ok", "duplicate", "unchanged"}
    assert error.meaning
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)


@pytest.mark.parametrize("outcome", sorted(OUTCOMES.keys() - {"ok", "duplicate", "unchanged"}))
def test_every_outcome_that_needs_a_reason_has_errors(outcome: str) -> None:
    """No outcome stands in the list that cannot happen."""
    assert outcome in {error.outcome for error in ERRORS.values()}


@pytest.mark.parametrize("outcome", ["invalid", "robots"])
def test_what_was_decided_is_not_tried_again(outcome: str) -> None:
    """Crawling again helps neither a line that is no URL nor one that a rule forbids."""
    assert not any(error.retryable for error in ERRORS.values() if error.outcome == outcome)


STATUSES = {
    200: None, 201: None, 204: None, 206: None, 299: None, 304: None,
    300: "bad-redirect", 301: "bad-redirect", 302: "bad-redirect", 308: "bad-redirect",
    400: "http-4xx", 401: "http-4xx", 403: "http-4xx", 404: "http-4xx", 410: "http-4xx",
    418: "http-4xx", 451: "http-4xx", 499: "http-4xx", 429: "rate-limited",
    500: "http-5xx", 502: "http-5xx", 503: "http-5xx", 504: "http-5xx", 520: "http-5xx",
    599: "http-5xx", 999: "http-5xx",
}  # fmt: skip


@pytest.mark.parametrize(("status", "slug"), STATUSES.items())
def test_a_status_has_its_error(status: int, slug: str | None) -> None:
    """A redirect that is a final answer could not be followed; 304 is no error."""
    assert error_of_status(status) == slug


def test_any_status_has_a_known_error_or_none() -> None:
    """Servers invent numbers."""
    assert {error_of_status(status) for status in range(100, 1000)} <= {None, *ERRORS}
