"""Finds out in a process of its own whether a page can be parsed: one that may be lost."""

import asyncio
import struct
import sys
from asyncio.subprocess import PIPE, Process
from typing import Any

# It ends itself when a page takes too long, whatever has become of the crawl by then: the alarm
# needs no Python to run, and libxml2 lets nothing else through. Scrapy's selectors call the parser
# in the same way. Given as a text, as a package inside of an egg has no file that could be run.
_PROGRAM = """
import signal, struct, sys
from lxml import etree

order = struct.Struct(">Q?")
while head := sys.stdin.buffer.read(order.size):
    size, is_xml = order.unpack(head)
    page = sys.stdin.buffer.read(size)
    make = etree.XMLParser if is_xml else etree.HTMLParser
    signal.setitimer(signal.ITIMER_REAL, float(sys.argv[1]))
    try:
        etree.fromstring(page, parser=make(recover=True, encoding="utf8", huge_tree=True))
    except etree.XMLSyntaxError:
        pass
    signal.setitimer(signal.ITIMER_REAL, 0)
    sys.stdout.buffer.write(b".")
    sys.stdout.buffer.flush()
"""


class Canary:
    """Parses pages before anybody does who would be missed."""

    def __init__(self, timeout: float) -> None:
        """Give a page *timeout* seconds."""
        self._timeout = timeout
        self._process: Process | None = None

    async def survives(self, page: bytes, *, is_xml: bool) -> bool:
        """Return whether *page*, in UTF-8, was parsed in time. One page at a time."""
        if self._process is None or self._process.returncode is not None:
            command = (sys.executable, "-P", "-c", _PROGRAM, str(self._timeout))
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
