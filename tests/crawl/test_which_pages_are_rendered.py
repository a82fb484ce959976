"""Pages of all kinds, and applications as they are built: which of them go to the browser.

The applications are in `tests/crawl/apps`. `npm ci && npm run build` there builds them, as .ci/run
does.
"""
# ruff: noqa: E501 - a page has a line

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from crawling import Crawl, site_of

from urlcrawler.demo.messages import Handler, Request, Response
from urlcrawler.rendering.found import find_browser

pytestmark = pytest.mark.skipif(find_browser() is None, reason="this machine has no browser")

BUILT = Path(__file__).with_name("apps") / "dist"
LAMP = "<h1>Lamp</h1><p class=price>9.99</p>"
TEXT = "<p>" + "Words that somebody has written for readers. " * 30 + "</p>"
SHORT = "<p>The shop is closed on Sundays, and open on all other days of the week, from nine.</p>"
FILL = "const fill = () => { document.querySelector('#root').innerHTML = `" + LAMP + "` };"
ROOT = "<div id=root></div>"


def script(code: str) -> str:
    return f"<script>{FILL} {code}</script>"


FETCH = "fetch('/lamp.json').then(answer => answer.json()).then(fill)"
NEEDED = {
    "react": "<div id=root></div><script src=/react.js></script>",
    "vue": "<div id=app></div><script src=/vue.js></script>",
    "svelte": "<div id=svelte></div><script type=module src=/svelte.js></script>",
    "fetch": ROOT + script(FETCH),
    "XMLHttpRequest": ROOT + script("const x = new XMLHttpRequest(); x.onload = fill;"
                                    "x.open('GET', '/lamp.json'); x.send()"),
    "a POST": ROOT + script("fetch('/lamp.json', {method: 'POST', body: 'a=1'}).then(fill)"),
    "at once": ROOT + script("fill()"),
    "on load": ROOT + script("onload = fill"),
    "late": ROOT + script("setTimeout(fill, 250)"),
    "two requests": ROOT + script(f"fetch('/a.json').then(() => {FETCH})"),
    "a module": f"{ROOT}<script type=module>import fill from '/fill.mjs'; fill()</script>",
    "a module for later": ROOT + script("import('/fill.mjs').then(it => it.default())"),
    "document.write": f"<script>document.write('{LAMP}')</script>",
    "data in the page": f"{ROOT}<script type=application/json id=data>{{}}</script>" + script("fill()"),
    "a script with a callback": ROOT + script("window.back = fill") + "<script src=/back.js></script>",
    "a list that comes when it is seen": "<div id=root><br></div>" + script(
        "new IntersectionObserver(seen => seen[0].isIntersecting && fill())"
        ".observe(document.querySelector('#root'))"),
    "loading": "<div id=root><p>Loading, please wait</p></div>" + script(FETCH),
    "a skeleton": f"{SHORT}<div id=root>{'<div class=skeleton></div>' * 4}</div>" + script(FETCH),
    "a wall": f"{ROOT}<noscript>Please enable JavaScript.</noscript>" + script(FETCH),
    "a template": f"<div id=root>{{{{ lamp.name }}}}</div>{TEXT}" + script("fill()"),
    "an element of its own": "<shop-lamp></shop-lamp><script>customElements.define('shop-lamp',"
        f" class extends HTMLElement {{ connectedCallback() {{ this.innerHTML = '{LAMP}' }} }})</script>",
    "by the path": ROOT + script("if (location.pathname.startsWith('/needed')) fill()"),
    "with storage": ROOT + script("localStorage.a = 1; sessionStorage.b = 2; fill()"),
    "with a cookie": ROOT + script("document.cookie = 'a=1'; if (document.cookie) fill()"),
    "it goes elsewhere": "<script>location.replace('/plain/0')</script>",
}  # fmt: skip
PLAIN = {
    "plain": LAMP + TEXT,
    "rendered on the server": f"<div id=root><main>{LAMP}{TEXT}</main></div>"
        "<script>window.GIVEN = {name: 'Lamp', price: 9.99}</script><script src=/react.js></script>",
    "with statistics": f"{LAMP}{TEXT}<script async src=/count.js></script>",
    "with statistics, short": f"{LAMP}{SHORT}<script async src=/count.js></script>",
    "with JSON-LD": f'{LAMP}{SHORT}<script type="application/ld+json">{{"@type": "Product"}}</script>',
    "with a noscript": f"{LAMP}{TEXT}<noscript><img src=/count.gif></noscript><script src=/a.js></script>",
    "with a template for later": f"{LAMP}{TEXT}<template>{{{{ a }}}}</template><script src=/a.js></script>",
    "about templates": f"{LAMP}{TEXT}<pre>{{{{ name }}}}</pre><script src=/a.js></script>",
    "with a widget": f"{LAMP}{TEXT}<div id=app></div><script src=/a.js></script>",
    "a mount and no script": f"{ROOT}{SHORT}",
    "frames": "<frameset><frame src=/plain/0></frameset>",
    "a frame": f"{LAMP}{SHORT}<iframe src=/plain/0></iframe>",
    "buttons": f"{LAMP}{SHORT}<button onclick='alert(1)'>Buy</button>",
    "empty": "",
    "nothing but a comment": "<!-- here was a page -->",
    "short": "<p>Closed.</p>",
    "a form": f"{LAMP}<form><input name=a><textarea>{TEXT}</textarea></form>",
    "large": LAMP + TEXT * 100 + "<script src=/a.js></script>",
}  # fmt: skip
OTHER = {
    "/json": Response(b'{"name": "Lamp"}', content_type="application/json"),
    "/text": Response(b"Lamp", content_type="text/plain"),
    "/xml": Response(b"<lamp/>", content_type="application/xml"),
    "/missing": Response(f"{ROOT}<script src=/a.js></script>".encode(), 404),
    "/refresh": Response(b"<meta http-equiv=refresh content='0; url=/plain/0'>"),
}
FILL_MODULE = f"export default () => {{ document.querySelector('#root').innerHTML = `{LAMP}` }}"
SCRIPTS = {
    "/fill.mjs": FILL_MODULE, "/back.js": "window.back()", "/a.js": "", "/count.js": "",
    **{f"/{path.name}": path.read_text() for path in BUILT.glob("*.js")},
}  # fmt: skip
pages = {f"/needed/{n}": html for n, html in enumerate(NEEDED.values())}
pages |= {f"/plain/{n}": html for n, html in enumerate(PLAIN.values())}
NAMES = dict(zip(pages, [*NEEDED, *PLAIN], strict=True))


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    """The origin of the site."""

    async def answer(request: Request) -> Response:
        path = request.path
        if path.endswith(".json"):
            return Response(b'{"name": "Lamp", "price": 9.99}', content_type="application/json")
        if path in SCRIPTS:
            return Response(SCRIPTS[path].encode(), content_type="text/javascript")
        if path in OTHER:
            return OTHER[path]
        return Response(pages[path].encode()) if path in pages else Response(b"", 404)

    routes: dict[str, Handler] = {"/*": answer}
    with site_of(routes) as site:
        yield f"http://127.0.0.1:{site.port}"


