"""Headers for some hosts, and where they are not sent."""

from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Request

from urlcrawler.inputs.hostheaders import HostHeaders as Headers
from urlcrawler.middlewares.hostheaders import HostHeaders


def sent(*hops: str) -> list[bytes | None]:
    """Return the header that each hop of a redirect gets."""
    secrets = Headers({"a.com": {"Authorization": "Bearer S"}})
    crawler: Any = SimpleNamespace(spider=SimpleNamespace(host_headers=secrets))
    middleware, request = HostHeaders(crawler), Request(hops[0])
    found = []
    for place, url in enumerate(hops):
        meta = request.meta | {"redirect_urls": list(hops[:place])}
        request = request.replace(url=url, meta=meta)
        middleware.process_request(request)
        found.append(request.headers.get("Authorization"))
    return found


@pytest.mark.parametrize(
    ("hops", "secret"),
    [
        (["https://a.com/", "https://a.com/b"], [True, True]),
        (["http://a.com/", "https://a.com/"], [True, True]),
        (["https://a.com/", "https://b.com/", "https://a.com/"], [True, False, True]),
        (["https://a.com/", "http://a.com/"], [True, False]),
        (["https://a.com/", "http://a.com/", "http://a.com/login"], [True, False, False]),
        (["https://a.com/", "http://b.com/", "http://a.com/"], [True, False, False]),
    ],
)
def test_secrets_are_not_sent_in_the_clear_after_https(hops: list[str], secret: list[bool]) -> None:
    """However many hops ago that was."""
    assert [value is not None for value in sent(*hops)] == secret
