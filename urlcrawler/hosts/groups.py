"""Which hosts must be polite together: THROTTLE_GROUP_BY."""

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tldextract.tldextract import ExtractResult

KEPT = 65_536  # hosts whose address is remembered
KINDS = ("host", "domain", "ip")
# Asks for the address of a host, and tells it, or None, when it is known.
Lookup = Callable[[str, Callable[[str | None], None]], None]


class Groups:
    """Names the group of a host: itself, its registered domain, or its IP address."""

    def __init__(self, kind: str, lookup: Lookup | None = None) -> None:
        self._kind = kind
        self._lookup = lookup
        self._addresses: dict[str, str] = {}

    def name(self, host: str) -> str:
        """Return the group of *host*, as far as it is known: an address may not be yet."""
        if self._kind == "domain":
            return registered_domain(host)
        return self._addresses.get(host, host)

    def find(self, host: str, ready: Callable[[str], None]) -> None:
        """Call *ready* with the group of *host*, now or when its address is known."""
        if self._kind != "ip" or self._lookup is None or host in self._addresses:
            ready(self.name(host))
            return

        def found(address: str | None) -> None:
            if address and address != host:  # a host that does not resolve stands for itself
                self._addresses[host] = address
                if len(self._addresses) > KEPT:
                    del self._addresses[next(iter(self._addresses))]
            ready(self.name(host))

        self._lookup(host, found)


@lru_cache(maxsize=65_536)
def registered_domain(host: str) -> str:
    """Return what was registered of *host* (`example.co.uk`), or *host* if it is an address.

    By the public suffix list that tldextract brings along: no crawl waits for a download of it.
    Below a suffix that is not in it (`.test`, a company's own) it is the last two labels.
    """
    labels = host.removesuffix(".").split(".")
    if ":" in host or labels[-1].isdigit():
        return host
    return _extract()(host).top_domain_under_public_suffix or ".".join(labels[-2:])


@lru_cache(maxsize=1)
def _extract() -> "Callable[[str], ExtractResult]":
    import tldextract  # a tenth of a second that only those pay who group by domain

    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
