"""What a record asks for."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scrapy import Request

from urlcrawler.exceptions import InvalidUrl
from urlcrawler.inputs.urls import _PLAIN, Target, _parse_any, parse_target
from urlcrawler.outcomes import ERRORS

TARGETS = {
    # What is left alone.
    "http://a.com/": Target("http://a.com/", "a.com"),
    "https://a.b.co.uk/x/y.html?b=2&a=1": Target("https://a.b.co.uk/x/y.html?b=2&a=1", "a.b.co.uk"),
    "http://127.0.0.1:8080/x": Target("http://127.0.0.1:8080/x", "127.0.0.1"),
    "http://a.com/a,b;c=(d)'e'": Target("http://a.com/a,b;c=(d)'e'", "a.com"),
    "http://a.com//x/../y": Target("http://a.com//x/../y", "a.com"),
    "http://a.com/%E4%zz%": Target("http://a.com/%E4%zz%", "a.com"),
    # What is completed.
    "a.com": Target("https://a.com/", "a.com"),
    "a.com/x:y?u=http://b.com": Target("https://a.com/x:y?u=http://b.com", "a.com"),
    "a.com:8080": Target("https://a.com:8080/", "a.com"),
    "localhost:8000/x": Target("https://localhost:8000/x", "localhost"),
    "//a.com/x": Target("https://a.com/x", "a.com"),
    "http://a.com": Target("http://a.com/", "a.com"),
    "http://a.com?x=1": Target("http://a.com/?x=1", "a.com"),
    # What does not change the request.
    " \thttp://a.com/ \n": Target("http://a.com/", "a.com"),
    "HTTP://A.Com/X": Target("http://a.com/X", "a.com"),
    "http://a.com/x#top": Target("http://a.com/x", "a.com"),
    "http://a.com/?": Target("http://a.com/", "a.com"),
    "http://a.com/?#": Target("http://a.com/", "a.com"),
    "http://a.com:80/": Target("http://a.com/", "a.com"),
    "https://a.com:443/": Target("https://a.com/", "a.com"),
    "https://a.com:80/": Target("https://a.com:80/", "a.com"),
    "http://a.com:/x": Target("http://a.com/x", "a.com"),
    "http://a.com/x\ty": Target("http://a.com/xy", "a.com"),
    # What is written in ASCII.
    "http://münchen.de/straße?ä=ö": Target(
        "http://xn--mnchen-3ya.de/stra%C3%9Fe?%C3%A4=%C3%B6", "xn--mnchen-3ya.de"
    ),
    "http://a。com/": Target("http://a.com/", "a.com"),
    "http://１.2.3.4/": Target("http://1.2.3.4/", "1.2.3.4"),
    "http://a.com/a b": Target("http://a.com/a%20b", "a.com"),
    "http://a.com/?q=a b'c": Target("http://a.com/?q=a%20b%27c", "a.com"),
    "http:\\\\a.com\\b": Target("http://a.com/b", "a.com"),
    # Credentials are no part of the URL, and tell two records apart.
    "http://u:p@a.com/": Target("http://a.com/", "a.com", "u", "p"),
    "http://u@a.com/": Target("http://a.com/", "a.com", "u"),
    "http://a%40b:c%3Ad@a.com:81/": Target("http://a.com:81/", "a.com", "a@b", "c:d"),
    "http://é:ü@a.com/": Target("http://a.com/", "a.com", "é", "ü"),
    # Addresses.
    "http://[::1]": Target("http://[::1]/", "::1"),
    "http://u:p@[::1]:8080/x": Target("http://[::1]:8080/x", "::1", "u", "p"),
    "http://[2001:DB8::1]:80/": Target("http://[2001:db8::1]/", "2001:db8::1"),
    # Hosts that a resolver may know.
    "http://a_b.com/": Target("http://a_b.com/", "a_b.com"),
    "http://a.com./": Target("http://a.com./", "a.com."),
}
INVALID = {
    "": "bad-url",
    " \t": "bad-url",
    "not a url": "bad-url",
    "http://": "bad-url",
    "http:///x": "bad-url",
    "http:a.com": "bad-url",
    "http://[::1": "bad-url",
    "http://::1]/": "bad-url",
    "http://[::1]a/": "bad-url",
    "http://a.com[::1]/": "bad-url",
    "http://[fe80::1%25eth0]/": "bad-url",
    "http://[a.com]/": "bad-url",
    "http://a..com/": "bad-url",
    "http://.a.com/": "bad-url",
    "http://a b.com/": "bad-url",
    "http://%61.com/": "bad-url",
    'http://a".com/': "bad-url",
    f"http://{'a' * 64}.com/": "bad-url",
    f"http://{'a.' * 127}com/": "bad-url",
    "http://1.2.3.256/": "bad-url",
    "http://a.com:0/": "bad-url",
    "http://a.com:65536/": "bad-url",
    "http://a.com:x/": "bad-url",
    "http://a.com:1٢٣٤/": "bad-url",
    "http://a.com/\ud800": "bad-url",
    "ftp://a.com/": "bad-scheme",
    "file:///etc/passwd": "bad-scheme",
    "mailto:me@a.com": "bad-scheme",
    "javascript:alert(1)": "bad-scheme",
    "data:text/html,x": "bad-scheme",
    "about:blank": "bad-scheme",
    "tel:+4930123": "bad-scheme",
}

anything = st.text(st.characters(exclude_categories=()))  # halves of surrogate pairs included
begins = ["", "http://", "https://a.com", "//", "http://[", "http://a.com:", "http://u:p@", "a.de/"]
url_like = st.tuples(st.sampled_from(begins), anything).map("".join)
plain = st.from_regex(_PLAIN, fullmatch=True)


@st.composite
def near_misses(draw: st.DrawFn) -> str:
    """Draw a plain URL with one to three characters changed, added or left out."""
    url = draw(plain)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(url)))
        new = draw(st.sampled_from([*":/?#[]@%\\ \t-.0~|'Aa٢é", ""]))
        url = url[:place] + new + url[place + draw(st.integers(0, 1)) :]
    return url


def outcome_of(parse: object, url: str) -> object:
    """Return what *parse* makes of *url*: a target or the slug of its error."""
    try:
        return parse(url)  # type: ignore[operator]
    except InvalidUrl as error:
        return error.error


@pytest.mark.parametrize(("written", "target"), TARGETS.items())
def test_a_url_asks_for(written: str, target: Target) -> None:
    """People write URLs in many ways; each has one request."""
    assert parse_target(written) == target


@pytest.mark.parametrize(("written", "slug"), INVALID.items())
def test_what_cannot_be_requested_says_why(written: str, slug: str) -> None:
    """The error is a slug of an `invalid` outcome, and the reason a sentence."""
    with pytest.raises(InvalidUrl) as caught:
        parse_target(written)
    assert caught.value.error == slug
    assert ERRORS[slug].outcome == "invalid"
    assert len(str(caught.value)) > 10


@given(plain | near_misses())
@example(f"http://{'a' * 64}.com/")
@example(f"http://{'a.' * 127}com/")
def test_the_fast_way_and_the_long_way_agree(url: str) -> None:
    """A URL that looks plain is what the long way makes of it."""
    assert outcome_of(parse_target, url) == outcome_of(_parse_any, url)


@given(anything | url_like | near_misses())
def test_any_text_is_a_target_or_invalid(text: str) -> None:
    """No line of a list can end a crawl: the only exception is InvalidUrl."""
    result = outcome_of(parse_target, text)
    assert isinstance(result, Target) or ERRORS[str(result)].outcome == "invalid"


@given(plain | url_like | near_misses())
def test_a_target_is_what_is_requested(text: str) -> None:
    """Its URL is ASCII, has no fragment, and neither Scrapy nor a second parse changes it."""
    target = outcome_of(parse_target, text)
    if isinstance(target, Target):
        assert target.url.isascii()
        assert "#" not in target.url
        assert Request(target.url).url == target.url
        assert parse_target(target.url) == Target(target.url, target.host)


@given(url_like | near_misses())
def test_surrounding_blanks_do_not_matter(text: str) -> None:
    """A URL with blanks around it is the same request."""
    assert outcome_of(parse_target, f" {text}\t") == outcome_of(parse_target, text)
