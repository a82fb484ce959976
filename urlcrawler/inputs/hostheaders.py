"""The file of `-a headers=secrets.yaml`: what to send to some hosts, and to no others.

    shop.example:
      headers:
        Authorization: Bearer ${SHOP_TOKEN}
      cookies:
        session: 4f1c
    "*.example.org":
      headers: {X-Api-Key: "${KEY}"}

A host stands for itself, `*.` before it for every host below it. `${NAME}` is a variable of the
environment, so that no secret need be in the file.
"""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ruamel.yaml.comments import CommentedMap

from urlcrawler.exceptions import ListError
from urlcrawler.yamlfile import HOST, read_yaml

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_VARIABLE = re.compile(r"\$\{(\w+)\}")


class HostHeaders:
    """Headers by host."""

    def __init__(self, headers: Mapping[str, Mapping[str, str]]) -> None:
        self._headers = {host.lower(): dict(values) for host, values in headers.items()}

    def of(self, host: str) -> Mapping[str, str]:
        """Return the headers of *host*: its own, else those of the nearest `*.` above it."""
        name = host.lower().removesuffix(".")
        if name in self._headers:
            return self._headers[name]
        while "." in name:
            name = name.partition(".")[2]
            if f"*.{name}" in self._headers:
                return self._headers[f"*.{name}"]
        return {}


def read_host_headers(path: str, environment: Mapping[str, str] = os.environ) -> HostHeaders:
    """Read the file, and the variables of the environment that it names.

    Raises:
        ListError: with every mistake in it, each with its line.
    """
    content = read_yaml(path)
    mistakes: list[str] = []
    found = _Reader(path, environment, mistakes).hosts(content)
    if mistakes:
        raise ListError("\n".join(mistakes))
    return HostHeaders(found)


class _Reader:
    def __init__(self, path: str, environment: Mapping[str, str], mistakes: list[str]) -> None:
        self._path = path
        self._environment = environment
        self._mistakes = mistakes

    def hosts(self, content: Any) -> dict[str, dict[str, str]]:
        if not isinstance(content, CommentedMap):
            self._mistakes.append(f"{self._path}: must name hosts, each with its headers")
            return {}
        found: dict[str, dict[str, str]] = {}
        for host, line, parts in _items(content):
            if not HOST.fullmatch(host):
                self._note(line, f"{host!r} is no host. Write it without http:// and path")
            elif not isinstance(parts, CommentedMap):
                self._note(line, f"{host}: needs `headers` or `cookies`")
            else:
                found[host] = self._headers(host, parts)
        return found

    def _headers(self, host: str, parts: CommentedMap) -> dict[str, str]:
        found: dict[str, str] = {}
        for kind, line, values in _items(parts):
            if kind not in ("headers", "cookies"):
                self._note(line, f"{host}: there is no {kind!r}, only `headers` and `cookies`")
                continue
            if not isinstance(values, CommentedMap):
                self._note(line, f"{host}: `{kind}` needs names with values")
                continue
            texts = {name: self._value(host, name, *rest) for name, *rest in _items(values)}
            if kind == "headers":
                found |= texts
            else:
                found["Cookie"] = "; ".join(f"{name}={value}" for name, value in texts.items())
        return found

    def _value(self, host: str, name: str, line: int, value: Any) -> str:
        if not _TOKEN.fullmatch(name):
            self._note(line, f"{host}: {name!r} is no name of a header or cookie")
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            self._note(line, f"{host}: {name}: must be text")
            return ""

        def variable(match: re.Match[str]) -> str:
            if match[1] not in self._environment:
                self._note(line, f"{host}: {name}: the environment has no variable {match[1]}")
            return self._environment.get(match[1], "")

        text = _VARIABLE.sub(variable, str(value)).strip()
        if not text.isascii() or not text.isprintable():
            self._note(line, f"{host}: {name}: must be printable ASCII, in one line")
        return text

    def _note(self, line: int, what: str) -> None:
        self._mistakes.append(f"{self._path}: line {line}: {what}")


def _items(values: CommentedMap) -> Iterator[tuple[str, int, Any]]:
    """Yield key, line and value."""
    for key, value in values.items():
        yield str(key), values.lc.key(key)[0] + 1, value
