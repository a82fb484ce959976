"""Fields: what the user wants to have of each page, and what becomes of it."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import html_text
from lxml import etree
from w3lib.url import safe_url_string

from urlcrawler.extract.document import Document
from urlcrawler.extract.lines import text_of
from urlcrawler.extract.rules import Find
from urlcrawler.extract.values import (
    UnreadableError,
    boolean,
    iso_date,
    number,
    price,
    whole_number,
)
from urlcrawler.output.cells import Kind

CURRENCY = "_currency"  # behind the name of a price, in a column of its own
_KINDS = {"int": "int", "float": "float", "bool": "bool"}  # of types; all others are text
_LONGEST_SHOWN = 60  # characters of a text that could not be read


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to find a value.

    Attributes:
        find: finds it.
        hosts: names of hosts, or `*.` with a domain, that it is for; empty for all.
    """

    find: Find
    hosts: tuple[str, ...] = ()

    def is_for(self, host: str) -> bool:
        """Return whether the rule is for *host*."""
        return not self.hosts or any(
            host == name or (name[:2] == "*." and host.endswith(name[1:])) for name in self.hosts
        )


@dataclass(frozen=True, slots=True)
class Field:
    """One field, as the fields file has it.

    Attributes:
        name: of its column.
        rules: tried in this order; the first that finds something decides.
        type: one of TYPES.
        many: whether all matches are wanted, as a list.
        default: the value when nothing was found.
        required: whether a page without it counts as one with something missing.
        strip: whether blanks around the text, and more than one inside, are left out.
        max_length: characters that a text may have; the rest is cut off.
        decimal, order: see `values.number` and `values.iso_date`.
        fields: of an object: each match is one, and these are looked for inside of it.
    """

    name: str
    rules: tuple[Rule, ...]
    type: str = "str"
    many: bool = False
    default: Any = None
    required: bool = False
    strip: bool = True
    max_length: int | None = None
    decimal: str | None = None
    order: str | None = None
    fields: tuple["Field", ...] = ()

    @property
    def may_be_slow(self) -> bool:
        """Whether it looks at pages with more than the class of an element."""
        simple = all(getattr(rule.find, "is_simple", False) for rule in self.rules)
        return not simple or bool(self.fields) or self.type in ("text", "date")

    @property
    def names(self) -> list[str]:
        """Its name, and those of the fields inside of it."""
        inner = [f"{self.name}.{name}" for one in self.fields for name in one.names]
        return [self.name, *inner]

    @property
    def columns(self) -> dict[str, str]:
        """The columns that it fills, each with its type: one of TYPES, or `json`."""
        if self.fields or self.many:
            kind = "json"
        else:
            kind = "float" if self.type == "price" else self.type
        if self.type != "price" or self.fields:
            return {self.name: kind}
        return {self.name: kind, self.name + CURRENCY: "json" if self.many else "str"}

    @property
    def kinds(self) -> dict[str, Kind]:
        """The same, with what is inside of lists and objects."""
        flat = "float" if self.type == "price" else _KINDS.get(self.type, "str")
        inner = {name: kind for one in self.fields for name, kind in one.kinds.items()}
        kinds: dict[str, Kind] = {self.name: inner or flat}
        if self.type == "price" and not self.fields:
            kinds[self.name + CURRENCY] = "str"
        return {name: [kind] for name, kind in kinds.items()} if self.many else kinds


@dataclass(slots=True)
class Found:
    """What a page has of the fields.

    Attributes:
        values: by column.
        matches: how many things each field has found, by name.
        unread: texts that are no value of their type, with the reason, by name of the field.
    """

    values: dict[str, Any] = field(default_factory=dict)
    matches: dict[str, int] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


class Fields:
    """All fields of a fields file.

    Attributes:
        may_be_slow: whether a small page can keep one of them busy for long.
        names: of the fields, and of those inside of objects (`reviews.stars`).
        columns: the columns that they fill, each with its type.
        kinds: the same, with what is inside of lists and objects.
    """

    def __init__(self, fields: tuple[Field, ...]) -> None:
        self.fields = fields
        self.may_be_slow = any(one.may_be_slow for one in fields)
        self.names = [name for one in fields for name in one.names]
        self.columns = {name: kind for one in fields for name, kind in one.columns.items()}
        self.kinds = {name: kind for one in fields for name, kind in one.kinds.items()}

    def of(self, document: Document) -> Found:
        """Return what *document* has of the fields."""
        found = Found()
        for one in self.fields:
            found.values |= _values(one, document, None, found, one.name)
            if one.required and found.values[one.name] in (None, []):
                found.missing.append(one.name)
        return found


