"""`scrapy extract`: the table once more, out of the pages that a crawl has kept."""

import argparse
import os
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from glob import glob
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError
from scrapy.http import Headers
from scrapy.responsetypes import responsetypes

from urlcrawler.exceptions import OutputError, UrlcrawlerError
from urlcrawler.extract.encoding import with_known_encoding
from urlcrawler.extract.extraction import Extracted, Extractor, extractor_of
from urlcrawler.extract.fieldsfile import read_fields
from urlcrawler.items import BASE_COLUMNS, COLUMN_KINDS, Page
from urlcrawler.output.cells import typed
from urlcrawler.output.earlier import read_rows
from urlcrawler.output.ordering import put_in_order
from urlcrawler.output.rows import Table
from urlcrawler.output.tablefile import TableFile
from urlcrawler.output.tables import FORMATS

if TYPE_CHECKING:
    from urlcrawler.output.pages import KeptPage

_AT_ONCE = 20  # pages that a process is given


class Command(ScrapyCommand):
    """Read WARC files of KEEP_PAGES, and write the rows that a crawl would write, on all cores.

    No network is used. Rows are those of pages that have answered, and with --table the others of
    that table as they are; of a page that was kept twice the later one counts.
    """

    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        """Return what stands behind the name of the command."""
        return "--pages urls.pages/*.warc.gz [--table urls.csv] [--fields fields.yaml] -o again.csv"

    def short_desc(self) -> str:
        """Return the line for the list of commands."""
        return "Extract a table again from the pages that a crawl has kept"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of the command."""
        super().add_options(parser)
        parser.add_argument("--pages", nargs="+", default=[], help="WARC files, or patterns")
        parser.add_argument("--fields", help="the fields file")
        parser.add_argument("--table", help="the table of the crawl, for the rows without a page")
        parser.add_argument("-o", "--output", help="the table, .csv or .jsonl; none may be there")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Write the table."""
        if not opts.pages or not opts.output:
            raise UsageError("name both: scrapy extract --pages urls.pages/*.warc.gz -o again.csv")
        assert self.settings is not None  # noqa: S101 - set by scrapy.cmdline
        try:
            from urlcrawler.output import pages  # extra `pages`
        except ImportError:
            print("scrapy extract: needs warcio. Type pip install warcio", file=sys.stderr)
            self.exitcode = 1
            return
        groups = frozenset(self.settings.getlist("METADATA"))
        try:
            files = _files([*opts.pages, *args])
            taken = frozenset(BASE_COLUMNS)
            fields = read_fields(opts.fields, taken) if opts.fields else None
            extractor = Extractor(groups, fields, path=opts.fields)
            last: dict[int, int] = {}  # number of the page that counts, by position
            columns: dict[str, None] = {}
            for number, page in enumerate(_all(files, pages.read_pages)):
                last[page.row["position"]] = number
                columns.update(dict.fromkeys(page.row["columns"]))
            table = Table(list(columns), extractor.fields.kinds, groups)
            kept = (
                page
                for number, page in enumerate(_all(files, pages.read_pages))
                if last[page.row["position"]] == number
            )
            formulas = self.settings.getbool("CSV_FORMULAS")
            rows = _pages(kept, extractor.recipe)
            if opts.table:
                others = read_rows(opts.table, formulas=formulas)
                rows = chain(rows, _others(others, table, frozenset(last)))
            count = _write(opts.output, table, rows, formulas=formulas)
        except UrlcrawlerError as error:
            print(f"scrapy extract: {error}", file=sys.stderr)
            self.exitcode = 1
            return
        print(f"{count} rows in {opts.output}", file=sys.stderr)


def _files(names: list[str]) -> list[Path]:
    files = [Path(found) for name in names for found in sorted(glob(name)) or [name]]
    for path in files:
        if not path.is_file():
            raise OutputError(f"{path}: no such file")
    return files


def _all(files: list[Path], read: Any) -> "Iterator[KeptPage]":
    for path in files:
        yield from read(path)


def _pages(pages: "Iterator[KeptPage]", recipe: Mapping[str, Any]) -> Iterator[Page]:
    """Yield what the pages say, in their order."""
    processes = os.cpu_count() or 1
    # Not by fork: libraries that were loaded here have threads.
    with ProcessPoolExecutor(
        processes, get_context("spawn"), initializer=_begin, initargs=(recipe,)
    ) as pool:
        jobs: deque[tuple[list[KeptPage], Future[list[Extracted | None]]]] = deque()

        def finished() -> Iterator[Page]:
            chunk, job = jobs.popleft()
            for kept, extracted in zip(chunk, job.result(), strict=True):
                page = Page(**kept.row)
                if extracted:
                    page.says(extracted)
                yield page

        chunk: list[KeptPage] = []
        for page in pages:
            chunk.append(page)
            if len(chunk) == _AT_ONCE:
                jobs.append((chunk, pool.submit(_extract, chunk)))
                chunk = []
            if len(jobs) > 3 * processes:
                yield from finished()
        jobs.append((chunk, pool.submit(_extract, chunk)))
        while jobs:
            yield from finished()


def _others(rows: Iterator[dict[str, Any]], table: Table, kept: frozenset[int]) -> Iterator[Page]:
    """Yield the rows of the crawl's table of which there is no page."""
    for row in rows:
        values = {name: typed(row.get(name), COLUMN_KINDS[name]) for name in BASE_COLUMNS}
        if values["position"] not in kept:
            columns = {name: row.get(column) for name, column in table.carried.items()}
            yield Page(**values, columns=columns)


_extractors: list[Extractor] = []  # of this process


def _begin(recipe: Mapping[str, Any]) -> None:
    _extractors.append(extractor_of(recipe))


def _extract(pages: "list[KeptPage]") -> list[Extracted | None]:
    return [_extracted(page) if page.row["outcome"] == "ok" else None for page in pages]


def _extracted(page: "KeptPage") -> Extracted:
    headers = Headers()
    for name, value in page.headers:
        headers.appendlist(name, value)
    kind = responsetypes.from_args(headers=headers, url=page.url, body=page.body)
    response = kind(page.url, page.status, headers=headers, body=page.body)
    return _extractors[0](with_known_encoding(response))


def _write(name: str, table: Table, pages: Iterator[Page], *, formulas: bool) -> int:
    """Write the table, in the order of the list; return how many rows it has."""
    path = Path(name)
    kind = FORMATS.get(path.suffix.removeprefix("."))
    if kind is None:
        raise OutputError(f"-o {name}: must be .csv or .jsonl")
    if path.exists():
        raise OutputError(f"-o {name}: is there already. Name another table, or remove it")
    format_ = kind(table.columns, formulas=formulas)
    file = TableFile(path, format_)
    try:
        count = sum(1 for _ in file.lines())
        for page in pages:
            file.add(table.row(page), lambda: None)
            count += 1
        file.try_sync()
        if file.failure:
            raise OutputError(f"{name}: cannot be written: {file.failure.strerror}")
    finally:
        file.close()
    try:
        put_in_order(path, format_, rows=count)
    except OSError as error:
        raise OutputError(f"{name}: cannot be put in order: {error.strerror}") from error
    return count
