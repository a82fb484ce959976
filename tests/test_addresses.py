"""Which addresses a list from the open web may lead to."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urlcrawler.addresses import AddressPolicy, allowed_addresses
from urlcrawler.exceptions import PrivateAddress

PUBLIC = ["93.184.216.34", "1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.255.255", "2606:4700::1",
          "64:ff9b::5db8:d822", "2002:5db8:d822::1", "::ffff:1.1.1.1"]  # fmt: skip
PRIVATE = {
    "127.0.0.1": "of this machine",
    "127.255.255.254": "of this machine",
    "0.0.0.0": "of this network",
    "10.1.2.3": "private",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.168.1.1": "private",
    "168.63.129.16": "of a cloud for its own machines",
    "169.254.169.254": "link-local, as those of cloud metadata are",
    "100.100.100.200": "shared by customers of a provider",
    "192.0.0.192": "for protocols",
    "224.0.0.1": "multicast",
    "255.255.255.255": "reserved",
    "::": "of this machine",
    "::1": "of this machine",
    "::ffff:127.0.0.1": "of this machine",
    "::ffff:a9fe:a9fe": "link-local, as those of cloud metadata are",
    "::7f00:1": "of this machine",
    "64:ff9b::a00:1": "private",
    "64:ff9b:1::1": "translated to a private one",
    "2002:7f00:1::": "of this machine",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2": "for protocols",
    "fe80::1%eth0": "link-local",
    "fd00:ec2::254": "private",
    "fec0::1": "private",
    "ff02::1": "multicast",
    "4000::1": "not given out",
}


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_not_refused(address: str) -> None:
    """Nor those beside a private network, nor those that carry a public one."""
    assert AddressPolicy(False).refusal(address) is None


@pytest.mark.parametrize(("address", "kind"), PRIVATE.items())
def test_private_addresses_are_refused(address: str, kind: str) -> None:
    """With the word for it, also inside of another address."""
    assert AddressPolicy(False).refusal(address) == kind


@given(st.ip_addresses())
def test_whatever_python_calls_private_is_refused(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    """A second opinion, for all addresses there are."""
    is_special = (
        address.is_private or address.is_loopback or address.is_link_local or address.is_multicast
        or address.is_reserved or address.is_unspecified
    )  # fmt: skip
    if is_special and AddressPolicy(False).refusal(str(address)) is None:
        # Python takes all of these for reserved; what they carry is what they lead to.
        assert address in ipaddress.ip_network("64:ff9b::/96") or address in ipaddress.ip_network(
            "::/80"
        )


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_is_refused_like_itself(address: ipaddress.IPv4Address) -> None:
    """Mapped, translated, 6to4: they all end at the same machine."""
    policy, number = AddressPolicy(False), int(address)
    wanted = policy.refusal(str(address))
    for carrier in (0xFFFF << 32 | number, 0x64_FF9B << 96 | number, 0x2002 << 112 | number << 80):
        assert policy.refusal(str(ipaddress.IPv6Address(carrier))) == wanted


def test_networks_can_be_allowed() -> None:
    """For an intranet: these, and no others; of what they carry too."""
    policy = AddressPolicy(["10.0.0.0/8", "fd00::/8"])
    assert [policy.refusal(address) for address in ("10.9.9.9", "fd00::1", "::ffff:10.0.0.1")] == [
        None, None, None,
    ]  # fmt: skip
    assert policy.refusal("192.168.0.1")


def test_only_addresses_are_literal() -> None:
    """A name is looked up first."""
    policy = AddressPolicy(False)
    policy.check_literal("example.com")
    for host in ("10.0.0.1", "[::1]", "::1"):
        with pytest.raises(PrivateAddress, match="ALLOW_PRIVATE_ADDRESSES"):
            policy.check_literal(host)


@pytest.mark.parametrize(
    ("value", "allowed"),
    [
        (False, False), (True, True), ("0", False), ("1", True), ("True", True), ("", False),
        (None, False), (0, False), ("10.0.0.0/8,fd00::/8", ["10.0.0.0/8", "fd00::/8"]),
        ("10.0.0.0/8 127.0.0.1", ["10.0.0.0/8", "127.0.0.1"]), (["10.0.0.0/8"], ["10.0.0.0/8"]),
    ],
)  # fmt: skip
def test_the_setting_is_a_boolean_or_networks(value: object, allowed: object) -> None:
    """As -s gives it, and as settings.py does."""
    assert allowed_addresses(value) == allowed
