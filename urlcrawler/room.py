"""How many bytes of bodies may be in memory at the same time.

Each body is bounded, and a few hundred of the largest are gigabytes all the same: a list of images
would do. When there is no room for more, servers are left waiting, in TCP's own way, and the oldest
downloads come to their end first.
"""

import sys
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any, Protocol
from weakref import WeakKeyDictionary, ref

from scrapy.crawler import Crawler
from scrapy.utils.asyncio import call_later

_SECONDS = 0.1  # until it is looked again whether there is room


class Download(Protocol):
    """A body under way."""

    def pause(self) -> None:
        """Read no more of it for now."""

    def go_on(self) -> None:
        """Read more of it; do nothing when it has ended meanwhile."""


class Room:
    """Counts the bytes of the bodies under way, and pauses those for which there is no room."""

    def __init__(self, most: int, longest: int, others: Callable[[], int]) -> None:
        """Let *most* bytes be there; 0 is no limit.

        Args:
            longest: bytes that one body may have. As many of the oldest as have room with that
                are never paused, so that one that stalls does not stop all others.
            others: returns how many bytes there are besides: of pages that wait for being parsed.
        """
        self._most = most or sys.maxsize
        self._privileged = max(1, self._most // longest) if longest else 1
        self._others = others
        self._held: dict[Download, int] = {}
        self._total = 0
        self._paused: dict[Download, None] = {}
        self._looks = False

    @property
    def is_crowded(self) -> bool:
        """Whether no further download should begin."""
        return self._total + self._others() > self._most // 2

    def take(self, download: Download, count: int) -> None:
        """Note that *count* bytes more of *download* have come, and pause it if need be."""
        self._held[download] = self._held.get(download, 0) + count
        self._total += count
        if self._total > self._most // 2 and not self._may_go_on(download):
            download.pause()
            self._paused[download] = None
            if not self._looks:
                self._looks = True
                call_later(_SECONDS, self._look)

    def give_back(self, download: Download) -> None:
        """Note that *download* has ended, in one way or the other."""
        self._total -= self._held.pop(download, 0)
        if download in self._paused:
            del self._paused[download]
            download.go_on()  # its connection may be used again

    def _may_go_on(self, download: Download) -> bool:
        if self._total + self._others() <= self._most:
            return True
        return download in islice(self._held, self._privileged)

    def _look(self) -> None:
        for download in list(self._paused):
            if self._may_go_on(download):
                del self._paused[download]
                download.go_on()
        self._looks = bool(self._paused)
        if self._looks:
            call_later(_SECONDS, self._look)


_ROOMS: WeakKeyDictionary[Crawler, Room] = WeakKeyDictionary()


def room_of(crawler: Crawler) -> Room:
    """Return the one room of a crawl."""
    if crawler not in _ROOMS:
        settings = crawler.settings
        _ROOMS[crawler] = Room(
            settings.getint("DOWNLOAD_MAXSIZE_TOTAL"),
            settings.getint("DOWNLOAD_MAXSIZE"),
            partial(_scraped_bytes, ref(crawler)),
        )
    return _ROOMS[crawler]


def _scraped_bytes(crawler: "ref[Crawler]") -> int:
    """Return the bytes of answers that wait; a room must not keep its crawler alive."""
    known: Any = crawler()
    engine = known.engine if known else None
    slot = engine.scraper.slot if engine else None
    return slot.active_size if slot else 0