def _values(one: Field, document: Document, node: Any, found: Found, name: str) -> dict[str, Any]:
    """Return the values of the columns of a field."""
    matches: list[Any] = []
    try:
        for rule in one.rules:
            if rule.is_for(document.host):
                matches = [(match, _text(one, match)) for match in rule.find(document, node)]
                matches = [(match, text) for match, text in matches if text not in ("", None)]
                if matches:
                    break
    except Exception as error:  # a rule that raises on this page: one cell, and not the row
        found.unread[name] = _why(error)
    found.matches[name] = found.matches.get(name, 0) + len(matches)
    values: list[Any] = []
    for match, text in matches if one.many else matches[:1]:
        try:
            if one.fields:
                values.append(_object(one, document, match, found, name))
            else:
                values.append(_CONVERT[one.type](text, one, document))
        except Exception as error:
            found.unread[name] = f"{str(text)[:_LONGEST_SHOWN]!r} {_why(error)}"
    return _columns(one, values, is_absent=not matches and name not in found.unread)


def _why(error: Exception) -> str:
    """Return the reason of a cell that stays empty; of what is no text of ours with its class."""
    if isinstance(error, UnreadableError):
        return str(error)
    return " ".join(f"({type(error).__name__}: {error})".split())[:200]


def _columns(one: Field, values: list[Any], *, is_absent: bool) -> dict[str, Any]:
    default = one.default if is_absent else None  # what cannot be read stays empty
    absent = ([] if default is None else default) if one.many else [default]
    values = (values if one.many else values[:1]) or absent
    if one.type == "price" and not one.fields:
        amounts = [value[0] if isinstance(value, tuple) else value for value in values]
        currencies = [value[1] if isinstance(value, tuple) else None for value in values]
        if one.many:
            return {one.name: amounts, one.name + CURRENCY: currencies}
        return {one.name: amounts[0], one.name + CURRENCY: currencies[0]}
    return {one.name: values if one.many else values[0]}


def _object(
    one: Field, document: Document, node: Any, found: Found, name: str
) -> dict[str, Any] | None:
    result: dict[str, Any] = {}
    for inner in one.fields:
        result |= _values(inner, document, node, found, f"{name}.{inner.name}")
    return result


def _text(one: Field, match: Any) -> Any:
    """Return the text of a match; numbers and the like out of JSON stay what they are."""
    if one.fields:
        return match
    if isinstance(match, etree._Element):
        if one.type in ("html", "text"):
            source = etree.tostring(match, encoding="unicode", method="html", with_tail=False)
            return source if one.type == "html" else html_text.extract_text(source)
        match = text_of(match)
    if isinstance(match, dict | list):
        if one.type != "str":
            raise UnreadableError("is an object, or a list")
        return json.dumps(match, ensure_ascii=False)
    if isinstance(match, str) and one.strip and one.type not in ("html", "text"):
        return " ".join(match.split())
    return match


def _as_text(value: Any, one: Field, document: Document) -> str:
    if isinstance(value, bool | int | float):
        value = json.dumps(value)
    text = str(value)
    if one.max_length and len(text) > one.max_length:
        return text[: one.max_length]
    return text


def _as_int(value: Any, one: Field, document: Document) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return whole_number(str(value), one.decimal)


def _as_float(value: Any, one: Field, document: Document) -> float:
    return _finite(value) if _is_number(value) else number(str(value), one.decimal)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _finite(value: Any) -> float:
    try:
        finite = float(value)
    except OverflowError:
        finite = math.inf
    if not math.isfinite(finite):
        raise UnreadableError("is no number that fits")
    return finite


def _as_bool(value: Any, one: Field, document: Document) -> bool:
    return bool(value) if isinstance(value, int | float) else boolean(str(value))


def _as_price(value: Any, one: Field, document: Document) -> tuple[float, str | None]:
    if _is_number(value):
        return _finite(value), None
    return price(str(value), one.decimal)


def _as_date(value: Any, one: Field, document: Document) -> str:
    return iso_date(str(value), one.order, document.language)


def _as_url(value: Any, one: Field, document: Document) -> str:
    try:
        return safe_url_string(urljoin(document.base_url, str(value).strip()))
    except ValueError:
        raise UnreadableError("is no URL") from None


_CONVERT: dict[str, Callable[[Any, Field, Document], Any]] = {
    "str": _as_text,
    "int": _as_int,
    "float": _as_float,
    "bool": _as_bool,
    "date": _as_date,
    "price": _as_price,
    "url": _as_url,
    "html": _as_text,
    "text": _as_text,
}
TYPES = tuple(_CONVERT)
