"""Sitemaps (sitemaps.org) as lists, read as JSON Lines: XML has no byte offset per record."""

import gzip
import json
import logging
import tempfile
import zlib
from collections import deque
from collections.abc import Iterator
from time import monotonic
from typing import IO, Any
from urllib.parse import urlsplit

from lxml import etree

from urlcrawler.exceptions import ListError
from urlcrawler.inputs.fetching import fetch

logger = logging.getLogger(__name__)

_COLUMNS = ("lastmod", "changefreq", "priority")  # of a URL, as the sitemap has them
_WANTED = ("loc", *_COLUMNS)
_ROOTS = {"urlset": "url", "sitemapindex": "sitemap"}
_MOST_BYTES = 500_000_000  # of a sitemap that an index names, unpacked; the protocol has 50 MB
_MOST_SITEMAPS = 50_000  # of an index, and of those that it names; the protocol's own limit
_MOST_SECONDS = 600.0  # for one of them
_SAY_EVERY = 30.0  # seconds
# Nothing is loaded, and no entity is replaced; libxml2's limits hold (depth, text of 10 MB).
_HARMLESS: dict[str, Any] = {
    "events": ("start", "end"),
    "resolve_entities": False,
    "load_dtd": False,
    "no_network": True,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
    "collect_ids": False,
}


def as_json_lines(file: IO[bytes], label: str) -> IO[bytes]:
    """Return the URLs of the sitemap *file* as JSON Lines in an unnamed temporary file.

    An index of sitemaps is the list of all that stands in them, one after the other.

    Raises:
        ListError: it is no sitemap, or one that an index names cannot be had.
    """
    lines = tempfile.TemporaryFile(prefix="urlcrawler-list-")  # noqa: SIM115 - outlives the call
    try:
        found = _take(_Document(file), f"argument `file`: {label!r}", lines)
        if found:
            logger.info("%(list)s names %(count)d sitemaps", {"list": label, "count": len(found)})
            _follow(found, label, lines)
    except BaseException:
        lines.close()
        raise
    lines.seek(0)
    return lines


def _follow(found: list[str], label: str, lines: IO[bytes]) -> None:
    """Write what is in the sitemaps that an index names, and those that these name."""
    waiting, seen = deque(dict.fromkeys(found)), {*found, label}
    trusted = urlsplit(label).hostname or ""
    said = monotonic()
    while waiting:
        if monotonic() - said > _SAY_EVERY:
            said, read = monotonic(), len(seen) - 1 - len(waiting)
            logger.info("%(read)d of %(all)d sitemaps read", {"read": read, "all": len(seen) - 1})
        url = waiting.popleft()
        what = f"argument `file`: {label!r} names the sitemap {url!r}, which"
        try:
            with fetch(url, trusted) as answer:
                packed = answer.peek(2).startswith(b"\x1f\x8b")
                stream: Any = gzip.GzipFile(fileobj=answer) if packed else answer
                further = _take(_Document(stream, what), what, lines)
        except (OSError, EOFError, zlib.error) as error:
            raise ListError(f"{what} cannot be read: {error}") from error
        new = [name for name in dict.fromkeys(further) if name not in seen]
        seen.update(new)
        waiting.extendleft(reversed(new))
        if len(seen) > _MOST_SITEMAPS:
            raise ListError(f"argument `file`: {label!r} leads to over {_MOST_SITEMAPS} sitemaps")


def _take(document: "_Document", what: str, lines: IO[bytes]) -> list[str]:
    """Write the URLs of a sitemap, and return the sitemaps of an index."""
    sitemaps: list[str] = []
    try:
        for kind, values in _elements(document, what):
            if kind == "sitemap":
                sitemaps += [values["loc"]] if "loc" in values else []
            else:
                columns = {name: values[name] for name in _COLUMNS if name in values}
                record = {"url": values.get("loc", ""), **columns}
                lines.write(json.dumps(record).encode() + b"\n")
    except etree.XMLSyntaxError as error:
        said = error.error_log.last_error
        why = f"line {said.line}: {said.message}" if said else error.msg
        raise ListError(
            f"{what} is not XML as a sitemap must be: {why}. Half of it would look like a "
            "whole list, so nothing was taken. Mend it, or make a text file of its URLs"
        ) from error
    return sitemaps


def _elements(document: "_Document", what: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the elements of a sitemap or an index, by what they are, in bounded memory.

    Raises:
        ListError: the document is something else.
    """
    depth, kind = 0, ""
    values: dict[str, str] = {}
    for event, element in etree.iterparse(document, encoding=document.encoding, **_HARMLESS):
        if event == "start":
            depth += 1
            if depth == 1:
                kind = _kind(element, what)
            continue
        if depth == 3 and (name := _name(element)) in _WANTED and name not in values:
            values[name] = (element.text or "").strip()
        elif depth == 2:
            if _name(element) == kind:
                yield kind, values
            values = {}
        depth -= 1
        element.clear()
        parent = element.getparent()
        while parent is not None and element.getprevious() is not None:
            del parent[0]


def _kind(root: Any, what: str) -> str:
    """Return what the children of the *root* are."""
    name = _name(root)
    if name not in _ROOTS:
        raise ListError(f"{what} is XML, but no sitemap: it begins with <{name}>")
    if root.getroottree().docinfo.internalDTD is not None:
        # What stands there could only make of the URLs something else than what one reads.
        raise ListError(f"{what} has a DOCTYPE, which a sitemap never has")
    return _ROOTS[name]


def _name(element: Any) -> str:
    """Return the name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


class _Document:
    """A document as the parser reads it: without what some servers send before it, and bounded.

    Attributes:
        encoding: to read it in, if it is another one than the document says.
    """

    def __init__(self, stream: Any, what: str = "") -> None:
        """Begin to read *stream*; one with a *what* comes from somewhere on the web."""
        self._stream, self._what = stream, what
        self._start = stream.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip()
        self._left, self._until = _MOST_BYTES, monotonic() + _MOST_SECONDS
        # Sources make UTF-8 of UTF-16, where the document goes on to say that it is none.
        said = self._start[:100].lower()
        self.encoding = "utf-8" if b"utf-16" in said and said.startswith(b"<?xml") else None

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        part, self._start = self._start or self._stream.read(size), b""
        self._left -= len(part)
        if self._what and self._left < 0:
            raise ListError(f"{self._what} has more than {_MOST_BYTES} bytes")
        if self._what and monotonic() > self._until:
            raise ListError(f"{self._what} takes longer than {_MOST_SECONDS:.0f} s")
        return bytes(part)
