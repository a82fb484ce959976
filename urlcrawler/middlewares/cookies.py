"""Cookies, for lists with many hosts, some of which set more than they should."""

from typing import Any

from scrapy import Request
from scrapy.downloadermiddlewares import cookies as scrapys
from scrapy.downloadermiddlewares.cookies import CookiesMiddleware
from scrapy.http import Response
from scrapy.http.cookies import CookieJar, potential_domain_matches
from scrapy.utils.httpobj import urlparse_cached
from tldextract import TLDExtract

MOST_DOMAINS = 10_000
MOST_OF_A_DOMAIN = 180  # cookies; as in Chromium (net/cookies/cookie_monster.h)


# Scrapy's would fetch the list of public suffixes at the first cookie, with everything waiting for
# it; this one takes the list that it came with. `tests/middlewares/test_cookies.py` fails when
# Scrapy has another name for it.
_scrapys: Any = scrapys
_split_domain = TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


class Cookies(CookiesMiddleware):
    """Keep cookies as Scrapy does, the latest of them: those of the oldest domain go first."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        _scrapys._split_domain = _split_domain

    def process_response(  # type: ignore[override]
        self, request: Request, response: Response
    ) -> Request | Response:
        """Take in the cookies of *response*, and forget what has become too much."""
        answer = super().process_response(request, response)
        if b"Set-Cookie" in response.headers:
            host = urlparse_cached(request).hostname or ""
            _tidy(self.jars[request.meta.get("cookiejar")], host)
        return answer


def _tidy(jar: CookieJar, host: str) -> None:
    domains = jar._cookies
    for domain in {host, f".{host}", *potential_domain_matches(host)} & domains.keys():
        places = [(path, name) for path, names in domains[domain].items() for name in names]
        for path, name in places[: max(0, len(places) - MOST_OF_A_DOMAIN)]:
            jar.clear(domain, path, name)
            if not domains[domain][path]:  # each would be looked at for every request
                del domains[domain][path]
    while len(domains) > MOST_DOMAINS:
        jar.clear(next(iter(domains)))
