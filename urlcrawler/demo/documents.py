"""Hold the answers that never change: odd encodings, odd titles, and what is not HTML."""

from __future__ import annotations

import gzip
import json
import struct
import zlib

from urlcrawler.demo.messages import Response

PRODUCT = {"name": "Kettle", "price": 19.9}
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)
JAVASCRIPT = """<div id="app"></div>
<script>
document.getElementById("app").innerHTML =
  '<h1 class="name">Kettle</h1><p class="price">19.90</p>';
</script>"""


def document(title: str | None, body: str = "<p>Hello</p>", head: str = "") -> str:
    """Return a short HTML document; `title` is put in as it is, unescaped."""
    tag = "" if title is None else f"<title>{title}</title>"
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}{tag}</head><body>{body}</body></html>\n'


def titled(title: str) -> Response:
    """Return a correct UTF-8 page with this title."""
    return Response(document(title).encode())


def encoded(title: str, codec: str, content_type: str, head: str = "") -> Response:
    """Return a page written in one encoding and labelled as `content_type` says."""
    return Response(document(title, head=head).encode(codec), content_type=content_type)


def png() -> bytes:
    """Return a PNG of one black pixel."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0\0")), (b"IEND", b"")]
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def compressed(name: str, body: bytes) -> Response:
    """Return `body`, already compressed, under this Content-Encoding."""
    return Response(body, headers=[("Content-Encoding", name)])


PACKED = document("Packed", "<p>Hello</p>" * 100).encode()

DOCUMENTS = {
    "/robots.txt": Response(b"User-agent: *\nDisallow: /private/\n", content_type="text/plain"),
    "/ok": titled("OK"),
    "/private/secret": titled("Secret"),
    "/é": titled("é"),
    # Encodings
    "/latin1": encoded("Café", "latin-1", "text/html; charset=iso-8859-1"),
    "/wrong-charset": encoded("Café", "latin-1", "text/html; charset=utf-8"),
    "/no-charset": encoded("Café 漢字", "utf-8", "text/html"),
    "/meta-charset": encoded("Привет", "cp1251", "text/html", '<meta charset="windows-1251">'),
    "/shift-jis": encoded("日本語", "shift_jis", "text/html; charset=shift_jis"),
    "/utf16": encoded("Café 漢字", "utf-16", "text/html"),
    # Titles that break careless writers
    "/quotes": titled("He said \"one, two\",\n\tand 'three'"),
    "/formula": titled("=1+1"),
    "/nul": titled("before\0after"),
    "/surrogate": titled("before&#xD800;after"),
    "/emoji": titled("Kettle 🫖 👩‍🚀"),
    "/no-title": Response(document(None).encode()),
    # Not HTML, or hardly
    "/pdf": Response(PDF, content_type="application/pdf"),
    "/image": Response(png(), content_type="image/png"),
    "/json": Response(json.dumps(PRODUCT).encode(), content_type="application/json"),
    "/xml": Response(
        b'<?xml version="1.0"?>\n<product><name>Kettle</name></product>\n',
        content_type="application/xml",
    ),
    "/plain": Response(b"Just text\n", content_type="text/plain"),
    "/empty": Response(b""),
    "/javascript": Response(document("Shop", JAVASCRIPT).encode()),
    # Compressed, correctly
    "/gzip": compressed("gzip", gzip.compress(PACKED, mtime=0)),
    "/deflate": compressed("deflate", zlib.compress(PACKED)),
    # What a shop behind a bot wall shows
    "/blocked": Response(
        document("Just a moment...", "<p>Enable JavaScript and cookies to continue</p>").encode(),
        status=403,
        headers=[("Server", "cloudflare"), ("cf-mitigated", "challenge")],
    ),
}
