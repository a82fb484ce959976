"""`scrapy adopt`: rows that an earlier script has written count as done."""

import argparse
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from scrapy.commands import BaseRunSpiderCommand
from scrapy.exceptions import UsageError

from urlcrawler.commands.beforecrawl import BeforeCrawl, safe
from urlcrawler.exceptions import ArgumentError
from urlcrawler.exitcodes import CANNOT_START, NOT_WRITTEN

# Scrapy imports the modules of all commands for each of them: what these need comes later.
if TYPE_CHECKING:
    from urlcrawler.adoption.adopting import Adoption


class Command(BeforeCrawl, BaseRunSpiderCommand):
    """Write rows of an old table into that of the crawl that is to follow.

    It takes what `scrapy crawl` takes, and refuses what that would refuse.
    """

    when_interrupted = "The rows so far are whole; run it again to go on"

    def syntax(self) -> str:
        """Return what stands behind the name of the command."""
        return "[options] <old table> -a file=urls.txt [spider]"

    def short_desc(self) -> str:
        """Return the line for the list of commands."""
        return "Take over what a script has crawled already, so that only the rest is crawled"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of the command to those of a crawl."""
        super().add_options(parser)
        parser.add_argument("--url-column", help="the column of the old table with the URLs")
        parser.add_argument("--where", action="append", default=[], metavar="COLUMN=VALUE",
                            help="only such rows count as done; COLUMN!=VALUE: others")  # fmt: skip
        parser.add_argument("--all", action="store_true", help="rows with 404 or 500 count too")
        parser.add_argument("--columns", action="append", default=[], metavar="OLD=OURS,...",
                            help="where columns go that have another name here")  # fmt: skip

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Adopt, and print what was found."""
        if not 1 <= len(args) <= 2:
            raise UsageError("name the old table: scrapy adopt old.csv -a file=urls.txt")
        with self.told():
            for line in self._adopt(args[0], args[1] if args[1:] else "urls", opts):
                print(safe(line), flush=True)

    def _adopt(self, label: str, name: str, opts: argparse.Namespace) -> Iterator[str]:
        from urlcrawler.adoption.adopting import Adoption, CannotWriteError
        from urlcrawler.adoption.oldtable import OldTable
        from urlcrawler.spiders.looking import close, open_without_tables

        columns = _pairs(opts.columns)
        if "retry" in opts.spargs:
            raise ArgumentError("argument `retry`: is for the crawl that follows. Leave it out")
        if label == opts.spargs.get("file") == "-":
            raise ArgumentError("-: standard input is either the list or the old table")
        crawler = self.crawler_of(name, opts)
        spider = open_without_tables(crawler, opts.spargs)
        try:
            old = OldTable(label, opts.url_column)
            try:
                adoption = Adoption(
                    crawler.settings, spider, old,
                    where=opts.where, every=opts.all, columns=columns,
                )  # fmt: skip
                try:
                    adoption.write()
                except CannotWriteError:
                    self.exitcode = NOT_WRITTEN
                    raise
                yield from adoption.lines()
                yield from self._next(adoption, name, opts)
            finally:
                old.close()
        finally:
            close(spider)

    def _next(self, adoption: "Adoption", name: str, opts: argparse.Namespace) -> Iterator[str]:
        """Say what remains, and what to type."""
        account = adoption.account
        if not account.adopted and not account.there:
            self.exitcode = CANNOT_START
            yield (
                "No row of it belongs to a record of the list and counts: nothing was written. "
                "--url-column says where the URLs are, --where COLUMN=VALUE which rows count"
            )
            return
        words = ["scrapy", "crawl", name]
        words += [word for pair in opts.spargs.items() for word in ("-a", "=".join(pair))]
        words += [word for each in opts.set for word in ("-s", each)]
        outputs = [*(opts.output or ()), *(opts.overwrite_output or ())]  # -O would remove them
        words += [word for each in outputs for word in ("-o", each)]
        yield ""
        if not account.remaining:
            yield "Every record has its row. If they are not in the order of the list yet:"
        else:
            requests = f"{account.requests:,} of them are requested"
            yield f"{account.remaining:,} records remain; {requests}. To crawl them:"
        yield ""
        yield f"    {shlex.join(words)}"


def _pairs(given: list[str]) -> dict[str, str]:
    """Return the columns in `--columns old=ours,old=ours`.

    Raises:
        ArgumentError: they are no pairs.
    """
    pairs: dict[str, str] = {}
    for words in filter(None, (part.strip() for each in given for part in each.split(","))):
        old, equals, ours = (part.strip() for part in words.rpartition("="))
        if not (old and equals and ours):
            raise ArgumentError(f"--columns: must be like old=ours,heading=h1, not {words!r}")
        pairs[old] = ours
    return pairs
