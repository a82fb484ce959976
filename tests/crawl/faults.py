"""Disks that fail: the Nth call of a function of `os` raises, or writes only half.

In a crawl: `-s ADDONS={"faults.Faulty": 0} -s FAULTS=pwrite:5:ENOSPC,ftruncate:2:EIO`. Each row is
made durable at once there, so that there are as many calls of fsync as rows; `-s SYNC_SECONDS=1`
for as seldom as ever.
"""

import errno
import os
from collections.abc import Callable
from itertools import count
from typing import Any

from scrapy.settings import BaseSettings

from urlcrawler.output import tablefile

SHORT = "short"


def failing(real: Callable[..., Any], nth: int, how: str) -> Callable[..., Any]:
    """Return *real*, whose Nth call alone fails with the errno named *how*, or writes half."""
    calls = count(1)

    def call(*arguments: Any) -> Any:
        if next(calls) != nth:
            return real(*arguments)
        if how == SHORT:
            descriptor, data, offset = arguments
            return real(descriptor, data[: len(data) // 2], offset)
        code = getattr(errno, how)
        raise OSError(code, os.strerror(code))

    return call


class Faulty:
    """An add-on, whose settings are asked for before there is a spider, and so a table."""

    @classmethod
    def update_pre_crawler_settings(cls, settings: BaseSettings) -> None:
        tablefile._SYNC_SECONDS = settings.getfloat("SYNC_SECONDS")
        for fault in settings["FAULTS"].split(","):
            name, nth, how = fault.split(":")
            setattr(os, name, failing(getattr(os, name), int(nth), how))
