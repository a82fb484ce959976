"""The text of an element in one line, as a reader would read it out."""

from typing import Any

from lxml import etree

from urlcrawler.extract.document import OfThread

# Elements that begin a new line, or a cell: words before and after them are two.
_BREAKS = (
    "br", "p", "div", "li", "ul", "ol", "dl", "dt", "dd", "tr", "td", "th", "table", "section",
    "article", "header", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "option", "pre",
    "blockquote", "figcaption",
)  # fmt: skip
_BREAK = frozenset(_BREAKS)
_string = OfThread("string()")


def text_of(element: Any) -> str:
    """Return the text of *element*, blanks as they are; words on two lines do not become one."""
    if not len(element) or next(element.iterdescendants(*_BREAKS), None) is None:
        return str(_string()(element))
    parts: list[str] = []
    for event, node in etree.iterwalk(element, events=("start", "end", "comment", "pi")):
        if event == "start":
            parts.append(node.text or "")
        if node.tag in _BREAK and node is not element:
            # In a start it stands before the text, in an end before what follows.
            parts.insert(len(parts) - (event == "start"), " ")
        if event != "start" and node is not element:
            parts.append(node.tail or "")
    return "".join(parts)
