"""Host names -> addresses, for lists with thousands of hosts.

Scrapy's resolvers keep answers for ever, ask again for every request to a name that does not
resolve, and ask sixteen times for sixteen requests that come together.
"""

import logging
from collections import OrderedDict
from collections.abc import Sequence
from time import monotonic
from typing import Any

from attrs import evolve
from scrapy.crawler import Crawler
from scrapy.resolver import HostResolution
from scrapy.utils.asyncio import call_later
from twisted.internet.base import ReactorBase
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IResolutionReceiver,
)
from zope.interface import implementer

TTL = 600.0  # seconds; getaddrinfo does not tell that of the record
NEGATIVE_TTL = 30.0  # seconds that a name counts as not to be resolved

logger = logging.getLogger(__name__)

_Receivers = list[tuple[Any, int]]  # who waits, and for which port


@implementer(IHostnameResolver)
class Resolver:
    """Ask once for a name at a time, remember both kinds of answers, and wait DNS_TIMEOUT at most.

    IPv4 and IPv6, by the system's own resolver, in the threads of the reactor
    (REACTOR_THREADPOOL_MAXSIZE). Keeps DNSCACHE_SIZE names; without DNSCACHE_ENABLED none.
    """

    def __init__(self, reactor: ReactorBase, *, size: int, timeout: float) -> None:
        self.reactor: Any = reactor
        self._system: Any = self.reactor.nameResolver
        self._size = size
        self._timeout = timeout  # seconds
        self._known: OrderedDict[Any, tuple[float, list[IAddress]]] = OrderedDict()
        self._asked: dict[Any, _Receivers] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: ReactorBase) -> "Resolver":
        """Build the resolver of a crawl; TWISTED_DNS_RESOLVER names this class."""
        settings = crawler.settings
        size = settings.getint("DNSCACHE_SIZE") if settings.getbool("DNSCACHE_ENABLED") else 0
        return cls(reactor, size=size, timeout=settings.getfloat("DNS_TIMEOUT"))

    def install_on_reactor(self) -> None:
        """Take the place of the reactor's resolver."""
        self.reactor.installNameResolver(self)

    def resolveHostName(  # noqa: N802 - Twisted's names
        self,
        resolutionReceiver: Any,  # noqa: N803 - an IResolutionReceiver
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[type[IAddress]] | None = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> Any:
        """Tell *resolutionReceiver* the addresses of *hostName*, none when there are none."""
        resolution = HostResolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        key = (hostName, tuple(addressTypes or ()), transportSemantics)
        until, addresses = self._known.get(key, (0.0, []))
        if monotonic() < until:
            _tell(resolutionReceiver, portNumber, addresses)
            return resolution
        receivers = self._asked.setdefault(key, [])
        receivers.append((resolutionReceiver, portNumber))
        if len(receivers) == 1:
            answer = _Answer(self, key)
            answer.timer = call_later(self._timeout, answer.resolutionComplete)
            self._system.resolveHostName(answer, hostName, 0, addressTypes, transportSemantics)
        return resolution

    def answered(self, key: Any, addresses: list[IAddress]) -> None:
        """Keep an answer, and tell all who wait for it."""
        if self._size:
            self._known[key] = (monotonic() + (TTL if addresses else NEGATIVE_TTL), addresses)
            self._known.move_to_end(key)
            if len(self._known) > self._size:
                self._known.popitem(last=False)
        for receiver, port in self._asked.pop(key, []):
            try:
                _tell(receiver, port, addresses)
            except Exception:  # one who waits must not cost the others their answer
                logger.exception("%(name)s: its address could not be passed on", {"name": key[0]})


@implementer(IResolutionReceiver)
class _Answer:
    """Collects what the system answers, or takes silence for "no address"."""

    def __init__(self, resolver: Resolver, key: Any) -> None:
        self._resolver = resolver
        self._key = key
        self._addresses: list[IAddress] = []
        self._is_complete = False
        self.timer: Any = None

    def resolutionBegan(self, resolution: IHostResolution) -> None:  # noqa: N802
        """Do nothing: it cannot be cancelled."""

    def addressResolved(self, address: IAddress) -> None:  # noqa: N802
        """Keep an address."""
        self._addresses.append(address)

    def resolutionComplete(self) -> None:  # noqa: N802
        """Pass the answer on, once."""
        if not self._is_complete:
            self._is_complete = True
            if self.timer:
                self.timer.cancel()
            self._resolver.answered(self._key, self._addresses)


def _tell(receiver: Any, port: int, addresses: list[Any]) -> None:
    for address in addresses:
        receiver.addressResolved(evolve(address, port=port))
    receiver.resolutionComplete()
