"""Cookies that would fill the memory."""

import socket
from collections.abc import Callable

import pytest
from crawling import PAGE, Crawl, Server, site_of
from scrapy import Request
from scrapy.http import Response

from urlcrawler.demo import messages
from urlcrawler.middlewares.cookies import MOST_DOMAINS, MOST_OF_A_DOMAIN, Cookies


def set_cookies(cookies: Cookies, url: str, *headers: str) -> None:
    request = Request(url)
    cookies.process_response(request, Response(url, headers={"Set-Cookie": list(headers)}))


def sent(cookies: Cookies, url: str) -> list[str]:
    request = Request(url)
    cookies.process_request(request)
    header = request.headers.get("Cookie") or b""
    return header.decode().split("; ") if header else []


def test_a_host_has_the_latest_of_its_cookies() -> None:
    """However many it sets, at once or one after the other, for itself or for its domain."""
    cookies = Cookies()
    names = [f"a{n}=1" for n in range(1000)]
    set_cookies(cookies, "http://www.a.com/", *names[:500])
    for name in names[500:]:
        set_cookies(cookies, "http://www.a.com/", name)
    assert sent(cookies, "http://www.a.com/") == names[-MOST_OF_A_DOMAIN:]
    set_cookies(cookies, "http://www.b.com/", *[f"{name}; Domain=b.com" for name in names])
    assert sent(cookies, "http://other.b.com/") == names[-MOST_OF_A_DOMAIN:]


def test_a_host_with_cookies_for_every_folder_has_the_latest_of_them() -> None:
    """And no memory of the folders of the others, each of which would be looked at."""
    cookies = Cookies()
    for n in range(1000):
        set_cookies(cookies, f"http://www.a.com/{n}/", "a=1")
    assert len(cookies.jars[None]._cookies["www.a.com"]) == MOST_OF_A_DOMAIN
    assert sent(cookies, "http://www.a.com/999/x") == ["a=1"]
    assert sent(cookies, "http://www.a.com/0/x") == []


def test_of_many_hosts_the_oldest_are_forgotten() -> None:
    """A list may have a million of them."""
    cookies = Cookies()
    for n in range(MOST_DOMAINS + 50):
        set_cookies(cookies, f"http://www.host-{n}.com/", "a=1")
    assert sent(cookies, "http://www.host-0.com/") == []
    assert sent(cookies, f"http://www.host-{MOST_DOMAINS + 49}.com/") == ["a=1"]
    assert sum(1 for _ in cookies.jars[None]._cookies) == MOST_DOMAINS


def test_no_cookie_is_for_a_whole_suffix_and_none_is_fetched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of the public suffixes the list is used that the library came with."""

    asked: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: asked.append(address))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *address: asked.append(address) or [])
    cookies = Cookies()
    for domain in ("co.uk", "github.io"):
        set_cookies(cookies, f"http://a.{domain}/", f"a=1; Domain={domain}")
        assert sent(cookies, f"http://b.{domain}/") == []
    assert asked == []


def test_a_list_with_cookies_sends_them_back(crawl: Callable[..., Crawl]) -> None:
    """COOKIES_ENABLED is Scrapy's setting, and off by default: records are independent."""
    got: list[str | None] = []

    def answer(request: messages.Request, number: int) -> messages.Response:
        got.append(request.headers.get("cookie"))
        return messages.Response(PAGE, headers=[("Set-Cookie", "seen=1")])

    with site_of(Server(answer).routes) as site:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(2)]
        one = ("-s", "CONCURRENT_REQUESTS=1")
        crawl(lines, *one)
        crawl(lines, *one, "-s", "COOKIES_ENABLED=1")
    assert got == [None, None, None, "seen=1"]
