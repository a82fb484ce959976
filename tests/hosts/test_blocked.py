"""Pages of protection services."""

import pytest

from urlcrawler.hosts.blocked import SHORT, SIGNS, Sign, challenge

PAGE = b"<html><title>Kettle</title><p>A page like any other</p></html>"


@pytest.mark.parametrize("sign", SIGNS, ids=lambda sign: f"{sign.service} {sign.body!r:.20}")
def test_each_sign_is_recognised(sign: Sign) -> None:
    """An answer that has all of it is a page of that service."""
    status = min(sign.statuses, default=200)
    headers = {sign.header: sign.value or "1"} if sign.header else {}
    assert challenge(status, headers, b"<html>" + sign.body) == sign.service


@pytest.mark.parametrize(
    "sign", [sign for sign in SIGNS if sign.statuses and 200 not in sign.statuses]
)
def test_a_page_that_was_given_is_no_challenge(sign: Sign) -> None:
    """The same headers and words with status 200 stand on pages that were served."""
    headers = {sign.header: sign.value or "1"} if sign.header else {}
    assert challenge(200, headers, b"<html>" + sign.body) is None


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, {"server": "cloudflare", "cf-ray": "1"}, PAGE),
        (403, {"server": "cloudflare"}, PAGE),
        (403, {"server": "AkamaiGHost"}, PAGE),
        (403, {}, b"Access Denied"),
        (404, {"server": "ddos-guard"}, PAGE),
        (200, {}, PAGE + b'<p>an article that quotes id="anubis_challenge"</p>' + b" " * SHORT),
        (200, {"x-iinfo": "1"}, PAGE),
        (429, {}, b"slow down"),
    ],
)
def test_an_ordinary_answer_is_none(status: int, headers: dict[str, str], body: bytes) -> None:
    """Being behind a service is not being blocked by it, nor is a plain 403 or 429."""
    assert challenge(status, headers, body) is None


def test_the_names_in_headers_may_be_in_any_case() -> None:
    """`Server: AkamaiGHost` is how it is sent."""
    assert challenge(403, {"server": "AkamaiGHost"}, b"Access Denied") == "Akamai"
