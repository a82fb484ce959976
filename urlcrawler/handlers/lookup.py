"""Names -> addresses that may be connected to.

Twisted connects to exactly what its resolver says, literal addresses and odd spellings of them
(`0x7f.1`) included, so this is the one place that nothing gets past: no redirect, no second answer
of a name server, no request of a pipeline's own.
"""

from typing import Any

from scrapy.crawler import Crawler
from scrapy.utils.datatypes import LocalCache
from twisted.internet.interfaces import (
    IHostnameResolver,
    IHostResolution,
    IResolutionReceiver,
)
from zope.interface import implementer

from urlcrawler.addresses import AddressPolicy
from urlcrawler.exceptions import PrivateAddress

_MOST_REFUSALS = 10_000


@implementer(IHostnameResolver)
class GuardedResolver:
    """Leave out private addresses of what another resolver finds.

    There is one in a process, like the reactor. Of several crawls in it, each with a policy of its
    own, the strictest holds for all: a connection does not say whose it is.

    Attributes:
        refusals: why a host could not be resolved, by name.
    """

    def __init__(self, resolver: Any) -> None:
        self._resolver = resolver
        self._policies: dict[Crawler, AddressPolicy] = {}
        self.refusals = LocalCache[str, PrivateAddress](_MOST_REFUSALS)
        # Host and port of those that users have chosen, wherever they are.
        self._proxies: dict[Crawler, set[tuple[str, int]]] = {}

    @classmethod
    def install(cls, reactor: Any) -> "GuardedResolver":
        """Put a guard before the resolver of *reactor*, or return the one that is there."""
        found = reactor.nameResolver
        if isinstance(found, cls):
            return found
        guard = cls(found)
        reactor.installNameResolver(guard)
        return guard

    def begin(self, crawler: Crawler, policy: AddressPolicy) -> None:
        """Guard the connections of *crawler* too."""
        self._policies[crawler] = policy

    def end(self, crawler: Crawler) -> None:
        """Take in that *crawler* opens no more connections."""
        self._policies.pop(crawler, None)
        self._proxies.pop(crawler, None)

    def add_proxy(self, crawler: Crawler, host: str, port: int) -> None:
        """Note a proxy that *crawler* uses."""
        self._proxies.setdefault(crawler, set()).add((host, port))

    def is_proxy(self, host: str, port: int) -> bool:
        """Return whether somebody has chosen to connect there."""
        return any((host, port) in proxies for proxies in self._proxies.values())

    def note_addresses(self, host: str, port: int, addresses: list[str]) -> None:
        """Note what a name was found to be: the addresses of a proxy are the proxy too."""
        for proxies in self._proxies.values():
            if (host, port) in proxies:
                proxies.update((address, port) for address in addresses)

    def refusal(self, address: str) -> str | None:
        """Return what kind of address it is when it is refused, None when it is not.

        Raises:
            ValueError: it is no address.
        """
        kinds = (policy.refusal(address) for policy in self._policies.values())
        return next((kind for kind in kinds if kind), None)

    def resolveHostName(  # noqa: N802 - Twisted's names
        self,
        resolutionReceiver: Any,  # noqa: N803 - an IResolutionReceiver
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Tell *resolutionReceiver* the addresses of *hostName* that may be connected to."""
        receiver: Any = resolutionReceiver
        if not self.is_proxy(hostName, portNumber):
            receiver = _Filter(receiver, hostName, self)
        return self._resolver.resolveHostName(receiver, hostName, portNumber, *args, **kwargs)


@implementer(IResolutionReceiver)
class _Filter:
    def __init__(self, receiver: Any, host: str, guard: GuardedResolver) -> None:
        self._receiver = receiver
        self._host = host
        self._guard = guard
        self._refusal: PrivateAddress | None = None
        self._is_any_left = False

    def resolutionBegan(self, resolution: IHostResolution) -> None:  # noqa: N802
        self._guard.refusals.pop(self._host, None)
        self._receiver.resolutionBegan(resolution)

    def addressResolved(self, address: Any) -> None:  # noqa: N802
        if kind := self._guard.refusal(address.host):
            self._refusal = PrivateAddress(self._host, address.host, kind)
        else:
            self._is_any_left = True
            self._receiver.addressResolved(address)

    def resolutionComplete(self) -> None:  # noqa: N802
        if self._refusal and not self._is_any_left:
            self._guard.refusals[self._host] = self._refusal
        self._receiver.resolutionComplete()
