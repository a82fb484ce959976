"""Sitemaps as lists: a list from the web, in XML, that nobody has vetted."""

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urlcrawler.exceptions import ListError
from urlcrawler.inputs import fetching, sitemaps
from urlcrawler.inputs.formats import open_reader
from urlcrawler.inputs.records import Record
from urlcrawler.inputs.sources import Source, open_source

NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
SITEMAP = f"""<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet type="text/xsl" href="/style.xsl"?>
<urlset {NAMESPACE} xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
  <!-- two pages -->
  <url>
    <image:image><image:loc>https://a.example/picture.png</image:loc></image:image>
    <loc>
      https://a.example/?x=1&amp;y=2 </loc>
    <lastmod>2026-11-26</lastmod><changefreq>daily</changefreq><priority>0.8</priority>
  </url>
  <url><loc><![CDATA[https://a.example/2]]></loc></url>
  <url><priority>1.0</priority></url>
</urlset>
"""
RECORDS = [
    Record(
        1,
        "https://a.example/?x=1&y=2",
        {"lastmod": "2026-11-26", "changefreq": "daily", "priority": "0.8"},
    ),
    Record(2, "https://a.example/2"),
    Record(3, "", {"priority": "1.0"}, "the object has no 'url'"),
]
ENTITY = '<!DOCTYPE urlset [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


def urlset(*urls: str) -> str:
    entries = "".join(f"<url><loc>{escape(url)}</loc></url>" for url in urls)
    return f"<urlset {NAMESPACE}>{entries}</urlset>"


def index(*urls: str) -> str:
    entries = "".join(f"<sitemap><loc>{escape(url)}</loc></sitemap>" for url in urls)
    return f"<sitemapindex {NAMESPACE}>{entries}</sitemapindex>"


def records_in(source: Source) -> list[Record]:
    try:
        reader = open_reader(source, None)
        offsets = [offset for offset, _ in reader.scan()]
        return [reader.read(offset, number) for number, offset in enumerate(offsets, 1)]
    finally:
        source.close()


def read(document: str | bytes, suffix: str = ".xml") -> list[Record]:
    body = document.encode() if isinstance(document, str) else document
    return records_in(Source(f"sitemap{suffix}", "sitemap", suffix, BytesIO(body)))


@pytest.mark.parametrize(
    "name", ["sitemap.xml", "sitemap.xml.gz", "SITEMAP.XML", "sitemap", "sitemap.php"]
)
def test_a_sitemap_is_a_list(tmp_path: Path, name: str) -> None:
    """Whatever it is called; lastmod, changefreq and priority are columns."""
    body = SITEMAP.encode()
    (tmp_path / name).write_bytes(gzip.compress(body) if name.endswith(".gz") else body)
    assert records_in(open_source(str(tmp_path / name))) == RECORDS


@pytest.mark.parametrize(
    "body",
    [
        SITEMAP.replace(NAMESPACE, ""),
        "\n \n" + SITEMAP,
        "\ufeff" + SITEMAP,
        SITEMAP.replace(NAMESPACE, 'xmlns:s="http://example.org"')
        .replace("<urlset", "<s:urlset")
        .replace("</urlset", "</s:urlset"),
    ],
)
def test_what_sites_write_around_a_sitemap_does_no_harm(body: str) -> None:
    """No namespace or another one, blank lines before it, a byte order mark."""
    assert read(body) == RECORDS


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1"])
def test_a_sitemap_is_read_in_the_encoding_that_it_names(tmp_path: Path, encoding: str) -> None:
    """The bytes of the URL are then those of UTF-8, as everywhere."""
    document = f'<?xml version="1.0" encoding="{encoding}"?>' + urlset("https://a.example/é")
    (tmp_path / "sitemap.xml").write_bytes(document.encode(encoding))
    (record,) = records_in(open_source(str(tmp_path / "sitemap.xml")))
    assert record.url == "https://a.example/é"


