"""`scrapy diff`: what has changed between two crawls."""

import argparse
import json
import os
import sys
from collections import Counter
from typing import Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from urlcrawler.exceptions import ArgumentError
from urlcrawler.output.comparison import Difference, compare
from urlcrawler.printable import printable

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


class Command(ScrapyCommand):
    """Compare two tables, and print what was added, removed and changed."""

    requires_project = True
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        """Return what stands behind the name of the command."""
        return "[options] <earlier table> <later table>"

    def short_desc(self) -> str:
        """Return the line for the list of commands."""
        return "Compare two tables: which pages are new, gone or different"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of the command."""
        super().add_options(parser)
        parser.add_argument("--columns", default="", help="compare only these, with commas")
        parser.add_argument("--json", action="store_true", help="print a JSON object a line")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Print the differences."""
        if len(args) != 2:
            raise UsageError("name two tables: scrapy diff yesterday.csv today.csv")
        columns = tuple(filter(None, opts.columns.replace(" ", "").split(",")))
        formulas = self.settings.getbool("CSV_FORMULAS") if self.settings else False
        counts: Counter[str] = Counter()
        try:
            for difference in compare(*args, formulas=formulas, columns=columns):
                counts[difference.kind if difference else "the same"] += 1
                if difference:
                    print(_json(difference) if opts.json else _lines(difference))
        except ArgumentError as error:
            print(f"scrapy diff: {error}", file=sys.stderr)
            self.exitcode = 1
            return
        except BrokenPipeError:  # `| head` has seen enough; nothing is to be flushed at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return
        kinds = ("added", "removed", "changed", "the same")
        print(", ".join(f"{counts[kind]} {kind}" for kind in kinds), file=sys.stderr)


def _lines(difference: Difference) -> str:
    lines = [f"{_SIGNS[difference.kind]} {printable(difference.url)}"]
    for name, (before, after) in difference.columns.items():
        lines.append(f"    {printable(name)}: {before!r} -> {after!r}")
    return "\n".join(lines)


def _json(difference: Difference) -> str:
    columns = {name: list(values) for name, values in difference.columns.items()}
    return json.dumps({"kind": difference.kind, "url": difference.url, "columns": columns})
