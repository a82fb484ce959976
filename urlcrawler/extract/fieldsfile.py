"""The file of `-a fields=fields.yaml`: what is wanted of each page.

    price:
      css: .price
      type: price
      required: true
    author: .author              # a text alone is a CSS selector
    reviews:
      css: li.review
      many: true
      fields:
        stars: {css: "::attr(data-stars)", type: int}
        text: p

All of it is checked before the first request, and every mistake is said at once, with its line.
"""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from importlib.util import find_spec
from typing import Any

from ruamel.yaml.comments import CommentedMap

from urlcrawler.exceptions import ListError
from urlcrawler.extract.fields import TYPES, Field, Fields, Rule
from urlcrawler.extract.rules import KINDS, RuleError, looks_at_whole_page
from urlcrawler.extract.values import ORDERS
from urlcrawler.yamlfile import HOST, read_yaml

_OPTIONS = (
    "type", "many", "default", "required", "strip", "max_length", "decimal", "order", "fields",
)  # fmt: skip
_RULE = (*KINDS, "hosts")
_DEFAULTS: dict[str, tuple[type, ...]] = {
    "int": (int,), "float": (int, float), "price": (int, float), "bool": (bool,),
}  # fmt: skip
_DEFAULT_WORDS = {
    "int": "a whole number", "float": "a number", "price": "a number", "bool": "true or false",
}  # fmt: skip
_WORDS = {bool: "true or false", int: "a whole number above 0"}


def read_fields(path: str, taken: frozenset[str] = frozenset()) -> Fields:
    """Read the file.

    Args:
        taken: names of columns that no field may have.

    Raises:
        ListError: with every mistake in it, each with its line.
    """
    reader = _Reader(path, taken)
    fields = reader.fields(read_yaml(path))
    if reader.mistakes:
        raise ListError("\n".join(reader.mistakes))
    return Fields(fields)


