"""List every route of the local site."""

from __future__ import annotations

from urlcrawler.demo import hostile, pages
from urlcrawler.demo.documents import DOCUMENTS
from urlcrawler.demo.floods import FLOODS
from urlcrawler.demo.messages import Handler, Response
from urlcrawler.demo.pages import fixed, to_location

PAGES: dict[str, Handler] = {
    "/": pages.page,
    "/page/*": pages.page,
    "/slow": pages.slow,
    "/huge": pages.huge,
    "/chunked": pages.chunked,
    "/drip": pages.drip,
    "/etag": pages.etag,
    "/status/*": pages.status,
    "/flaky/*": pages.flaky,
    "/limited/*": pages.limited,
    "/redirect/*": pages.redirect,
}

HOSTILE: dict[str, Handler] = {
    "/loop": fixed(to_location("/loop")),
    "/redirect-file": fixed(to_location("file:///etc/passwd")),
    "/redirect-nowhere": fixed(Response(status=302)),
    "/redirect-far": fixed(to_location("/" + "x" * 50_000)),
    "/redirect-bad": fixed(to_location("http://[::1")),
    "/never": hostile.never,
    "/drop": hostile.drop,
    "/reset": hostile.reset,
    "/reset-body": hostile.reset_body,
    "/stall-body": hostile.stall_body,
    "/short-body": hostile.short_body,
    "/garbage": hostile.garbage,
    "/bad-chunk": hostile.bad_chunk,
    "/cut-chunk": hostile.cut_chunk,
    "/two-lengths": hostile.two_lengths,
    "/two-answers": hostile.two_answers,
    "/header-bytes": hostile.header_bytes,
    "/bad-gzip": hostile.bad_gzip,
    "/bad-crc": hostile.bad_crc,
    "/not-gzip": hostile.not_gzip,
    "/punycode-charset": hostile.punycode_charset,
    "/many-attributes": hostile.many_attributes,
    **FLOODS,
}

FIXED = {path: fixed(response) for path, response in DOCUMENTS.items()}

ROUTES: dict[str, Handler] = {**PAGES, **FIXED, **HOSTILE}
