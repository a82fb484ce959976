"""What a command says in one sentence, on standard error."""

import sys
from contextlib import suppress

from urlcrawler.printable import printable, without_credentials


def name_of(command: object) -> str:
    """Return the word by which Scrapy knows a command: the name of its module."""
    return type(command).__module__.rpartition(".")[2]


def tell(command: object, what: object) -> None:
    """Say *what*, after the name of the command; nothing when nobody reads that any more."""
    with suppress(OSError):  # a job of scrapyd may outlive who does
        words = printable(without_credentials(str(what)))
        print(f"scrapy {name_of(command)}: {words}", file=sys.stderr, flush=True)
