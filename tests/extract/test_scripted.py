"""Which pages are empty without JavaScript: the table of cases."""

import pytest
from scrapy.http import HtmlResponse, Response, TextResponse

from urlcrawler.extract.document import Document
from urlcrawler.extract.scripted import ENOUGH, why_render

TEXT = "<p>" + "Words that somebody has written for readers. " * 30 + "</p>"
SHORT = (
    "<p>The shop is closed on Sundays, and on all other days it is open from nine to six, or by "
    "appointment.</p>"
)
SKELETON = "<div class='card skeleton'></div>"
SCRIPT = "<script src=/app.js></script>"


def why(html: str, missing: set[str] | None = None) -> str | None:
    response = HtmlResponse("http://a.com/", body=html.encode(), encoding="utf-8")
    return why_render(Document(response), missing)


EMPTY = {
    "react": f'<body><div id="root"></div>{SCRIPT}',
    "vue": '<body><div id=app><!-- --></div><script type="module" src=/a.js></script>',
    "next, a shell": f'<body><div id="__next"><div></div></div>{SCRIPT}',
    "angular": f"<body><app-root></app-root>{SCRIPT}",
    "a mount that says loading": f"<body><div id=root><p>Loading...</p></div>{SCRIPT}",
    "a header around nothing": f"<header>The shop</header><div id=app></div>{SCRIPT}",
    "loading": f"<body><main><p>Please wait</p></main>{SCRIPT}",
    "loading, in German": f"<body><p>Die Liste wird geladen</p>{SCRIPT}",
    "a template": f"<body><h1>{{{{ product.name }}}}</h1>{TEXT}{SCRIPT}",
    "a template with a filter": f"<body><p>{{{{ price | currency }}}}</p>{SCRIPT}",
    "underscore": f"<body><p>&lt;%= name %&gt;</p>{SCRIPT}",
    "noscript": f"<noscript>You need to enable JavaScript to run this app.</noscript>{SCRIPT}",
    "a wall of noscript": f"{SHORT}<noscript>This page requires JavaScript.</noscript>{SCRIPT}",
    "skeletons": f"<body>{SHORT}{SKELETON * 3}{SCRIPT}",
    "nothing": f"<body>{SCRIPT}",
    "an inline script": "<body><script>document.write('everything')</script>",
    "an unfinished head": f"<html><head>{SCRIPT}",
}
FULL = {
    "plain": f"<body>{TEXT}",
    "plain and empty": "<body>",
    "plain and short": f"<body>{SHORT}",
    "a mount without a script": '<body><div id="root"></div>',
    "rendered on the server": f'<body><div id="__next">{TEXT}</div>{SCRIPT}',
    "data beside text": f'<div id=app>{SHORT}</div><script type="text/json">{{}}</script>',
    "text and a script": f"<body>{TEXT}{SCRIPT}",
    "short text and a script": f"<body>{SHORT}{SCRIPT}",
    "only data": '<body><script type="application/ld+json">{"@type": "Product"}</script>',
    "a map of imports": '<body><script type="importmap">{}</script>',
    "an empty script": "<body><script></script>",
    "a template for later": f"<body>{TEXT}<template><p>{{{{ name }}}}</p></template>{SCRIPT}",
    "a text about templates": f"{TEXT}<pre>{{{{ name }}}}</pre><code>&lt;%= a %&gt;</code>{SCRIPT}",
    "noscript about statistics": f"<body>{TEXT}<noscript><img src=/count.gif></noscript>{SCRIPT}",
    "a noscript beside enough text": f"{TEXT}<noscript>Enable JavaScript.</noscript>{SCRIPT}",
    "the word loading in a long text": f"<body>{TEXT}<p>Loading docks are at the back.</p>{SCRIPT}",
    "one skeleton": f"<body>{SHORT}<div class=skeleton></div>{SCRIPT}",
    "an empty widget beside enough text": f"<body>{TEXT}<div id=app></div>{SCRIPT}",
    "a mount with an image": f'<body><div id=root><img src=a.png></div>{SHORT}{SCRIPT}',
}  # fmt: skip


@pytest.mark.parametrize("html", EMPTY.values(), ids=EMPTY)
def test_a_page_that_is_empty_without_scripts_is_rendered(html: str) -> None:
    """Each of these has its reason, which the log can name."""
    assert why(html)


@pytest.mark.parametrize("html", FULL.values(), ids=FULL)
def test_a_page_that_says_something_is_not(html: str) -> None:
    """A browser takes a hundred times as long."""
    assert why(html) is None


def test_fields_decide_where_there_are_any() -> None:
    """All found: no browser, however empty it looks; one that is not: a browser."""
    empty = EMPTY["react"]
    assert why(empty, set()) is None
    assert why(FULL["text and a script"], {"price", "name"}) == "no name, price"
    assert why(FULL["plain"], {"price"}) is None


def test_text_that_nobody_sees_is_no_text() -> None:
    """Hidden, or in scripts, styles and templates."""
    hidden = f"<div hidden>{TEXT}</div><div style='display: none'>{TEXT}</div><style>{TEXT}</style>"
    assert why(f"<body>{hidden}<p>Hello</p>{SCRIPT}") == "almost no text"
    assert len(TEXT) > ENOUGH


@pytest.mark.parametrize(
    "response",
    [
        TextResponse("http://a.com/", body=b'{"a": 1}', encoding="utf-8"),
        Response("http://a.com/", body=b"%PDF-1.7"),
        HtmlResponse("http://a.com/", body=b"", encoding="utf-8"),
    ],
)
def test_what_is_no_page_is_never_rendered(response: Response) -> None:
    """JSON, PDF, nothing at all."""
    assert why_render(Document(response)) is None