class _Reader:
    """Reads what it can, and notes what it cannot."""

    def __init__(self, path: str, taken: frozenset[str]) -> None:
        self._path = path
        self._taken = taken
        self.mistakes: list[str] = []

    def fields(self, content: Any) -> tuple[Field, ...]:
        if not isinstance(content, CommentedMap) or not content:
            self.mistakes.append(f"{self._path}: must name fields, each with how it is found")
            return ()
        fields = tuple(self._fields("", content))
        columns: dict[str, str] = {}
        for one in fields:
            for column in one.columns:
                if other := columns.get(column):
                    line = content.lc.key(one.name)[0] + 1
                    self._note(line, one.name, f"its column {column!r} is that of {other!r} too")
                columns[column] = one.name
        return fields

    def _fields(self, within: str, content: CommentedMap) -> Iterator[Field]:
        for name, value in content.items():
            line = content.lc.key(name)[0] + 1
            full = f"{within}{name}"
            if not isinstance(name, str) or not name.strip() or not name.isprintable():
                self._note(line, full, "a name must be printable text. Put it in quotes")
            elif not within and name in self._taken:
                self._note(line, full, "is a column that every table has. Choose another name")
            elif self._is_cut(full, content, name, line):
                continue
            elif isinstance(value, str):
                yield self._field(full, name, CommentedMap({"css": value}), line)
            elif isinstance(value, CommentedMap):
                yield self._field(full, name, value, line)
            else:
                self._note(
                    line, full, f"must say how it is found, as in `{name}: {{css: .{name}}}`"
                )

    def _field(self, full: str, name: str, content: CommentedMap, line: int) -> Field:
        self._check_names(full, content, (*_RULE, *_OPTIONS, "rules"), line)
        options = self._options(full, content, line)
        inner: tuple[Field, ...] = ()
        if "fields" in content:
            inner_content = content["fields"]
            if isinstance(inner_content, CommentedMap) and inner_content:
                inner = tuple(self._fields(f"{full}.", inner_content))
            else:
                self._note(_line(content, "fields", line), full, "`fields` must name fields")
            if "type" in content:
                self._note(_line(content, "type", line), full, "an object has no `type`")
        if "." in full.removesuffix(name) and options.get("required"):
            self._note(
                _line(content, "required", line), full, "only fields of a page can be required"
            )
        rules = self._rules(full, content, line, is_object=bool(inner), is_inner=full != name)
        return Field(name, rules, fields=inner, **options)

    def _rules(
        self, full: str, content: CommentedMap, line: int, *, is_object: bool, is_inner: bool
    ) -> tuple[Rule, ...]:
        several = content.get("rules")
        if several is None:
            return tuple(self._rule(full, content, line, is_object=is_object, is_inner=is_inner))
        if any(kind in content for kind in _RULE):
            self._note(line, full, "has `rules`, so how it is found must stand in them")
        if not isinstance(several, list) or not several:
            self._note(_line(content, "rules", line), full, "`rules` must be a list of rules")
            return ()
        rules: list[Rule] = []
        lines: Any = several
        for place, rule in enumerate(several):
            at = lines.lc.item(place)[0] + 1
            if not isinstance(rule, CommentedMap):
                self._note(at, full, "a rule must say how, as in `- css: .price`")
                continue
            self._check_names(full, rule, _RULE, at)
            rules += self._rule(full, rule, at, is_object=is_object, is_inner=is_inner)
        return tuple(rules)

    def _rule(
        self, full: str, content: CommentedMap, line: int, *, is_object: bool, is_inner: bool
    ) -> Iterator[Rule]:
        kinds = [kind for kind in KINDS if kind in content]
        if len(kinds) != 1:
            said = f"has {' and '.join(kinds)}" if kinds else "does not say how it is found"
            self._note(line, full, f"{said}: name one of {', '.join(KINDS)}")
            return
        kind = kinds[0]
        at, expression = _line(content, kind, line), content[kind]
        hosts = self._hosts(full, content, line)
        if self._is_cut(full, content, kind, at):
            return
        if not isinstance(expression, str) or not expression.strip():
            self._note(at, full, f"`{kind}` must be text, not {expression!r}")
            return
        if kind == "meta" and is_inner:
            self._note(at, full, "`meta` is about the whole page, and not about each match")
            return
        if kind == "xpath" and is_inner and looks_at_whole_page(expression):
            self._note(
                at,
                full,
                f"{expression!r} looks at the whole page. Begin with .// to look inside of each "
                "match",
            )
            return
        if is_object and (kind in ("regex", "meta") or "::" in expression):
            self._note(at, full, f"the fields of an object need elements, and {kind!r} finds text")
            return
        try:
            yield Rule(KINDS[kind](expression), hosts)
        except RuleError as error:
            self._note(at, full, f"{expression!r} {error}")

    def _is_cut(self, full: str, content: CommentedMap, name: Any, line: int) -> bool:
        """Note a selector that YAML takes for a comment, or the end of one."""
        _, _, comment, *_ = content.ca.items.get(name) or (None,) * 4
        text = comment.value.splitlines()[0].strip() if comment else ""
        if not re.match(r"#[\w-]", text) or isinstance(content[name], dict | list):
            return False
        self._note(
            line,
            full,
            f"`{text}` is a comment in YAML. Put the selector in quotes, or a blank after the # "
            "of a comment",
        )
        return True

    def _hosts(self, full: str, content: CommentedMap, line: int) -> tuple[str, ...]:
        value = content.get("hosts", [])
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list):
            names = [value]
        for name in names:
            if not isinstance(name, str) or not HOST.fullmatch(name):
                at = _line(content, "hosts", line)
                self._note(at, full, f"{name!r} is no host. Write it without http:// and path")
        return tuple(str(name).lower() for name in names)

    def _options(self, full: str, content: CommentedMap, line: int) -> dict[str, Any]:
        options: dict[str, Any] = {}
        for name, kind in (("many", bool), ("required", bool), ("strip", bool)):
            if name in content:
                options[name] = self._typed(full, content, name, kind, line)
        if "max_length" in content:
            options["max_length"] = self._typed(full, content, "max_length", int, line)
        for name, choices in (("type", TYPES), ("order", ORDERS), ("decimal", (".", ","))):
            if name in content:
                options[name] = self._one_of(full, content, name, choices, line)
        if "default" in content:
            options["default"] = self._default(full, content, options, line)
            if content.get("required") is True:
                self._note(
                    _line(content, "default", line), full, "is required, so it can have no default"
                )
        if options.get("type") == "date" and find_spec("dateparser") is None:
            at = _line(content, "type", line)
            self._note(at, full, "type date needs dateparser. Type pip install dateparser")
        return options

    def _default(self, full: str, content: CommentedMap, options: dict[str, Any], line: int) -> Any:
        """Return the default, which must be what the column has otherwise."""
        value, kind = content["default"], options.get("type") or "str"
        several = value if isinstance(value, list) else [value]
        fits = isinstance(value, list) == bool(options.get("many")) or value is None
        if "fields" not in content:
            wanted = _DEFAULTS.get(kind, (str,))
            fits = fits and all(
                one is None
                or (isinstance(one, wanted) and (kind == "bool") == isinstance(one, bool))
                for one in several
            )
        if not fits:
            words = "a list" if options.get("many") else _DEFAULT_WORDS.get(kind, "text")
            at = _line(content, "default", line)
            self._note(at, full, f"`default` must be {words}, as the field is, not {value!r}")
        return list(value) if isinstance(value, list) else value

    def _typed(self, full: str, content: CommentedMap, name: str, kind: type, line: int) -> Any:
        value = content[name]
        fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        if not fits or (kind is int and value < 1):
            at = _line(content, name, line)
            self._note(at, full, f"`{name}` must be {_WORDS[kind]}, not {value!r}")
            return None
        return value

    def _one_of(
        self, full: str, content: CommentedMap, name: str, choices: tuple[str, ...], line: int
    ) -> Any:
        value = content[name]
        if value not in choices:
            near = get_close_matches(str(value), choices, 1)
            hint = f". Did you mean {near[0]}?" if near else f": it is one of {' '.join(choices)}"
            self._note(_line(content, name, line), full, f"there is no {name} {value!r}{hint}")
            return choices[0]
        return value

    def _check_names(
        self, full: str, content: CommentedMap, known: tuple[str, ...], line: int
    ) -> None:
        for name in content:
            if name not in known:
                near = get_close_matches(str(name), known, 1)
                hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}"
                self._note(_line(content, name, line), full, f"there is no {name!r}. {hint}")

    def _note(self, line: int, field: str, what: str) -> None:
        self.mistakes.append(f"{self._path}: line {line}: field {field!r}: {what}")


def _line(content: CommentedMap, name: Any, line: int) -> int:
    """Return the line of a name in *content*; *line* for what was not written that way."""
    try:
        return int(content.lc.key(name)[0]) + 1
    except (KeyError, AttributeError, TypeError):
        return line