def test_pages_that_need_the_browser_are_those_that_get_it(
    crawl: Callable[..., Crawl], shop: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a fields file: by what they show. The table is printed; `pytest -s` shows it."""
    if not BUILT.exists():
        pytest.skip("the applications are not built: npm ci && npm run build in tests/crawl/apps")
    crawled = crawl([shop + path for path in [*pages, *OTHER]], "-a", "render=auto")
    found = {row["url"].removeprefix(shop): row for row in crawled.rows}
    table = Counter(
        ("needed" if path.startswith("/needed") else "not needed", row["rendered"] == "True")
        for path, row in found.items()
    )
    wrong = [NAMES.get(path, path) for path, row in found.items()
             if (row["rendered"] == "True") != path.startswith("/needed")]  # fmt: skip
    with capsys.disabled():
        print(f"\n{'':12}{'rendered':>10}{'fetched':>10}")
        for kind in ("needed", "not needed"):
            print(f"{kind:12}{table[kind, True]:>10}{table[kind, False]:>10}")
    assert wrong == []
    assert len(found) == len(pages) + len(OTHER) >= 48
    without = [NAMES[path] for path, row in found.items()
               if path.startswith("/needed") and row["h1"] != "Lamp"]  # fmt: skip
    assert without == []


def test_pages_that_need_the_browser_yield_their_fields(
    crawl: Callable[..., Crawl], tmp_path: Path, shop: str
) -> None:
    """Each of them, and none that has its fields already is rendered."""
    if not BUILT.exists():
        pytest.skip("the applications are not built")
    (tmp_path / "fields.yaml").write_text("price: {css: '.price', type: float}\nname: h1\n")
    having = [path for path, html in pages.items() if path.startswith("/needed") or LAMP in html]
    crawled = crawl([shop + path for path in having], "-a", "fields=fields.yaml",
                    "-a", "render=auto")  # fmt: skip
    assert {(row["name"], row["price"]) for row in crawled.rows} == {("Lamp", "9.99")}
    rendered = {row["url"].removeprefix(shop): row["rendered"] for row in crawled.rows}
    assert {NAMES[path] for path, was in rendered.items() if was == "True"} == set(NEEDED)
