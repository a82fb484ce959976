"""`scrapy report`: what became of a list, on the terminal and as a page."""

import argparse
import json
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from urlcrawler.exceptions import ArgumentError

# Scrapy imports the modules of all commands for each of them: what imports pandas comes later.
if TYPE_CHECKING:
    from urlcrawler.report.figures import Figures

_EXTRA = ("jinja2", "markupsafe", "matplotlib")


class Command(ScrapyCommand):
    """Print the figures of a table, and put them into one page of HTML."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        """Return what stands behind the name of the command."""
        return "[options] <table>"

    def short_desc(self) -> str:
        """Return the line for the list of commands."""
        return "Report on a table: outcomes, errors, hosts, latency, what has changed"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of the command."""
        super().add_options(parser)
        parser.add_argument("--html", metavar="PAGE", help="write a page too: report.html")
        parser.add_argument("--against", metavar="TABLE", help="what changed since an earlier one")
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Read the table, and report on it."""
        if len(args) != 1:
            raise UsageError("name one table: scrapy report urls.csv")
        from urlcrawler.report.terminal import lines

        try:
            write = _writer(opts.html) if opts.html else None
            found = self._figures(args[0], opts.against)
            if write:
                write(found)
        except ArgumentError as error:
            print(f"scrapy report: {error}", file=sys.stderr)
            self.exitcode = 1
            return
        text = json.dumps(found.plain()) if opts.json else "\n".join(lines(found))
        try:
            print(text, flush=True)
        except BrokenPipeError:  # `| head` has seen enough; nothing is to be flushed at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if write:
            print(f"The page: {opts.html}", file=sys.stderr)

    def _figures(self, table: str, against: str | None) -> "Figures":
        from urlcrawler.report.figures import figures
        from urlcrawler.report.reading import read_table

        formulas = self.settings.getbool("CSV_FORMULAS") if self.settings else False
        with ExitStack() as stack:
            tables = []
            for name in filter(None, (table, against)):
                tables.append(read_table(name, formulas=formulas))
                stack.callback(tables[-1].close)
            return figures(*tables)


def _writer(name: str) -> Callable[["Figures"], None]:
    """Return what writes the page, before anything is read that would be read in vain.

    Raises:
        ArgumentError: it is named like no page, or the extra `report` is not installed.
    """
    path = Path(name).expanduser()
    if path.suffix.lower() not in (".html", ".htm"):
        raise ArgumentError(f"--html {name}: a page has a name like report.html")
    try:
        from urlcrawler.report.page import page  # the extra `report`
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] in _EXTRA:
            raise ArgumentError(
                f"--html needs {error.name}. Type: pip install 'urlcrawler[report]'"
            ) from error
        raise

    def write(found: "Figures") -> None:
        half = path.with_name(f".{path.name}.part")
        try:
            # Whoever looks at the page meanwhile sees a whole one.
            half.write_text(page(found), encoding="utf-8")
            half.replace(path)
        except OSError as error:
            with suppress(OSError):
                half.unlink()
            raise ArgumentError(f"--html {name}: {error.strerror}") from error

    return write
