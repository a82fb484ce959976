"""Is a page empty without JavaScript? Told by what it holds and what it lacks.

A browser takes a hundred times as long as a parser, so it is asked only on evidence; and a page
that has been rendered in vain costs seconds, while one that was not costs its values.
"""

import re
from collections.abc import Collection, Iterator
from typing import Any

from urlcrawler.extract.document import Document

ENOUGH = 600  # visible characters, blanks not counted, of a page that has something to say
NOTHING = 60  # the same of a page that has not
SKELETONS = 3  # elements that keep a place for what is to come

# Of <script type=...>: others hold data, templates or maps of imports.
_EXECUTABLE = re.compile(
    r"^\s*(?:|module|(?:text|application)/(?:x-)?(?:java|ecma)script(?:\s*;.*)?)\s*$", re.IGNORECASE
)
_INVISIBLE = frozenset(
    {"script", "style", "noscript", "template", "head", "svg", "iframe", "object", "textarea"}
)
_QUOTED = frozenset({"code", "pre", "samp", "kbd"})  # where {{ name }} is an example
# Where frameworks put a page: React, Vue, Next, Nuxt, Gatsby, Svelte, Quasar, Ember, Aurelia.
_MOUNTS = frozenset(
    {"root", "app", "__next", "__nuxt", "___gatsby", "svelte", "q-app", "ember-app", "main-app",
     "application", "react-root", "app-root", "mount"}
)  # fmt: skip
_TEMPLATE = re.compile(r"\{\{\s*[\w$.\[\]'\"()]+\s*(?:\|[^{}]*)?\}\}|<%=")
_LOADING = re.compile(
    r"\b(?:loading|please wait|one moment|wird geladen|bitte warten|chargement|cargando|caricamento"
    r"|carregando|загрузка|読み込み中|加载中)\b|(?:^|\s)\.\.\.\s*$",
    re.IGNORECASE,
)
_NEEDS_SCRIPT = re.compile(
    r"(?:enable|activate|turn on|requires?|needs?|without|aktivieren|activer?|habilit\w+|active)"
    r"\W+(?:\w+\W+){0,3}?java\s?script"
    r"|java\s?script\W+(?:\w+\W+){0,4}?(?:enabled?|disabled|required|activ\w+|habilit\w+|nécessaire)",
    re.IGNORECASE,
)
_SKELETON = re.compile(
    r"(?:^|[\s_-])(?:skeleton|shimmer|placeholder-glow|content-loader|ghost-line)(?:$|[\s_-])",
    re.IGNORECASE,
)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


def why_render(document: Document, missing: Collection[str] | None = None) -> str | None:
    """Return why a browser is to look at *document*, in a few words; None when it need not.

    Args:
        missing: the requested fields that found nothing; None when no fields are requested.
    """
    root = document.root
    if not has_script(document):
        return None
    if missing is not None:
        return f"no {', '.join(sorted(missing))}" if missing else None
    pieces = list(_visible(root))
    if any(_TEMPLATE.search(text) for text, is_quoted in pieces if not is_quoted):
        return "a template that is not filled in"
    text = " ".join(text for text, _ in pieces)
    size = len(re.sub(r"\s+", "", text))
    if size >= ENOUGH:
        return None
    if mount := _empty_mount(root):
        return f"nothing in {mount}"
    if _LOADING.search(text):
        return "it is still loading"
    if _NEEDS_SCRIPT.search(f"{text} {_noscript(root)}"):
        return "it asks for JavaScript"
    if sum(1 for _ in _skeletons(root)) >= SKELETONS:
        return "a skeleton"
    return "almost no text" if size < NOTHING else None


def has_script(document: Document) -> bool:
    """Return whether something runs when the page is loaded."""
    return document.root is not None and any(
        _EXECUTABLE.match(script.get("type") or "")
        and (script.get("src") or (script.text or "").strip())
        for script in document.root.iter("script")
    )


def _visible(root: Any) -> Iterator[tuple[str, bool]]:
    """Yield the pieces of text that a reader sees, and whether they are quoted code."""
    body = root.find("body")
    waiting: list[tuple[Any, bool]] = [(root if body is None else body, False)]
    while waiting:
        element, is_quoted = waiting.pop()
        if isinstance(element, str):
            if not element.isspace():
                yield element, is_quoted
            continue
        tail = element.tail
        # Behind what it holds, which is put there after it.
        if tail and element is not body:
            waiting.append((tail, is_quoted))
        tag = element.tag
        if not isinstance(tag, str) or tag in _INVISIBLE or _is_hidden(element):
            continue
        is_inner_quoted = is_quoted or tag in _QUOTED
        waiting += ((child, is_inner_quoted) for child in reversed(element))
        if element.text:
            waiting.append((element.text, is_inner_quoted))


def _is_hidden(element: Any) -> bool:
    style = element.get("style")
    return element.get("hidden") is not None or bool(style and _HIDDEN.search(style))


def _empty_mount(root: Any) -> str | None:
    """Return the place that a framework is to fill and has not, as CSS has it."""
    for element in root.iter("div", "main", "section", "app-root", "my-app"):
        name = element.get("id")
        is_mount = (
            name in _MOUNTS or "-" in element.tag or element.get("data-reactroot") is not None
        )
        if is_mount and not any(True for _ in _visible_inside(element)):
            return f"#{name}" if name else f"<{element.tag}>"
    return None


def _visible_inside(element: Any) -> Iterator[str]:
    for inner in element.iter():
        if not isinstance(inner.tag, str) or inner.tag in _INVISIBLE:
            continue
        if inner.tag in ("img", "input", "video", "canvas"):
            yield inner.tag
        for text in (inner.text, inner.tail if inner is not element else None):
            if text and not text.isspace() and not _LOADING.search(text):
                yield text


def _noscript(root: Any) -> str:
    return " ".join("".join(element.itertext()) for element in root.iter("noscript"))


def _skeletons(root: Any) -> Iterator[Any]:
    return (element for element in root.iter("*") if _SKELETON.search(element.get("class") or ""))
