"""`scrapy fields`: try a fields file on a page, or on some pages of a list."""

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError
from scrapy.http import Response
from scrapy.responsetypes import responsetypes
from scrapy.settings import SETTINGS_PRIORITIES

from urlcrawler.exceptions import ListError, UrlcrawlerError
from urlcrawler.extract.document import Document
from urlcrawler.extract.fields import Fields, Found
from urlcrawler.extract.fieldsfile import read_fields
from urlcrawler.inputs.formats import open_reader
from urlcrawler.inputs.sources import open_source
from urlcrawler.items import BASE_COLUMNS, Page
from urlcrawler.printable import printable
from urlcrawler.spiders.base import UrlListSpider

_WIDTH = 70  # characters of a value that are shown


class Command(ScrapyCommand):
    """Show what the fields of a file are on pages: how many things each rule finds, and the value.

    Pages are fetched as a crawl fetches them, robots.txt and all; saved ones are read.
    """

    requires_project = True

    def syntax(self) -> str:
        """Return what stands behind the name of the command."""
        return "[URL or saved page ...] --fields fields.yaml [--list urls.txt --sample 20]"

    def short_desc(self) -> str:
        """Return the line for the list of commands."""
        return "Try a fields file on live or saved pages"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of the command."""
        super().add_options(parser)
        parser.add_argument("--fields", help="the fields file")
        parser.add_argument("--list", help="take pages of this list")
        parser.add_argument("--column", help="the column of the list that holds the URLs")
        parser.add_argument("--sample", type=int, default=20, help="how many of them (20)")
        parser.add_argument("--url", help="where a saved page is from, for relative URLs and hosts")

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Log only what goes wrong, unless -s or --loglevel says more."""
        super().process_options(args, opts)
        assert self.settings is not None  # noqa: S101 - set by scrapy.cmdline
        if (self.settings.getpriority("LOG_LEVEL") or 0) < SETTINGS_PRIORITIES["cmdline"]:
            self.settings.set("LOG_LEVEL", "WARNING", priority="cmdline")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Look at the pages, and print what was found."""
        if not opts.fields or not (args or opts.list):
            raise UsageError("name a page and a file: scrapy fields URL --fields fields.yaml")
        try:
            fields = read_fields(opts.fields, taken=frozenset(BASE_COLUMNS))
            saved = [name for name in args if "://" not in name]
            urls = [name for name in args if "://" in name]
            if opts.list:
                urls += _sample(opts.list, opts.column, opts.sample)
            found = [(name, fields.of(Document(_saved(name, opts.url)))) for name in saved]
            found += self._crawl(urls, opts.fields) if urls else []
        except (UrlcrawlerError, OSError) as error:
            print(f"scrapy fields: {error}", file=sys.stderr)
            self.exitcode = 1
            return
        for name, one in found:
            print("\n".join([printable(name), *_of_page(fields, one), ""]))
        if len(found) > 1:
            print("\n".join(_of_all(fields, [one for _, one in found])))
        if not found:
            self.exitcode = 1

    def _crawl(self, urls: list[str], fields: str) -> list[tuple[str, Found]]:
        """Fetch the pages; say of those that are none why."""
        assert self.crawler_process is not None  # noqa: S101 - set by scrapy.cmdline
        found: list[tuple[str, Found]] = []
        with tempfile.TemporaryDirectory(prefix="urlcrawler-fields-") as folder:
            path = Path(folder) / "urls.jsonl"
            path.write_text("".join(json.dumps({"url": url}) + "\n" for url in urls))
            self.crawler_process.settings.set(
                "FEEDS", {f"{folder}/pages.jsonl": {"format": "jsonl"}}, priority="cmdline"
            )
            self.crawler_process.crawl(
                _FieldsSpider, file=str(path), fields=fields, _show=found.append
            )
            self.crawler_process.start()
            rows = _rows(Path(folder) / "pages.jsonl")
        for row in rows:
            if row["outcome"] != "ok":
                reason = row["reason"] or row["outcome"]
                print(printable(f"{row['url']}\n  {row['error'] or ''} {reason}\n"))
        return found


def _rows(table: Path) -> list[dict[str, Any]]:
    if not table.exists():  # the crawl could not start, and has said why
        return []
    with table.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


class _FieldsSpider(UrlListSpider):
    """Crawls some pages, and passes on what was found in them."""

    name = "fields"
    _show: Any

    def parse_page(self, response: Response, page: Page) -> None:
        """Pass it on."""
        self._show((page.url, self.extractor.fields.of(Document(response))))


def _sample(name: str, column: str | None, size: int) -> list[str]:
    """Return some URLs of a list: the same ones each time, from everywhere in it."""
    source = open_source(name)
    try:
        urls = [url for _, url in open_reader(source, column).scan() if url]
    finally:
        source.close()
    if not urls:
        raise ListError(f"{name}: holds no URL")
    places = random.Random(0).sample(range(len(urls)), min(max(1, size), len(urls)))
    return [urls[place] for place in sorted(places)]


def _saved(name: str, url: str | None) -> Response:
    if not Path(name).is_file():
        raise ListError(f"{name}: no such file. URLs begin with http:// or https://")
    body = Path(name).read_bytes()
    kind = responsetypes.from_args(filename=name, body=body)
    return kind(url or Path(name).absolute().as_uri(), body=body)


def _of_page(fields: Fields, found: Found) -> Iterator[str]:
    """Yield a line per field: how many things were found, and what became of them."""
    for name in fields.names:
        count = found.matches.get(name, 0)
        if name in found.unread:
            value = found.unread[name]
        elif name in found.values:
            value = _shown(found.values[name])
        else:  # inside of an object, which shows it
            value = ""
        yield f"  {count:>6}  {name:<24}  {value}".rstrip()


def _of_all(fields: Fields, found: list[Found]) -> Iterator[str]:
    """Yield a line per field: how many pages have it, with how many matches."""
    yield f"Of {len(found)} pages:"
    for name in fields.names:
        counts = [one.matches.get(name, 0) for one in found]
        pages = sum(count > 0 for count in counts)
        unread = sum(name in one.unread for one in found)
        line = f"  {pages / len(found):>6.0%}  {name:<24}  {min(counts)} to {max(counts)} matches"
        yield line + (f", {unread} could not be read" if unread else "")


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return printable(text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…").replace("\n", "\\n")
