"""A page that hoards memory is ended before it has that of the machine.

A browser lets a page have four gigabytes of objects, and any number of bytes besides.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress

import psutil

logger = logging.getLogger(__name__)

_LOOK = 0.5  # seconds between two looks; a page can take half a gigabyte a second


async def end_hoarders(processes: Callable[[], Iterable[psutil.Process]], most: int) -> None:
    """End each page that has more than so many bytes, for as long as this is not cancelled.

    Args:
        processes: of the browser, right now.
    """
    while True:
        await asyncio.sleep(_LOOK)
        for process in processes():
            with suppress(psutil.Error):  # it has ended meanwhile
                size = process.memory_info().rss
                if size > most and "--type=renderer" in process.cmdline():
                    process.kill()
                    logger.debug("a page with %(size)d bytes was ended", {"size": size})
