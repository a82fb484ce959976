"""Finds out in a process of its own whether a page can be read: one that may be lost."""

import asyncio
import json
import struct
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from typing import Any

# It ends itself when a page takes too long, whatever has become of the crawl by then: the alarm
# needs no Python to run, and libxml2 lets nothing else through. Given as a text, as a package in an
# egg has no file that could be run.
_PROGRAM = """
import json, signal, struct, sys
recipe = json.loads(sys.argv[2])
sys.path[:] = recipe["sys.path"]
from scrapy.http import HtmlResponse, XmlResponse
from urlcrawler.extract.extraction import extractor_of

extract, order = extractor_of(recipe), struct.Struct(">Q?")
while head := sys.stdin.buffer.read(order.size):
    size, is_xml = order.unpack(head)
    page = sys.stdin.buffer.read(size)
    kind = XmlResponse if is_xml else HtmlResponse
    signal.setitimer(signal.ITIMER_REAL, float(sys.argv[1]))
    try:
        extract(kind("http://page.test/", body=page, encoding="utf-8"))
    except Exception:
        pass
    signal.setitimer(signal.ITIMER_REAL, 0)
    sys.stdout.buffer.write(b".")
    sys.stdout.buffer.flush()
"""


class Canary:
    """Extracts pages before anybody does who would be missed."""

    def __init__(self, timeout: float, recipe: Mapping[str, Any]) -> None:
        """Give a page *timeout* seconds, and do with it what `extractor_of(recipe)` does."""
        self._timeout = timeout
        self._recipe = {**recipe, "sys.path": sys.path}
        self._process: Process | None = None

    async def survives(self, page: bytes, *, is_xml: bool) -> bool:
        """Return whether *page*, in UTF-8, was extracted in time. One page at a time."""
        if self._process is None or self._process.returncode is not None:
            words = (str(self._timeout), json.dumps(self._recipe))
            command = (sys.executable, "-P", "-c", _PROGRAM, *words)
            self._process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
        process: Any = self._process
        try:
            process.stdin.write(struct.pack(">Q?", len(page), is_xml) + page)
            await process.stdin.drain()
            await process.stdout.readexactly(1)
        except (asyncio.IncompleteReadError, ConnectionError):
            await process.wait()
            return False
        except BaseException:  # its answer would be taken for that to the next page
            process.kill()
            await process.wait()
            raise
        return True

    async def close(self) -> None:
        """End the process. Without this it ends when the pipe does, with the crawl."""
        process: Any = self._process
        if process and process.returncode is None:
            process.stdin.close()
            await process.wait()