@given(st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1), min_size=1))
def test_every_url_of_a_sitemap_is_a_record(urls: list[str]) -> None:
    """In its order, and character by character."""
    assert [record.url for record in read(urlset(*urls))] == urls


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ("", "is not XML as a sitemap must be: no element found"),
        (
            urlset("https://a.example/")[:-9],
            "is not XML as a sitemap must be: line 1: Premature end",
        ),
        (SITEMAP.replace("&amp;", "&"), "is not XML as a sitemap must be: line 8: EntityRef"),
        (
            SITEMAP.replace("&amp;", "&nbsp;"),
            "is not XML as a sitemap must be: line 8: Entity 'nbsp'",
        ),
        ("<!DOCTYPE html><html></html>", "is XML, but no sitemap: it begins with <html>"),
        ("<rss><channel/></rss>", "is XML, but no sitemap: it begins with <rss>"),
        (ENTITY + "<urlset><url><loc>&x;</loc></url></urlset>", "has a DOCTYPE, which a sitemap"),
        (
            '<!DOCTYPE urlset SYSTEM "http://127.0.0.1:1/x.dtd"><urlset/>',
            "has a DOCTYPE, which a sitemap",
        ),
        (
            f'<!DOCTYPE urlset [<!ENTITY l0 "haha">{LAUGHS}]><urlset a="&l9;"/>',
            "is not XML as a sitemap must be: line 1: Maximum entity amplification",
        ),
        (
            "<urlset><url><loc>" + "x" * 20_000_000 + "</loc></url></urlset>",
            "is not XML as a sitemap must be: line 1: Resource limit exceeded",
        ),
        ("<urlset>" + "<url>" * 300, "is not XML as a sitemap must be: line 1: Excessive depth"),
    ],
)
def test_what_is_no_sitemap_is_refused(document: str, sentence: str) -> None:
    """As a whole, with the reason: half a list would look like one. Nothing is loaded by it."""
    with pytest.raises(ListError) as refused:
        read(document)
    assert sentence in str(refused.value)


def test_a_sitemap_has_no_column_to_name() -> None:
    """The argument is refused and not ignored."""
    with pytest.raises(ListError, match=r"whose URLs stand in <loc>\. Leave the argument out"):
        open_reader(Source("s.xml", "s", ".xml", BytesIO(SITEMAP.encode())), "loc")


