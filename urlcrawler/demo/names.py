"""Made-up host names for the demo, and the addresses behind them.

Linux answers on all of 127.0.0.0/8, macOS on 127.0.0.1 only; with names and a resolver of its own
the demo shows many hosts on both. `.test` is reserved for this (RFC 6761).
"""

import re
import socket
from collections.abc import Sequence

from scrapy.resolver import CachingThreadedResolver
from twisted.internet.defer import Deferred, succeed

SHOPS = 24
DEAD = "dead.demo.test"  # its records name a port on which nobody listens

_NAME = re.compile(r"shop-(\d+)\.demo\.test")


def shop(number: int) -> str:
    """Return the name of a host of the demo, from 1 to SHOPS."""
    return f"shop-{number:02}.demo.test"


def address_of(name: str) -> str:
    """Return the loopback address of a host of the demo."""
    found = _NAME.fullmatch(name)
    own = f"127.1.0.{int(found[1])}" if found else "127.0.0.1"
    return own if _is_here(own) else "127.0.0.1"


def addresses() -> list[str]:
    """Return the addresses on which the site must listen."""
    return sorted({address_of(shop(number)) for number in range(1, SHOPS + 1)})


class DemoResolver(CachingThreadedResolver):
    """Resolve the names of the demo without asking any server, and all others as usual."""

    def getHostByName(  # noqa: N802 - Twisted's name
        self, name: str, timeout: Sequence[int] = ()
    ) -> "Deferred[str]":
        """Return the address of *name*."""
        if name.endswith(".demo.test"):
            return succeed(address_of(name))
        return super().getHostByName(name, timeout)


def _is_here(address: str) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
