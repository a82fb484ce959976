"""Which encoding a page is read with: one that browsers know."""

import codecs

from scrapy.http import JsonResponse, Response, TextResponse
from w3lib.encoding import html_body_declared_encoding

# Python's names for the encodings of encoding.spec.whatwg.org ("Names and labels"), and for those
# that w3lib reads in the place of some. Python has others. Some are slow (200 KB of punycode take
# 17 s), some are no encodings of text at all (rot13, zlib), and no browser knows them.
_NAMES = """
    utf-8 utf-8-sig utf-16 utf-16-le utf-16-be ascii latin-1 ibm866 iso8859-2 iso8859-3 iso8859-4
    iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-9 iso8859-10 iso8859-11 iso8859-13 iso8859-14
    iso8859-15 iso8859-16 koi8-r koi8-u mac-roman mac-cyrillic cp874 cp1250 cp1251 cp1252 cp1253
    cp1254 cp1255 cp1256 cp1257 cp1258 gb2312 gbk gb18030 big5 big5hkscs euc-jp iso2022-jp
    shift_jis cp932 euc-kr cp949 tis-620
"""
KNOWN = frozenset(codecs.lookup(name).name for name in _NAMES.split())


def with_known_encoding(response: Response) -> Response:
    """Return *response* as it is to be read: text with an encoding that can be."""
    if isinstance(response, TextResponse) and response.body:
        encoding = known_encoding(response)
        if encoding != response.encoding:
            return response.replace(encoding=encoding)
    return response


def known_encoding(response: TextResponse) -> str:
    """Return the encoding of *response*; one that browsers do not know counts as not said."""
    if isinstance(response, JsonResponse) and _is_utf8(response.body):
        return "utf-8"  # RFC 8259, 8.1; what the header says has no meaning
    encoding = response.encoding
    if encoding in KNOWN:
        return encoding
    declared = html_body_declared_encoding(response.body)
    if declared in KNOWN:
        return declared
    return "utf-8" if _is_utf8(response.body) else "cp1252"


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
