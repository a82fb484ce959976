"""What pages say about themselves."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.http import HtmlResponse, Response, TextResponse, XmlResponse

from urlcrawler.extract.document import Document
from urlcrawler.extract.metadata import GROUPS, LONGEST, metadata

ALL = frozenset(GROUPS) - {"article"}


def said(
    body: str | bytes,
    kind: type[Response] = HtmlResponse,
    headers: dict[str, Any] | None = None,
    groups: frozenset[str] = ALL,
) -> dict[str, Any]:
    data = body if isinstance(body, bytes) else body.encode()
    options = {} if kind is Response else {"encoding": "utf-8"}
    response = kind("http://a.com/b/c", body=data, headers=headers, **options)
    return metadata(Document(response), groups)


def ld(text: str) -> str:
    return f'<script type="application/ld+json">{text}</script>'


XHTML = (
    '<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="fr"><head>{}</head>'
    "<body><h1>H</h1></body></html>"
)

# A page, and what it says; anything that is not named it says nothing about.
PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing": ("", {}),
    "no head": ("<p>a b", {"words": 2}),
    "title": ("<title> A\n  title </title>", {"title": "A title"}),
    "two titles": ("<title>A</title><title>B</title>", {"title": "A"}),
    "empty title": ("<title> </title><p>a", {"words": 1}),
    "title of a drawing": ("<svg><title>Logo</title></svg><title>A", {"title": "A", "words": 0}),
    "title in the body": ("<body><p>x<title>A</title>", {"title": "A", "words": 1}),
    "entities": ("<title>A &amp; B &lt;C&gt; &eacute;</title>", {"title": "A & B <C> é"}),
    "unclosed title": ("<title>A<p>b", {"title": "A<p>b"}),
    "heading in lines": ("<h1>A<br>B <i>c</i></h1>", {"h1": "A B c", "words": 3}),
    "JSON-LD in CDATA": (
        ld('//<![CDATA[\n{"@type": "A"}\n//]]>'), {"json_ld": [{"@type": "A"}]},
    ),
    "JSON-LD in a comment": (ld('<!--\n[{"@type": "A"}]\n-->'), {"json_ld": [{"@type": "A"}]}),
    "JSON-LD with the end of a statement": (ld('{"@type": "A"};\n'), {"json_ld": [{"@type": "A"}]}),
    "JSON-LD whose graph is one object": (
        ld('{"@graph": {"@type": "A"}}'), {"json_ld": [{"@type": "A"}]},
    ),
    "JSON-LD of a review before the article": (
        ld('[{"@type": "Review", "datePublished": "1999", "author": "R"},'
           ' {"@type": ["Thing", "NewsArticle"], "datePublished": "2020", "author": "A"}]'),
        {"published": "2020", "author": "A", "json_ld": [
            {"@type": "Review", "datePublished": "1999", "author": "R"},
            {"@type": ["Thing", "NewsArticle"], "datePublished": "2020", "author": "A"},
        ]},
    ),
    "description": ('<meta name="description" content=" A\n b ">', {"description": "A b"}),
    "description in capitals": ('<META NAME="Description" CONTENT="A">', {"description": "A"}),
    "description of Open Graph": (
        '<meta property="og:description" content="A">', {"description": "A"},
    ),
    "empty description": ('<meta name="description" content=" ">', {}),
    "canonical": ('<link rel="canonical" href="/x">', {"canonical": "http://a.com/x"}),
    "canonical among others": (
        '<link rel="icon" href="i"><link rel="Nofollow CANONICAL" href="http://b.com/">',
        {"canonical": "http://b.com/"},
    ),
    "canonical with a base": (
        '<base href="http://c.com/d/"><link rel="canonical" href="e">',
        {"canonical": "http://c.com/d/e"},
    ),
    "canonical that is none": ('<link rel="canonical" href="http://[">', {}),
    "language": ('<html lang="de-AT"><p>a', {"language": "de-AT", "words": 1}),
    "language in meta": (
        '<meta http-equiv="content-language" content="de, en">', {"language": "de"},
    ),
    "right to left": (
        '<html lang="ar" dir="rtl"><title>مرحبا</title><p>مرحبا بالعالم',
        {"language": "ar", "title": "مرحبا", "words": 2},
    ),
    "Chinese": (
        '<html lang="zh"><title>你好</title><p>你好世界 OK',
        {"language": "zh", "title": "你好", "words": 5},
    ),
    "Japanese": ("<p>こんにちは、世界", {"words": 8}),
    "Korean": ("<p>안녕 세계", {"words": 2}),
    "heading": ("<h1>A <b>b</b></h1><h1>C</h1>", {"h1": "A b", "words": 3}),
    "robots": ('<meta name="robots" content="noindex, NOFOLLOW">', {"robots": "noindex, NOFOLLOW"}),
    "Open Graph": (
        '<meta property="og:title" content="A"><meta property="og:image" content="/i.png">'
        '<meta property="og:type" content="article"><meta property="og:site_name" content="S">',
        {
            "og_title": "A", "og_image": "http://a.com/i.png", "og_type": "article",
            "og_site_name": "S",
        },
    ),
    "Twitter": (
        '<meta name="twitter:title" content="A"><meta name="twitter:image" content="i.png">'
        '<meta name="twitter:card" content="summary"><meta name="twitter:site" content="@s">',
        {
            "og_title": "A", "og_image": "http://a.com/b/i.png", "og_type": "summary",
            "og_site_name": "@s",
        },
    ),
    "dates in meta": (
        '<meta property="article:published_time" content="2026-01-02T03:04:05Z">'
        '<meta property="article:modified_time" content="2026-01-03">',
        {"published": "2026-01-02T03:04:05Z", "modified": "2026-01-03"},
    ),
    "date of microdata": ('<meta itemprop="datePublished" content="2026">', {"published": "2026"}),
    "date in time": (
        '<time datetime="2025">x</time><time pubdate datetime="2026">y</time>',
        {"published": "2026", "words": 2},
    ),
    "author": ('<meta name="author" content="Ann Bee">', {"author": "Ann Bee"}),
    "JSON-LD": (
        ld('{"@type": "Article", "datePublished": "2026", "author": {"name": "Ann"}}'),
        {
            "json_ld": [{"@type": "Article", "datePublished": "2026", "author": {"name": "Ann"}}],
            "published": "2026", "author": "Ann",
        },
    ),
    "several authors": (
        ld('{"author": [{"name": "Ann"}, "Bob", {"x": 1}, 7]}'),
        {
            "json_ld": [{"author": [{"name": "Ann"}, "Bob", {"x": 1}, 7]}], "author": "Ann, Bob",
        },
    ),
    "JSON-LD in an array": (ld('[{"a": 1}, [{"b": 2}], 3]'), {"json_ld": [{"a": 1}, {"b": 2}]}),
    "JSON-LD in a graph": (
        ld('{"@context": "x", "@graph": [{"a": 1}, {"b": 2}]}'), {"json_ld": [{"a": 1}, {"b": 2}]},
    ),
    "several blocks": (ld('{"a": 1}') + ld('{"b": 2}'), {"json_ld": [{"a": 1}, {"b": 2}]}),
    "JSON-LD that is none": (ld("{a: 1}") + ld("") + ld('{"b": 2}'), {"json_ld": [{"b": 2}]}),
    "JSON-LD with line breaks": (ld('{"a": "x\ny"}'), {"json_ld": [{"a": "x\ny"}]}),
    "JSON-LD with a charset": (
        '<script type="Application/LD+JSON; charset=utf-8">{"a": 1}</script>',
        {"json_ld": [{"a": 1}]},
    ),
    "JSON-LD that no file could hold": (
        ld('{"a": NaN, "b": 1e999, "c": [-Infinity]}'),
        {"json_ld": [{"a": None, "b": None, "c": [None]}]},
    ),
    "deep objects of JSON-LD": (
        ld('{"a":' * 600 + "1" + "}" * 600) + ld('{"b": 2}'), {"json_ld": [{"b": 2}]},
    ),
    "deep JSON-LD": (ld("[" * 700 + "]" * 700), {}),
    "other scripts": ('<script type="application/json">{"a": 1}</script>', {}),
    "endless JSON-LD": (ld("[" * 100_000), {}),
    "words": (
        "<head><title>a</title><style>b</style></head><body>one<p>two</p><script>x y</script>"
        "<noscript>n<style>m</style></noscript><template>t</template><style>s</style>three</body>",
        {"title": "a", "words": 3},
    ),
    "links": (
        '<link rel="alternate" hreflang="DE" href="/de"><link rel="alternate" href="/feed">'
        '<link rel="prev" href="?p=1"><link rel="next" href="?p=3">',
        {
            "alternates": {"de": "http://a.com/de"}, "prev_page": "http://a.com/b/c?p=1",
            "next_page": "http://a.com/b/c?p=3",
        },
    ),
    "frames": ('<frameset><frame src="a"></frameset>', {}),
    "a frame beside text": ("<p>a<iframe>b</iframe>", {"words": 1}),
    "XHTML as HTML": (
        XHTML.format("<title>A</title>"), {"title": "A", "language": "fr", "h1": "H", "words": 1},
    ),
    "deep": ("<title>A</title><p>a" + "<div>" * 10_000 + "b", {"title": "A", "words": 1}),
    "tags that are not closed": (
        "<title>A</title><b><i><p>a<b>b<table><tr>c", {"title": "A", "words": 3},
    ),
    "a comment before all": (
        "<!-- x --><html lang='en'><title>A</title>", {"title": "A", "language": "en"},
    ),
    "text only": ("just text", {"words": 2}),
}  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_metadata_is_what_the_page_says(name: str) -> None:
    """And nothing that it does not say."""
    body, expected = PAGES[name]
    assert said(body) == expected


def test_a_header_says_what_the_page_does_not() -> None:
    """The language, and what robots may do."""
    headers = {"Content-Language": "nl, en", "X-Robots-Tag": ["noindex", "bot: nofollow"]}
    robots = '<meta name="robots" content="none">'
    assert said("<p>", headers=headers)["language"] == "nl"
    assert said("<html lang=de><p>", headers=headers)["language"] == "de"
    assert said("<p>", headers=headers)["robots"] == "noindex, bot: nofollow"
    assert said(robots, headers=headers)["robots"] == "none, noindex, bot: nofollow"


def test_xml_has_a_title_too() -> None:
    """Feeds and XHTML, whatever their namespaces."""
    feed = '<feed xmlns="http://www.w3.org/2005/Atom"><title>A feed</title></feed>'
    assert said(feed, XmlResponse)["title"] == "A feed"
    page = said(XHTML.format('<title>A</title><meta name="author" content="B"/>'), XmlResponse)
    assert page == {"title": "A", "language": "fr", "h1": "H", "author": "B", "words": 1}


@pytest.mark.parametrize("kind", [Response, TextResponse])
@pytest.mark.parametrize("body", [b"%PDF-1.7 \x80\x00", b'{"title": "A"}', b"\x89PNG"])
def test_what_is_no_page_says_nothing(body: bytes, kind: type[Response]) -> None:
    """Its type and size are in other columns."""
    assert said(body, kind) == {}


def test_only_the_groups_that_are_wanted_are_looked_for() -> None:
    """METADATA chooses."""
    page = "<title>A</title><h1>B</h1><meta name='author' content='C'>"
    assert said(page, groups=frozenset(["dates"])) == {"author": "C"}
    assert said(page, groups=frozenset()) == {}


def test_megabytes_in_a_tag_are_cut() -> None:
    """A title of a page is a line."""
    page = f"<title>{'A ' * 5_000_000}</title><h1>{'b' * 5_000_000}</h1>"
    found = said(page)
    assert len(found["title"]) == len(found["h1"]) == LONGEST
    assert found["title"].endswith("…")


@pytest.mark.parametrize("words", [0, 1, 1000, 400_000])
def test_words_are_counted_in_long_texts_too(words: int) -> None:
    """Piece by piece, and none twice."""
    assert said(f"<p>{'three ' * words}</p>").get("words", 0) == words
    assert said(f"<p>{'x' * 700_000}</p>")["words"] == 1


def test_the_article_is_found_on_request() -> None:
    """By trafilatura, which knows what is navigation."""
    text = " ".join(
        f"This is sentence number {n} of what somebody has written about kettles."
        for n in range(40)
    )
    page = f"<title>Kettles</title><nav>Home</nav><article><h1>Kettles</h1><p>{text}</p></article>"
    found = said(page, groups=frozenset(["article"]))
    assert found["article_title"] == "Kettles"
    assert "somebody has written about kettles" in found["article_text"]
    assert "Home" not in found["article_text"]


@given(body=st.binary() | st.text().map(str.encode))
def test_no_page_is_too_odd(body: bytes) -> None:
    """It says something, or nothing."""
    for kind in (HtmlResponse, XmlResponse):
        for name, value in said(body, kind).items():
            assert name in {name for group in GROUPS.values() for name in group}
            assert value not in (None, "", [], {})


def test_a_page_of_50_megabytes_says_what_it_says() -> None:
    """Its head is read, and its words are counted, without the memory of a list of them."""
    text = "<p>" + "one two " * 6_000 + "</p>"
    body = f'<title>Large</title><meta name="description" content="D"><body>{text * 1050}'
    assert len(body) > 50_000_000
    page = said(body, groups=frozenset(["page", "text"]))
    assert page == {"title": "Large", "description": "D", "words": 12_000 * 1050}
