"""Which addresses a list from the open web may lead to."""

import socket
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from urlcrawler.exceptions import PrivateAddress

Network = IPv4Network | IPv6Network

# IANA IPv4 Special-Purpose Address Registry, and what it leaves to RFC 5771 and RFC 1112.
_IPV4 = {
    "0.0.0.0/8": "of this network",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "shared by customers of a provider",
    "127.0.0.0/8": "of this machine",
    "168.63.129.16/32": "of a cloud for its own machines",  # Azure's; in no registry
    "169.254.0.0/16": "link-local, as those of cloud metadata are",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "for protocols",
    "192.0.2.0/24": "for examples",
    "192.88.99.0/24": "of a relay",
    "192.168.0.0/16": "private",
    "198.18.0.0/15": "for benchmarks",
    "198.51.100.0/24": "for examples",
    "203.0.113.0/24": "for examples",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved",
}
# IANA IPv6 registries: only 2000::/3 is given out. Of that, and of others for a clearer word:
_IPV6 = {
    "::/128": "of this machine",
    "::1/128": "of this machine",
    "64:ff9b:1::/48": "translated to a private one",
    "2001::/23": "for protocols",
    "2001:db8::/32": "for examples",
    "3fff::/20": "for examples",
    "fc00::/7": "private",
    "fe80::/10": "link-local",
    "fec0::/10": "private",
    "ff00::/8": "multicast",
}
_GIVEN_OUT = IPv6Network("2000::/3")
# An IPv4 address inside of an IPv6 one, and how many bits follow it: mapped (RFC 4291), compatible
# (the same), translated (RFC 6052), 6to4 (RFC 3056).
_EMBEDDED = {"::ffff:0:0/96": 0, "::/96": 0, "64:ff9b::/96": 0, "2002::/16": 80}

_NAMED: list[tuple[Network, str]] = [(ip_network(net), kind) for net, kind in _IPV4.items()]
_NAMED += [(ip_network(net), kind) for net, kind in _IPV6.items()]
_EMBEDDING = [(IPv6Network(net), bits) for net, bits in _EMBEDDED.items()]


def allowed_addresses(value: Any) -> list[str] | bool:
    """Read the setting ALLOW_PRIVATE_ADDRESSES: true, false, or networks."""
    if isinstance(value, str):
        value = {"1": True, "true": True, "0": False, "false": False, "": False}.get(
            value.strip().lower(), value.replace(",", " ").split()
        )
    return bool(value) if isinstance(value, bool | int | type(None)) else list(map(str, value))


def is_address(host: str) -> bool:
    """Return whether *host* is an address, in one of the spellings that connections take."""
    return _written_out(host) is not None


def _written_out(host: str) -> str | None:
    """Return the address that *host* is, however it is spelled; None for a name."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761
        return "127.0.0.1"
    try:
        ip_address(name.partition("%")[0])
    except ValueError:
        with suppress(OSError):  # 127.1, 0x7f000001 and the like
            return socket.inet_ntoa(socket.inet_aton(name))
        return None
    return name


class AddressPolicy:
    """Refuse addresses that are not on the public internet, unless they are allowed."""

    def __init__(self, allowed: Iterable[str] | bool) -> None:
        """Allow all (True), none (False), or these networks.

        Raises:
            ValueError: one of them is no network.
        """
        self._allows_all = allowed is True
        names = () if isinstance(allowed, bool) else allowed
        self._allowed: list[Network] = [ip_network(name) for name in names]
        self._known: dict[str, str | None] = {}

    @property
    def refuses_any(self) -> bool:
        """Whether it makes a difference."""
        return not self._allows_all

    def refusal(self, address: str) -> str | None:
        """Return what kind of address it is when it is refused, None when it is not.

        Raises:
            ValueError: it is no address.
        """
        if self._allows_all:
            return None
        if address not in self._known:
            if len(self._known) > 65_536:
                self._known.clear()
            self._known[address] = self._look(ip_address(address.partition("%")[0]))
        return self._known[address]

    def check_literal(self, host: str) -> None:
        """Refuse *host* if it is an address, and a private one.

        Raises:
            PrivateAddress: it is.
        """
        address = _written_out(host)
        if address and (kind := self.refusal(address)):
            raise PrivateAddress(host, address, kind)

    def _look(self, address: IPv4Address | IPv6Address) -> str | None:
        if any(address in network for network in self._allowed):
            return None
        kind = next((kind for network, kind in _NAMED if address in network), None)
        if kind or isinstance(address, IPv4Address):
            return kind
        for network, bits in _EMBEDDING:
            if address in network:
                return self._look(IPv4Address(int(address) >> bits & 0xFFFF_FFFF))
        return None if address in _GIVEN_OUT else "not given out"
