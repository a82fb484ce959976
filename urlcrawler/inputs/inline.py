"""A list that is no file: it came in an argument, `-a urls=...`."""

import hashlib
import io

from urlcrawler.exceptions import ListError
from urlcrawler.inputs.sources import Source, named, spool

# Bytes. Linux takes no argument of over 128 KiB (MAX_ARG_STRLEN): the process does not start, and
# of scrapyd 1.6 the job vanishes without a word and its slot is not free again.
MOST = 100_000


def open_inline(urls: str, file_name: str | None = None) -> Source:
    """Open the list that *urls* is.

    Args:
        urls: the URLs, separated by white space; or the content of a list.
        file_name: of the list, if it is one: its suffix says how it is read.

    Raises:
        ListError: it holds nothing, or is too long.
    """
    content = urls.encode(errors="surrogateescape")
    if len(content) > MOST:
        raise ListError(
            f"argument `urls`: has {len(content):,} bytes, and {MOST:,} are the most: with an "
            "argument of over 128 KiB no process starts. Put the list into a file, or behind a "
            "URL, and name that: -a file=..."
        )
    if not content.strip():
        raise ListError("argument `urls`: holds no URL. Type -a urls='https://a.example/ ...'")
    if file_name:
        return named(file_name, file_name, spool(io.BytesIO(content)))
    # Not one name for all: the tables of two lists would be the same file.
    name = f"urls-{hashlib.sha256(b' '.join(content.split())).hexdigest()[:8]}.txt"
    return named("urls", name, spool(io.BytesIO(b"\n".join(content.split()) + b"\n")))
