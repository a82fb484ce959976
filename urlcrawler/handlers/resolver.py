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

    Attributes:
        policy: which addresses are refused.
        refusals: why a host could not be resolved, by name.
        proxies: host and port of proxies, which the user has chosen, wherever they are.
    """

    def __init__(self, resolver: Any, policy: AddressPolicy, crawler: Crawler) -> None:
        self._resolver = resolver
        self._crawler = crawler
        self.policy = policy
        self.refusals = LocalCache[str, PrivateAddress](_MOST_REFUSALS)
        self.proxies: set[tuple[str, int]] = set()

    @classmethod
    def install(cls, reactor: Any, policy: AddressPolicy, crawler: Crawler) -> "GuardedResolver":
        """Put a guard before the resolver of *reactor*; return the one that *crawler* has."""
        found = reactor.nameResolver
        if isinstance(found, cls):
            if found._crawler is crawler:
                return found
            found = found._resolver
        guard = cls(found, policy, crawler)
        reactor.installNameResolver(guard)
        return guard

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
        if (hostName, portNumber) not in self.proxies:
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
        if kind := self._guard.policy.refusal(address.host):
            self._refusal = PrivateAddress(self._host, address.host, kind)
        else:
            self._is_any_left = True
            self._receiver.addressResolved(address)

    def resolutionComplete(self) -> None:  # noqa: N802
        if self._refusal and not self._is_any_left:
            self._guard.refusals[self._host] = self._refusal
        self._receiver.resolutionComplete()
