"""Text that others have written, before it comes to a terminal."""

import re

_KEPT = "\n\t"
# User name and password of a URL, as browsers find them: up to the last @ of the authority, which
# ends at the first of /\?#. A backslash may be written out, twice.
_PASSWORD = re.compile(r"([?&](?:ssl)?password=)[^&#\s'\"]*", re.IGNORECASE)  # of libpq
_CREDENTIALS = re.compile(r"(:[/\\]{2,4})[^/\\?#\s]+@")


def printable(text: str) -> str:
    r"""Return *text* with what would move the cursor, ring or rename the window written out
    (`\x1b`), and without what else nobody would see.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _KEPT else repr(c)[1:-1] for c in text)


def without_credentials(text: str) -> str:
    """Return *text* with `***` for the user names and passwords of URLs in it."""
    text = _CREDENTIALS.sub(r"\1***@", text) if "@" in text else text
    return _PASSWORD.sub(r"\1***", text) if "password=" in text.lower() else text
