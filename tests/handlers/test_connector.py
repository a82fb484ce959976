"""Idle connections of aiohttp: which may be used, and what is learned from them."""

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any

from urlcrawler.handlers.connector import Connector
from urlcrawler.handlers.lookup import GuardedResolver
from urlcrawler.handlers.trust import ENOUGH, KEPT, Trust
from urlcrawler.room import Room

KEY: Any = ("a.com", 80)  # what tells origins apart


class Idle:
    """A connection, as far as the pool looks at one."""

    should_close = False
    on_surplus: Any = None
    on_end: Any = None

    def __init__(self) -> None:
        self.is_open = True

    def is_connected(self) -> bool:
        return self.is_open

    def close(self) -> None:
        self.is_open = False


def with_connector(look: Callable[[Connector, Trust], Any]) -> Any:
    async def run() -> Any:
        trust = Trust()
        connector = Connector(
            GuardedResolver(None), most_idle=9, most_head=9, room=Room(0, 0, lambda: 0), trust=trust
        )
        found = look(connector, trust)
        found = await found if asyncio.iscoroutine(found) else found
        connector._conns.clear()
        await connector.close()
        return found

    return asyncio.run(run())


def test_an_old_connection_does_not_vouch_for_a_new_one() -> None:
    """The first is closed for its age, and the next one is looked at for itself."""

    async def look(connector: Connector, trust: Trust) -> tuple[Any, list[bool]]:
        for _ in range(ENOUGH):
            trust.note_silence(KEY)
        old, new = Idle(), Idle()
        now = monotonic()
        connections: Any = deque([(old, now - KEPT - 0.5), (new, now)])
        connector._conns[KEY] = connections  # type: ignore[index]
        got = await connector._get(KEY, [])
        return got, [old.is_open, new.is_open]

    assert with_connector(look) == (None, [False, True])


def test_a_server_that_closes_early_has_not_been_silent() -> None:
    """Only a connection that was there for all the time that origins are watched says that."""

    def look(connector: Connector, trust: Trust) -> list[bool]:
        for _ in range(ENOUGH):
            connector._ended(KEY, Idle(), monotonic() - KEPT / 2)
        early = trust.allows_reuse(KEY)
        for _ in range(ENOUGH):
            connector._ended(KEY, Idle(), monotonic() - KEPT)
        return [early, trust.allows_reuse(KEY)]

    assert with_connector(look) == [False, True]
