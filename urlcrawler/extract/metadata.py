"""What a page says about itself: one pass over its tree, for every page."""

import logging
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import lxml.html
from scrapy.http import XmlResponse

from urlcrawler.extract.document import Document, OfThread
from urlcrawler.extract.lines import text_of

LONGEST = 1000  # characters of a text; megabytes of it are somebody's joke
MOST_LINKS = 200
_PIECE = 262_144  # characters of which the words are counted at once

# By group, which METADATA switches on and off. The documentation of each is that of `items.Page`.
GROUPS: dict[str, tuple[str, ...]] = {
    "page": ("title", "description", "canonical", "language", "h1", "robots"),
    "social": ("og_title", "og_image", "og_type", "og_site_name"),
    "dates": ("published", "modified", "author"),
    "text": ("words",),
    "structured": ("json_ld",),
    "links": ("alternates", "prev_page", "next_page"),
    "article": ("article_title", "article_text", "article_date", "article_author"),
}
METADATA_COLUMNS = frozenset(name for names in GROUPS.values() for name in names)

_PUBLISHED = (
    "article:published_time", "datepublished", "og:published_time", "date", "dc.date",
    "dc.date.issued", "dcterms.created", "pubdate", "publishdate", "publish_date", "sailthru.date",
    "parsely-pub-date", "citation_publication_date",
)  # fmt: skip
_MODIFIED = (
    "article:modified_time", "datemodified", "og:updated_time", "last-modified", "dcterms.modified",
    "dc.date.modified", "revised",
)  # fmt: skip
_AUTHOR = ("author", "article:author", "dc.creator", "parsely-author", "sailthru.author", "byl")
# Han, Kana: no blanks between words, so each character counts, as in word processors.
_IDEOGRAPHS = re.compile(
    "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]"
)
_texts = OfThread("descendant::text()")  # ten times as fast as itertext()
_NO_TEXT = ("script", "style", "noscript", "template", "head", "title", "svg", "iframe")


def metadata(document: Document, groups: frozenset[str] = frozenset(GROUPS)) -> dict[str, Any]:
    """Return the columns of the *groups* that *document* says something about."""
    if document.root is None:
        return {}
    found: dict[str, Any] = {}
    for group in groups:
        if group in _READERS:
            found.update(_READERS[group](document))
    return {name: value for name, value in found.items() if value not in (None, "", [], {})}


def _page(document: Document) -> dict[str, Any]:
    meta, headers = document.meta, document.response.headers
    tags = headers.getlist("X-Robots-Tag")
    robots = [meta.get("robots", ""), *(tag.decode("latin-1") for tag in tags)]
    return {
        "title": _title(document),
        "description": _line(meta.get("description") or meta.get("og:description")),
        "canonical": _url(document, _link(document, "canonical")),
        "language": document.full_language,
        "h1": _line(_text_of(_first(document, "h1"))),
        "robots": _line(", ".join(filter(None, robots))),
    }


def _social(document: Document) -> dict[str, Any]:
    meta = document.meta

    def first(*names: str) -> str | None:
        return next((meta[name] for name in names if name in meta), None)

    return {
        "og_title": _line(first("og:title", "twitter:title")),
        "og_image": _url(document, first("og:image", "og:image:url", "twitter:image")),
        "og_type": _line(first("og:type", "twitter:card")),
        "og_site_name": _line(first("og:site_name", "application-name", "twitter:site")),
    }


def _dates(document: Document) -> dict[str, Any]:
    things = [thing for thing in document.json_ld if isinstance(thing, dict)]
    things.sort(key=lambda thing: not _is_about_page(thing))  # and not about a comment on it

    def said(names: tuple[str, ...], key: str) -> Any:
        of_meta = next((document.meta[name] for name in names if name in document.meta), None)
        return of_meta or next((thing[key] for thing in things if thing.get(key)), None)

    published = said(_PUBLISHED, "datePublished")
    if published is None:
        times = document.root.iter("time")
        published = next(
            (time.get("datetime") for time in times if _is_published(time)),
            None,
        )
    return {
        "published": _line(published),
        "modified": _line(said(_MODIFIED, "dateModified")),
        "author": _line(_names(said(_AUTHOR, "author"))),
    }


def _is_about_page(thing: dict[str, Any]) -> bool:
    types = thing.get("@type")
    names = types if isinstance(types, list) else [types]
    return any(str(name).endswith(("Article", "Posting", "WebPage", "Report")) for name in names)


