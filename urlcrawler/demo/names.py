"""Made-up host names for the demo, and the addresses behind them.

Linux answers on all of 127.0.0.0/8, macOS on 127.0.0.1 only; with names and a resolver of its own
the demo shows many hosts on both. `.test` is reserved for this (RFC 6761).
"""

import re
import socket
from functools import cache
from typing import Any

from twisted.internet.interfaces import IResolutionReceiver

from urlcrawler.resolver import Resolver

SHOPS = 24
DEAD = "dead.demo.test"  # its records name a port on which nobody listens

_NAME = re.compile(r"shop-(\d+)\.demo\.test")


def shop(number: int) -> str:
    """Return the name of a host of the demo, from 1 to SHOPS."""
    return f"shop-{number:02}.demo.test"


def address_of(name: str) -> str:
    """Return the loopback address of a host of the demo."""
    found = _NAME.fullmatch(name)
    if not found or not answers_everywhere():
        return "127.0.0.1"
    return f"127.1.{int(found[1]) >> 8}.{int(found[1]) & 255}"


def addresses(count: int = SHOPS) -> list[str]:
    """Return the addresses on which a site with *count* hosts must listen."""
    return sorted({address_of(shop(number)) for number in range(1, count + 1)})


@cache
def answers_everywhere() -> bool:
    """Return whether this machine has all of 127.0.0.0/8."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.1.0.1", 0))
        except OSError:
            return False
    return True


class DemoResolver(Resolver):
    """Resolve the names of the demo without asking any server, and all others as usual."""

    def resolveHostName(  # noqa: N802 - Twisted's names
        self,
        resolutionReceiver: IResolutionReceiver,  # noqa: N803
        hostName: str,  # noqa: N803
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Resolve *hostName* to the address behind it."""
        if hostName.endswith(".demo.test"):
            hostName = address_of(hostName)  # noqa: N806
        return super().resolveHostName(resolutionReceiver, hostName, *args, **kwargs)
