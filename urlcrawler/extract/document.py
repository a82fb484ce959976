"""A page as rules look at it: parsed once, each part when it is first asked for."""

import codecs
import json
import math
import re
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from lxml import etree
from scrapy.http import HtmlResponse, JsonResponse, Response, TextResponse, XmlResponse
from scrapy.selector import Selector
from scrapy.utils.response import get_base_url

from urlcrawler.output.cells import MAX_DEPTH, depth

XPATH_NAMESPACES = {"re": "http://exslt.org/regular-expressions"}
_BLANKS = b" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f"  # ASCII that str.strip() takes away
MOST_JSON_LD = 1_000_000  # characters; blocks beyond it are left out
# What old pages put around scripts, and what ends a statement.
_AROUND_JSON = re.compile(
    r"^\s*(?:(?://|/\*)?\s*(?:<!\[CDATA\[|<!--)\s*(?:\*/)?\s*)+"
    r"|;?\s*(?:(?://|/\*)?\s*(?:\]\]>|-->)\s*(?:\*/)?\s*)+$|;\s*$"
)
_NAMES = ("property", "name", "itemprop", "http-equiv")


T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801 - used like a function
    """Computes an attribute when it is first asked for.

    As functools.cached_property, which has one lock for all pages until Python 3.12: with it a page
    that is parsed in a thread and never comes to an end would stop all others.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __get__(self, document: Any, owner: Any = None) -> T:
        value = document.__dict__[self._compute.__name__] = self._compute(document)
        return value


class Document:
    """One page.

    Attributes:
        response: as Scrapy has it.
        regex_seconds: that regular expressions have taken on it.
    """

    def __init__(self, response: Response) -> None:
        self.response = response
        self.regex_seconds = 0.0
        self._classes: dict[str, list[Any]] = {}

    @lazy
    def host(self) -> str:
        """The host that has answered, in lower case."""
        return (urlsplit(self.response.url).hostname or "").lower()

    @lazy
    def root(self) -> Any:
        """The tree of an HTML or XML page; None for anything else, or when it has none."""
        if not isinstance(self.response, HtmlResponse | XmlResponse):
            return None
        try:
            if isinstance(self.response, HtmlResponse):
                _parse_bytes(self.response)
            return self.response.selector.root
        except (ValueError, LookupError):  # a charset that cannot be decoded with
            return None

    def with_class(self, name: str) -> list[Any]:
        """Return the elements that have a class, in the order of the page."""
        if name not in self._classes:
            found = [places for words, places in self._class_words.items() if name in words]
            merged = found[0] if len(found) == 1 else sorted(p for places in found for p in places)
            self._classes[name] = [self._elements[place] for place in merged]
        return self._classes[name]

    @lazy
    def _class_words(self) -> dict[tuple[str, ...], list[int]]:
        """Places in `_elements`, by the classes that stand there. Most stand there often."""
        by_text: dict[str, list[int]] = {}
        for place, element in enumerate(self._elements):
            if text := element.get("class"):
                by_text.setdefault(text, []).append(place)
        words: dict[tuple[str, ...], list[int]] = {}
        for text, places in by_text.items():
            words.setdefault(tuple(text.split()), []).extend(places)
        return words

    @lazy
    def _elements(self) -> list[Any]:
        return [] if self.root is None else list(self.root.iter("*"))

    @lazy
    def text(self) -> str:
        """The page as text, "" when it is none."""
        if not isinstance(self.response, TextResponse):
            return ""
        try:
            return self.response.text
        except (ValueError, LookupError):
            return ""

    @lazy
    def data(self) -> Any:
        """What a JSON page says; of an HTML page its JSON-LD; None when there is no such thing."""
        if self.root is not None:
            return self.json_ld or None
        if isinstance(self.response, JsonResponse) or self.text.lstrip()[:1] in ("{", "["):
            return parse_json(self.text)
        return None

    @lazy
    def json_ld(self) -> list[Any]:
        """The objects of all blocks of JSON-LD, without their arrays and @graphs."""
        if self.root is None:
            return []
        found: list[Any] = []
        size = 0
        for script in self.root.iter("script", "{http://www.w3.org/1999/xhtml}script"):
            kind, text = script.get("type"), script.text or ""
            if kind and kind.partition(";")[0].strip().lower() == "application/ld+json":
                size += len(text)
                if size > MOST_JSON_LD:
                    break
                block = parse_json(text)
                if block is None:
                    block = parse_json(_AROUND_JSON.sub("", text))
                if depth(block) <= MAX_DEPTH:
                    found += _objects(block)
        return found

    @lazy
    def meta(self) -> dict[str, str]:
        """The first content of each <meta>, by property, name or itemprop in lower case."""
        found: dict[str, str] = {}
        if self.root is not None:
            for tag in self.root.iter("meta", "{http://www.w3.org/1999/xhtml}meta"):
                content = tag.get("content")
                if content and not content.isspace():
                    for kind in _NAMES:
                        if name := tag.get(kind):
                            found.setdefault(name.strip().lower(), content)
        return found

    @lazy
    def base_url(self) -> str:
        """What relative URLs of the page are relative to."""
        if isinstance(self.response, HtmlResponse):
            return get_base_url(self.response)
        return self.response.url

    @lazy
    def language(self) -> str | None:
        """The language that the page says it is in, like `de`, without its region."""
        words = self.full_language
        return words.replace("_", "-").split("-")[0].lower() if words else None

    @lazy
    def full_language(self) -> str | None:
        """The same with its region, as it is written: of <html lang>, else of the header."""
        said = ""
        if self.root is not None:
            names = ("lang", "xml:lang", "{http://www.w3.org/XML/1998/namespace}lang")
            said = next(filter(None, map(self.root.get, names)), "")
        if not said:
            header = self.response.headers.get("Content-Language") or b""
            said = header.decode("latin-1").split(",")[0]
        said = said.strip() or self.meta.get("content-language", "").split(",")[0].strip()
        return said[:35] or None  # RFC 5646, 4.4.1


def _parse_bytes(response: HtmlResponse) -> None:
    """Give *response* its selector without a detour over its text, which takes half the time again.

    Selectors of Scrapy decode the body, encode it as UTF-8 and parse that. In most pages it is
    UTF-8 already. What a selector is made of otherwise is that of `parsel.selector`;
    `tests/extract/test_document.py` compares the two.
    """
    body = response.body
    if response._cached_selector or response.encoding != "utf-8" or body[:3] == codecs.BOM_UTF8:
        return
    try:
        body.decode()
    except UnicodeDecodeError:
        return
    body = body.strip(_BLANKS)
    if body[:1] > b"\x7f" or body[-1:] > b"\x7f":  # where there may be other blanks
        body = body.decode().strip().encode()
    body = body.replace(b"\0", b"") or b"<html/>"
    parser = etree.HTMLParser(recover=True, encoding="utf-8", huge_tree=True)
    root = etree.fromstring(body, parser=parser, base_url=get_base_url(response))
    if root is not None:
        selector = Selector(root=root, type="html")
        selector.response = response
        response._cached_selector = selector


class OfThread(threading.local):
    """A compiled XPath, one in each thread.

    lxml locks one while it is evaluated, and a page in a thread may take for ever.
    """

    def __init__(self, expression: str) -> None:
        self._compiled = etree.XPath(expression, namespaces=XPATH_NAMESPACES, smart_strings=False)

    def __call__(self) -> Any:
        """Return that of this thread."""
        return self._compiled


def parse_json(text: str) -> Any:
    """Return what *text* says, None when it is no JSON; NaN and Infinity, which are none, too."""
    try:
        return json.loads(text, strict=False, parse_constant=lambda _: None, parse_float=_float)
    except (ValueError, RecursionError):
        return None


def _float(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _objects(value: Any) -> list[Any]:
    if isinstance(value, list):
        return [inner for part in value for inner in _objects(part)]
    if not isinstance(value, dict):
        return []
    graph = value.get("@graph")
    return _objects(graph) if isinstance(graph, list | dict) else [value]
