"""How a value is found in a page: each kind of rule, compiled once."""

import json
import re
from collections.abc import Callable
from time import monotonic
from typing import Any

import jmespath
import regex
from cssselect import SelectorError
from jmespath.exceptions import JMESPathError, JMESPathTypeError
from lxml import etree
from parsel.csstranslator import HTMLTranslator
from scrapy.http import HtmlResponse

from urlcrawler.extract.document import Document, OfThread
from urlcrawler.extract.metadata import GROUPS, metadata
from urlcrawler.extract.values import UnreadableError

REGEX_SECONDS = 0.25  # for all regular expressions of a page together: some never come to an end

# The selectors that most fields have: .price, span.price::text, .photo::attr(src)
_SIMPLE = re.compile(
    r"(?P<tag>[a-z][a-z0-9]*)?\.(?P<name>[a-z_][\w-]*)"
    r"(?:::attr\((?P<attribute>[\w-]+)\)|(?P<text>::text))?",
    re.IGNORECASE | re.ASCII,
)
_own_texts = OfThread("text()")

# Finds what a rule asks for in a page, or below a node of it: elements, texts, values of JSON.
Find = Callable[[Document, Any], list[Any]]


class RuleError(Exception):
    """Says what is wrong with a rule."""


def css(expression: str) -> Find:
    """Return what finds elements, or with ::text and ::attr(name) their texts and attributes.

    Raises:
        RuleError: it is no CSS selector.
    """
    try:
        find = xpath(HTMLTranslator().css_to_xpath(expression))
    except SelectorError as error:
        raise RuleError(f"is no CSS selector: {error}") from error
    simple = _SIMPLE.fullmatch(expression.strip())
    return _with_class(find, **simple.groupdict()) if simple else find


def _with_class(
    find: Find, tag: str | None, name: str, attribute: str | None, text: str | None
) -> Find:
    """Return what finds what *find* does, without looking at every element for each rule."""

    def find_simple(document: Document, node: Any) -> list[Any]:
        if node is not None or not isinstance(document.response, HtmlResponse):
            return find(document, node)
        found = document.with_class(name)
        if tag:
            found = [element for element in found if element.tag == tag.lower()]
        if attribute:
            values = [element.get(attribute) for element in found]
            return [value for value in values if value is not None]
        return [part for element in found for part in _own_texts()(element)] if text else found

    find_simple.is_simple = True  # type: ignore[attr-defined]
    return find_simple


def xpath(expression: str) -> Find:
    """Return what finds elements and texts.

    Raises:
        RuleError: it is no XPath.
    """
    try:
        compiled = OfThread(expression)
        compiled()(etree.fromstring("<html/>"))  # functions are looked up when they are called
    except etree.XPathError as error:
        raise RuleError(f"is no XPath: {error}") from error

    def find(document: Document, node: Any) -> list[Any]:
        place = document.root if node is None else node
        if place is None:
            return []
        found = compiled()(place)
        if isinstance(found, list):
            return found
        # string() and the like find something everywhere; nothing is "", nan and False.
        return [found] if found and found == found else []

    return find


def json_path(expression: str) -> Find:
    """Return what finds values in a JSON page, or in the JSON-LD of an HTML page.

    Raises:
        RuleError: it is no JMESPath.
    """
    try:
        compiled = jmespath.compile(expression)
    except JMESPathError as error:
        words = " ".join(str(error).split())
        raise RuleError(f"is no JMESPath: {words}") from error

    def find(document: Document, node: Any) -> list[Any]:
        found = compiled.search(document.data if node is None else node)
        if isinstance(found, list):
            return [part for part in found if part is not None]
        return [] if found is None else [found]

    try:
        compiled.search(None)  # functions are looked up when they are called
    except JMESPathTypeError:
        pass  # of what is not there
    except JMESPathError as error:
        raise RuleError(f"is no JMESPath: {error}") from error
    return find


def pattern(expression: str) -> Find:
    """Return what finds the first group, or the whole, of a regular expression in the source of
    the page, or of a node of it.

    Raises:
        RuleError: it is no regular expression.
    """
    try:
        compiled = regex.compile(expression)
    except regex.error as error:
        raise RuleError(f"is no regular expression: {error}") from error
    group = 1 if compiled.groups else 0

    def find(document: Document, node: Any) -> list[Any]:
        began = monotonic()
        left = REGEX_SECONDS - document.regex_seconds
        try:
            if left <= 0:
                raise TimeoutError
            text = document.text if node is None else _source(node)
            found = compiled.finditer(text, timeout=left, concurrent=True)
            return [match[group] for match in found if match[group] is not None]
        except TimeoutError:
            raise UnreadableError("the regular expressions take too long") from None
        finally:
            document.regex_seconds += monotonic() - began

    return find


def _source(node: Any) -> str:
    if isinstance(node, etree._Element):
        return str(etree.tostring(node, encoding="unicode", method="html", with_tail=False))
    return json.dumps(node, ensure_ascii=False)


def looks_at_whole_page(expression: str) -> bool:
    """Return whether an XPath begins, or one inside of it, at the root of the page."""
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", "''", expression)
    return re.search(r"(?:^|[^\w\s\])*./'-])\s*/", bare) is not None or bare.lstrip()[:1] == "/"


def meta(key: str) -> Find:
    """Return what finds an entry of the metadata: one of our columns, else a <meta> tag."""
    name = key.strip().lower()
    groups = frozenset(group for group, names in GROUPS.items() if name in names)

    def find(document: Document, node: Any) -> list[Any]:
        value = (metadata(document, groups) if groups else document.meta).get(name)
        return [] if value is None else [value]

    return find


KINDS: dict[str, Callable[[str], Find]] = {
    "css": css,
    "xpath": xpath,
    "jmespath": json_path,
    "regex": pattern,
    "meta": meta,
}
