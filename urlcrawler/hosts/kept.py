"""The hosts whose state is kept, and what one alone cannot know."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Generic

from urlcrawler.hosts.host import Host
from urlcrawler.hosts.manners import Manners, RequestT, Sent
from urlcrawler.hosts.origin import Origin
from urlcrawler.hosts.treatment import OFFLINE

MOST_KNOWN = 1024  # hosts without work whose state is kept: redirects come back to them
MOST_DELAYS = 65_536  # origins whose delay is remembered


class KeptHosts(Generic[RequestT]):
    """Hosts that have work or are being asked, and those that had last.

    Attributes:
        open: the first, by name.
        forget: called with a host whose state is not kept any longer.
    """

    def __init__(
        self, manners: Manners, own_manners: Mapping[str, Manners], most_known: int = MOST_KNOWN
    ) -> None:
        """Keep none yet.

        Args:
            own_manners: those of hosts that the user treats otherwise, by name.
        """
        self.open: dict[str, Host[RequestT]] = {}
        self.forget: Callable[[Host[RequestT]], None] = lambda host: None
        self._manners = manners
        self._own_manners = own_manners
        self._most_known = most_known
        self._known: OrderedDict[str, Host[RequestT]] = OrderedDict()
        self._delays: OrderedDict[str, float] = OrderedDict()  # that origins ask for, by name
        self._answered_at = -1.0  # when any was well

    def __iter__(self) -> Iterator[Host[RequestT]]:
        """Iterate over all of them."""
        yield from self.open.values()
        yield from self._known.values()

    def get(self, name: str) -> Host[RequestT] | None:
        """Return a host, or group, if its state is kept."""
        return self.open.get(name) or self._known.get(name)

    def origin(self, host_name: str, name: str, now: float) -> Origin[RequestT]:
        """Return an origin that is to be asked, and open its host."""
        if host_name not in self.open:
            manners = self._own_manners.get(host_name, self._manners)
            known = self._known.pop(host_name) if host_name in self._known else None
            self.open[host_name] = known or Host(host_name, manners)
        host = self.open[host_name]
        is_new = name not in host.origins
        origin = host.origin(name)
        if is_new and (delay := self._delays.get(name)):
            host.pace.ask(delay, now)
        return origin

    def close(self, host: Host[RequestT]) -> None:
        """Note that *host* has nothing to do."""
        if self.open.pop(host.name, None):
            self._known[host.name] = host
            if len(self._known) > self._most_known:
                forgotten = self._known.popitem(last=False)[1]
                self.forget(forgotten)
                forgotten.origins.clear()  # they refer to it: it goes now, and not by and by

    def satisfied(
        self, origin: Origin[RequestT], sent: Sent, now: float, good: RequestT | None = None
    ) -> None:
        """Take in an answer as a page usually is.

        Args:
            good: the request, if it may be sent again.
        """
        is_its_own = not (origin.circuit.is_open and self.may_be_offline(origin))
        origin.satisfied(sent, now, good, is_its_own=is_its_own)
        self._answered_at = now

    def may_be_offline(self, origin: Origin[RequestT]) -> bool:
        """Return whether *origin* is silent because this machine is offline.

        That is: since it fell silent none has answered, and others are silent as well.
        """
        return self._answered_at <= origin.circuit.opened_at and any(
            other.circuit.cause in OFFLINE
            for host in self.open.values()
            for other in host.origins.values()
            if other is not origin
        )

    def ask(self, origin: Origin[RequestT], delay: float, now: float) -> None:
        """Keep the seconds between two requests that the robots.txt of *origin* asks for.

        They are remembered for longer than its host, as robots.txt is.
        """
        self._delays[origin.name] = delay
        self._delays.move_to_end(origin.name)
        if len(self._delays) > MOST_DELAYS:
            self._delays.popitem(last=False)
        origin.host.pace.ask(delay, now)
