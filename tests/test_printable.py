"""Text that others have written, before it comes to a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urlcrawler.printable import printable, without_credentials


@given(st.text())
def test_what_is_printed_moves_no_cursor(text: str) -> None:
    """But for the ends of lines and tabs."""
    assert all(char.isprintable() or char in "\n\t" for char in printable(text))


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    """In any language."""
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("a\x07b\x00c\x7f\x9b", r"a\x07b\x00c\x7f\x9b"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("carriage\rreturn", r"carriage\rreturn"),
        ("\u202eright to left", r"\u202eright to left"),
    ],
)
def test_control_characters_are_written_out(text: str, clean: str) -> None:
    """So that they can be seen, and do nothing."""
    assert printable(text) == clean


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("see https://me:secret@example.com/x", "see https://***@example.com/x"),
        ("'http://token@example.com'", "'http://***@example.com'"),
        ("http://a:b@c.com and http://d:e@f.com", "http://***@c.com and http://***@f.com"),
        ("'http://bob:it's-s@example.com/'", "'http://***@example.com/'"),
        ("http://bob:s@cret@example.com/", "http://***@example.com/"),
        ("http:\\\\bob:s@example.com/", "http:\\\\***@example.com/"),
        (repr("http:\\\\bob:s@example.com/"), repr("http:\\\\***@example.com/")),
        ("http://example.com/?mail=me@example.com", "http://example.com/?mail=me@example.com"),
        ("http://example.com/@me", "http://example.com/@me"),
        ("mail me@example.com", "mail me@example.com"),
    ],
)
def test_credentials_of_urls_are_left_out(text: str, clean: str) -> None:
    """And nothing else that has an @ in it."""
    assert without_credentials(text) == clean
