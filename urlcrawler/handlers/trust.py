"""Whether an origin sends one answer for each request, and nothing else.

HTTP/1.1 does not say to which request an answer belongs: it is the next one on the connection. A
server that sends one too many would have each page of a crawl read as that of the URL before. The
one sure remedy is a connection for each request, which costs servers and us a handshake for each.
So an origin is watched first: some of its connections stay open and are not used again. When
nothing has come on them, connections are used again, each after a rest of its own.
"""

import logging
import select
from collections.abc import Hashable

from scrapy.utils.datatypes import LocalCache

logger = logging.getLogger(__name__)

# Seconds after an answer in which nothing more may come on its connection. With 16 idle ones a host
# can be asked 64 times a second before it gets new ones.
REST = 0.25
KEPT = 4  # seconds that one stays idle: many servers close them after five
MOST_IDLE = 16  # connections of an origin
WATCHED = 2  # connections at a time; some servers have a worker for each that is open
ENOUGH = 4  # connections on which nothing has come for all that time, before any is used again
_MOST_KNOWN = 65_536  # origins of which it is remembered how they behave
_CHATTY = -1


class Trust:
    """What is known of origins. A key is whatever tells the connections of two of them apart."""

    def __init__(self, *, keeps_alive: bool = True) -> None:
        """Trust nobody yet, or never anybody."""
        self._keeps_alive = keeps_alive
        self._silent = LocalCache[Hashable, int](_MOST_KNOWN)  # connections watched to the end

    def allows_reuse(self, key: Hashable) -> bool:
        """Return whether connections of an origin may be used again."""
        return self._silent.get(key, 0) >= ENOUGH

    def most_idle(self, key: Hashable) -> int:
        """Return how many connections of an origin may stay open: to be watched, or used."""
        if not self._keeps_alive or self._silent.get(key, 0) == _CHATTY:
            return 0
        return MOST_IDLE if self.allows_reuse(key) else WATCHED

    def note_silence(self, key: Hashable) -> None:
        """Take in that nothing has come on an idle connection until its end."""
        silent = self._silent.get(key, 0)
        if silent != _CHATTY:
            self._silent[key] = min(silent + 1, ENOUGH)

    def distrust(self, key: Hashable, name: str) -> None:
        """Take in that the origin called *name* has sent what nobody has asked for."""
        if self._silent.get(key, 0) != _CHATTY:
            logger.warning(
                "%(origin)s answers more often than it is asked; each request gets a connection of "
                "its own from now on",
                {"origin": name},
            )
        self._silent[key] = _CHATTY


def is_readable(file_number: int) -> bool:
    """Return whether bytes, or the end, have come on an idle socket and wait to be read."""
    poll = select.poll()
    poll.register(file_number, select.POLLIN)
    return bool(poll.poll(0))
