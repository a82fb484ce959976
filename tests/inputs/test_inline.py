"""A list in an argument."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urlcrawler.exceptions import ListError
from urlcrawler.inputs.formats import open_reader
from urlcrawler.inputs.inline import MOST, open_inline


@given(
    urls=st.lists(st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1).filter(
        lambda url: not url.startswith("#")), min_size=1),
    blanks=st.text(" \t\r\n", min_size=1),
)  # fmt: skip
def test_urls_are_separated_by_white_space_of_any_kind(urls: list[str], blanks: str) -> None:
    """Blanks, tabs and line breaks, as many as there are; nothing else ends a URL."""
    source = open_inline(blanks + blanks.join(urls) + blanks)
    with source.file:
        assert [url for _, url in open_reader(source, None).scan()] == urls


def test_the_name_of_its_table_is_that_of_its_content() -> None:
    """The same list goes on, however it is spaced; another one has another table."""
    lists = ("a.example b.example", " a.example\nb.example\n", "a.example c.example")
    sources = [open_inline(text) for text in lists]
    names = [source.name for source in sources]
    for source in sources:
        source.close()
    assert names[0] == names[1]
    assert names[0].startswith("urls-")
    assert names[2] != names[0]


@pytest.mark.parametrize(
    ("urls", "words"),
    [
        ("", "`urls`: holds no URL"),
        (" \n", "`urls`: holds no URL"),
        ("é" * (MOST // 2 + 1), "`urls`: has 100,002 bytes, and 100,000 are the most"),
    ],
)
def test_nothing_and_too_much_are_refused(urls: str, words: str) -> None:
    """The limit is in bytes, as that of the system is."""
    with pytest.raises(ListError, match=words):
        open_inline(urls)