MEMORY = """
import io, re, sys
from urlcrawler.inputs.sitemaps import as_json_lines

def peak():  # not that of getrusage, which a process has from the one that started it
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])

body = io.BytesIO(b"<urlset>" + sys.argv[1].encode() * 300_000 + b"</urlset>")
before = peak()
lines = as_json_lines(body, "sitemap.xml")
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks /proc for memory")
@pytest.mark.parametrize(
    "element",
    [
        "<url><loc>https://a.example/</loc></url>",
        pytest.param("<x/>", marks=pytest.mark.long),
        pytest.param("<url><x>1</x></url>", marks=pytest.mark.long),
    ],
)
def test_a_sitemap_is_never_in_memory_as_a_whole(element: str) -> None:
    """Neither its URLs nor what else may stand there: the tree of these takes 100 MB."""
    command = [sys.executable, "-c", MEMORY, element]
    grown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert int(grown) < 20_000  # kB


class Site(BaseHTTPRequestHandler):
    """Serve `bodies`; what is not in them is a 404, and what begins with http is a redirect."""

    bodies: dict[str, bytes]

    def do_GET(self) -> None:
        body = self.bodies.get(self.path)
        if body is None:
            self.send_error(404)
            return
        self.send_response(302 if body.startswith(b"http") else 200)
        if body.startswith(b"http"):
            self.send_header("Location", body.decode())
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None: ...


@pytest.fixture
def site() -> Iterator[Any]:
    """A site that serves what `site({path: body})` gives it; that returns its address."""
    handler = type("Handler", (Site,), {"bodies": {}})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()

        def serve(bodies: dict[str, str | bytes]) -> str:
            here = f"http://127.0.0.1:{server.server_port}"
            for path, body in bodies.items():
                if isinstance(body, str):
                    port = here.rpartition(":")[2]
                    body = body.replace("HERE", here).replace("PORT", port).encode()
                raw = body
                handler.bodies[path] = raw  # type: ignore[attr-defined]
            return here

        yield serve
        server.shutdown()
        thread.join()


def urls_at(address: str) -> list[str]:
    return [record.url for record in records_in(open_source(address))]


def test_an_index_is_the_list_of_all_its_sitemaps(
    site: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after the other, packed or not; an index among them too, and none of them twice. One
    that takes long says how far it is.
    """
    caplog.set_level("INFO")
    monkeypatch.setattr(sitemaps, "_SAY_EVERY", 0.0)
    here = site(
        {
            "/index.xml": index("HERE/a.xml", "HERE/more.xml", "HERE/b.xml.gz", "HERE/a.xml"),
            "/a.xml": urlset("https://a.example/1", "https://a.example/2"),
            "/more.xml": index("HERE/c.xml", "HERE/index.xml", "HERE/more.xml"),
            "/b.xml.gz": gzip.compress(urlset("https://a.example/4").encode()),
            "/c.xml": "HERE/moved.xml",
            "/moved.xml": urlset("https://a.example/3"),
        }
    )
    assert urls_at(f"{here}/index.xml") == [f"https://a.example/{n}" for n in (1, 2, 3, 4)]
    assert "3 of 4 sitemaps read" in caplog.text


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (None, "cannot be read: the server answered 404 Not Found"),
        ("<rss/>", "is XML, but no sitemap: it begins with <rss>"),
        ("<urlset>", "is not XML as a sitemap must be: line 1: Premature end"),
        (b"\x1f\x8b broken", "cannot be read: "),
        (ENTITY + "<urlset/>", "has a DOCTYPE"),
        ("http://localhost:PORT/a.xml", "leads to localhost, which is not on the public internet"),
    ],
)
def test_a_sitemap_of_an_index_that_cannot_be_had_is_named(
    site: Any, body: str | bytes | None, why: str
) -> None:
    """The list is refused as a whole: the next run would number its records otherwise."""
    bodies = {"/index.xml": index("HERE/a.xml", "HERE/b.xml"), "/a.xml": urlset("a.example")}
    here = site(bodies | ({"/b.xml": body} if body is not None else {}))
    with pytest.raises(ListError) as refused:
        urls_at(f"{here}/index.xml")
    named = f"argument `file`: '{here}/index.xml' names the sitemap '{here}/b.xml', which"
    assert str(refused.value).startswith(named)
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("file:///etc/passwd", "only http and https can be fetched"),
        ("ftp://a.example/", "only http and https can be fetched"),
        ("https:///", "no host"),
        ("http://[::1", "Invalid IPv6"),
        ("HERE/a.xml", "not on the public internet"),
    ],
)
def test_an_index_leads_to_the_public_internet_only(
    tmp_path: Path, site: Any, name: str, why: str
) -> None:
    """An index from elsewhere must not read what is on this machine, or in its network."""
    here = site({"/a.xml": urlset("https://a.example/")})
    (tmp_path / "index.xml").write_text(index(name.replace("HERE", here)))
    with pytest.raises(ListError) as refused:
        urls_at(str(tmp_path / "index.xml"))
    assert why in str(refused.value)


def test_a_sitemap_of_an_index_is_bounded(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In bytes, unpacked; in number; in seconds."""
    packed = gzip.compress(b"<urlset>" + b" " * 3_000_000 + b"</urlset>")
    here = site({"/index.xml": index("HERE/a.xml"), "/a.xml": packed})
    assert urls_at(f"{here}/index.xml") == []
    with monkeypatch.context() as patch:
        patch.setattr(sitemaps, "_MOST_BYTES", 1_000_000)
        with pytest.raises(ListError, match="has more than 1000000 bytes"):
            urls_at(f"{here}/index.xml")
    with monkeypatch.context() as patch:
        patch.setattr(sitemaps, "_MOST_SECONDS", 0.0)
        with pytest.raises(ListError, match="takes longer than 0 s"):
            urls_at(f"{here}/index.xml")
    names = [f"HERE/{number}.xml" for number in range(5)]
    here = site({"/a.xml": index(*names)})
    monkeypatch.setattr(sitemaps, "_MOST_SITEMAPS", 3)
    with pytest.raises(ListError, match="leads to over 3 sitemaps"):
        urls_at(f"{here}/index.xml")


def test_an_answer_that_ends_too_soon_is_no_sitemap(site: Any) -> None:
    """Not even when what has come is whole by itself."""
    here = site({"/a.xml": urlset("https://a.example/")})

    def read_all() -> None:
        with fetching.fetch(f"{here}/a.xml", "127.0.0.1") as answer:
            answer.raw.length += 7  # type: ignore[attr-defined]
            answer.read1()

    with pytest.raises(OSError, match="ends 7 bytes too soon"):
        read_all()