def _is_published(time: Any) -> bool:
    return time.get("pubdate") is not None or time.get("itemprop") == "datePublished"


def _names(author: Any) -> str | None:
    """Return the name, or names, of an author as JSON-LD has them."""
    if isinstance(author, list):
        return ", ".join(filter(None, map(_names, author[:20])))
    if isinstance(author, dict):
        author = author.get("name")
    return author if isinstance(author, str) else None


def _words(document: Document) -> dict[str, Any]:
    """Count the words that a reader sees, as far as the source tells."""
    body = _first(document, "body")
    if body is None:
        return {}
    hidden = [part for tag in body.iter(*_NO_TEXT) if not _is_inside(tag) for part in _texts()(tag)]
    return {"words": _count(" ".join(_texts()(body))) - _count(" ".join(hidden))}


def _is_inside(tag: Any) -> bool:
    """Return whether *tag* is inside of one that is counted already."""
    return any(parent.tag in _NO_TEXT for parent in tag.iterancestors())


def _count(text: str) -> int:
    if not text.isascii():
        text = _IDEOGRAPHS.sub(" x ", text)
    if len(text) <= _PIECE:
        return len(text.split())
    # A list of all words takes ten times the memory of the text.
    words = 0
    for start in range(0, len(text), _PIECE):
        words += len(text[start : start + _PIECE].split())
        words -= bool(start and not text[start - 1].isspace() and not text[start].isspace())
    return words


def _structured(document: Document) -> dict[str, Any]:
    return {"json_ld": document.json_ld}


def _links(document: Document) -> dict[str, Any]:
    alternates: dict[str, str] = {}
    for link in document.root.iter("link"):
        language = link.get("hreflang")
        if language and "alternate" in _rel(link) and len(alternates) < MOST_LINKS:
            alternates.setdefault(language.strip().lower(), _url(document, link.get("href")) or "")
    return {
        "alternates": alternates,
        "prev_page": _url(document, _link(document, "prev") or _link(document, "previous")),
        "next_page": _url(document, _link(document, "next")),
    }


def _article(document: Document) -> dict[str, Any]:
    import trafilatura  # extra `article`; a second to import

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # two lines for each other page
    # A tree of its own, as it is taken apart; of a text it refuses some that browsers show.
    tree = lxml.html.document_fromstring(document.text or "<html/>")
    found: Any = trafilatura.bare_extraction(tree, url=document.response.url, with_metadata=True)
    if found is None:
        return {}
    return {
        "article_title": _line(found.title),
        "article_text": found.text,
        "article_date": found.date,
        "article_author": _line(found.author),
    }


_READERS: dict[str, Callable[[Document], dict[str, Any]]] = {
    "page": _page,
    "social": _social,
    "dates": _dates,
    "text": _words,
    "structured": _structured,
    "links": _links,
    "article": _article,
}


def _title(document: Document) -> str | None:
    """Return the title of the page, and not that of a drawing in it."""
    is_xml = isinstance(document.response, XmlResponse)
    titles = document.root.iter("{*}title") if is_xml else document.root.iter("title")
    for tag in titles:
        if not any(_local_name(parent) == "svg" for parent in tag.iterancestors()):
            return _line(_text_of(tag))
    return None


def _local_name(tag: Any) -> str:
    return tag.tag.rpartition("}")[2] if isinstance(tag.tag, str) else ""


def _first(document: Document, name: str) -> Any:
    return next(document.root.iter(name, f"{{http://www.w3.org/1999/xhtml}}{name}"), None)


def _text_of(tag: Any) -> str | None:
    """Return the text of an element; None when there is no such element."""
    if tag is None:
        return None
    return text_of(tag)


def _link(document: Document, rel: str) -> str | None:
    for link in document.root.iter("link", "{http://www.w3.org/1999/xhtml}link"):
        if rel in _rel(link) and link.get("href"):
            return str(link.get("href"))
    return None


def _rel(link: Any) -> list[str]:
    return (link.get("rel") or "").lower().split()


def _url(document: Document, url: str | None) -> str | None:
    if not url:
        return None
    try:
        return urljoin(document.base_url, url.strip())[: 4 * LONGEST]
    except ValueError:
        return None


def _line(text: Any) -> str | None:
    """Return *text* in one line, cut if it is longer than LONGEST; None when it is empty."""
    if not isinstance(text, str):
        return None
    line = " ".join(text[: 100 * LONGEST].split())
    return (line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…") or None
