"""Which hosts must be polite together."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urlcrawler.hosts.groups import Groups, registered_domain


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("www.example.com", "example.com"),
        ("a.b.shop.example.co.uk", "example.co.uk"),
        ("example.com.", "example.com"),
        ("intranet", "intranet"),
        ("wiki.corp.internal", "corp.internal"),
        ("127.0.0.1", "127.0.0.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("xn--bcher-kva.example.de", "example.de"),
    ],
)
def test_the_registered_domain_of_a_host(host: str, domain: str) -> None:
    """By the public suffix list; of names that are not in it the last two labels; no addresses."""
    assert registered_domain(host) == domain


@given(st.text(min_size=1))
def test_every_name_has_a_group(host: str) -> None:
    """Whatever stands in a list."""
    assert registered_domain(host) or not host.strip(".")


def test_hosts_on_one_address_are_one_group() -> None:
    """From the moment on at which it is known; one that does not resolve stands for itself."""
    waiting: dict[str, Callable[[str | None], None]] = {}
    groups, found = Groups("ip", waiting.__setitem__), list[str]()
    for host in ("a.example", "b.example", "gone.example"):
        groups.find(host, found.append)
    assert found == []
    assert groups.name("a.example") == "a.example"
    waiting["a.example"]("192.0.2.1")
    waiting["b.example"]("192.0.2.1")
    waiting["gone.example"](None)
    assert found == ["192.0.2.1", "192.0.2.1", "gone.example"]
    assert groups.name("a.example") == "192.0.2.1"
    groups.find("a.example", found.append)
    assert found[-1] == "192.0.2.1"
