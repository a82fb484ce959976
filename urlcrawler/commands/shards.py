"""`scrapy shards`: parts of a list, crawled one by one or on a cluster."""

import argparse
import re
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, cast

from scrapy.exceptions import UsageError

from urlcrawler.commands.crawl import Command as CrawlCommand
from urlcrawler.commands.telling import tell
from urlcrawler.exceptions import ArgumentError, OutputError, UrlcrawlerError
from urlcrawler.hosts.groups import Groups
from urlcrawler.inputs.formats import open_reader
from urlcrawler.inputs.index import ListIndex
from urlcrawler.inputs.shards import MOST, Plan
from urlcrawler.inputs.sources import open_source
from urlcrawler.output.ordering import merge
from urlcrawler.output.tables import FORMATS, Format
from urlcrawler.processes.daskcluster import LOCAL, check_scheduler
from urlcrawler.spiders.arguments import positive

_NAME = re.compile(r"\.(\d+)-of-(\d+)\.")


class Command(CrawlCommand):
    """Crawl a list on a cluster; or show how it would be divided, how far its parts are, and put
    them together.
    """

    requires_project = True

    def syntax(self) -> str:
        """Return the words of the usage line."""
        return (
            "run [spider] -a file=urls.txt [--scheduler tcp://...] | plan -a file=urls.txt "
            "--shards 16 | status TABLE ... | merge TABLE ... -o TABLE"
        )

    def short_desc(self) -> str:
        """Return the line of `scrapy --help`."""
        return "Crawl a list on a cluster; divide it, and merge the tables of `-a shard=3/16`"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add our own."""
        super().add_options(parser)
        parser.add_argument("--shards", help="how many (run: 10,000 to 50,000 records each)")
        parser.add_argument(
            "--scheduler",
            help="run: address of a Dask scheduler, tls://... or tcp://... (this machine alone)",
        )
        parser.add_argument(
            "--work",
            metavar="FOLDER",
            help="run: a folder that all machines see (beside the table)",
        )

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Log nothing, unless it is a crawl."""
        super().process_options(args, opts)
        assert self.settings is not None  # noqa: S101 - set by scrapy.cmdline
        if args[:1] != ["run"]:
            self.settings.set("LOG_ENABLED", False, priority="command")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Do what the first word says."""
        actions = {
            "run": self._run,
            "plan": self._plan,
            "status": self._status,
            "merge": self._merge,
        }
        if not args or args[0] not in actions:
            raise UsageError(f"say what: {', '.join(actions)}")
        try:
            actions[args[0]](args[1:], opts)
        except (UrlcrawlerError, OSError) as error:
            tell(self, error)
            self.exitcode = 1

    @property
    def _formulas(self) -> bool:
        settings: Any = self.settings
        return bool(settings.getbool("CSV_FORMULAS"))

    def _run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Crawl on a cluster, as `scrapy crawl` does on this machine."""
        settings: Any = self.settings
        if opts.scheduler:
            check_scheduler(opts.scheduler)
        if opts.work:
            _check_folder(Path(opts.work))
        values = {
            "CLUSTER_SCHEDULER": opts.scheduler or LOCAL,
            "CLUSTER_SHARDS": min(positive("--shards", opts.shards), MOST) if opts.shards else 0,
            "CLUSTER_FOLDER": opts.work or None,
        }
        for name, value in values.items():
            settings.set(name, value, priority="cmdline")
        name = args[0] if args else "urls"
        spiders = cast("Any", self.crawler_process).spider_loader
        if name in spiders.list() and not hasattr(spiders.load(name), "parse_page"):
            raise ArgumentError(f"spider {name!r}: reads no list, so there is nothing to divide")
        super().run(args or [name], opts)

    def _plan(self, args: list[str], opts: argparse.Namespace) -> None:
        given = opts.spargs
        if "file" not in given or "shard" in given or not opts.shards:
            raise UsageError("name the list and a number: -a file=urls.txt --shards 16")
        count = min(positive("--shards", opts.shards), MOST)
        settings: Any = self.settings
        source = open_source(given["file"])
        try:
            index = ListIndex(
                open_reader(source, given.get("column")),
                fetch_duplicates=given.get("duplicates") == "fetch",
                limit=positive("limit", given["limit"]) if "limit" in given else 0,
            )
            plan = Plan(index, count, Groups(settings["THROTTLE_GROUP_BY"]).name)
        finally:
            source.close()
        print(f"{len(index)} records on {len(index.heads)} hosts")
        for number, load in enumerate(plan.loads, 1):
            print(f"{load:>12}  -a shard={number}/{count}")
        largest, mean = max(plan.loads), sum(plan.loads) / count
        if mean and largest > 1.2 * mean:
            print(f"The largest has {largest / mean:.1f} times the mean: a host is never divided")

    def _status(self, args: list[str], opts: argparse.Namespace) -> None:
        for path, format_ in _tables(args, formulas=self._formulas):
            outcomes: Counter[str] = Counter()
            with path.open("rb") as file:
                found = format_.read_header(file)
                for line in format_.lines(file, found[1]) if found else ():
                    outcomes["a row that is not finished" if isinstance(line, int)
                             else line.outcome] += 1  # fmt: skip
            counts = ", ".join(f"{count} {name}" for name, count in outcomes.most_common())
            print(f"{sum(outcomes.values()):>12}  {path}  ({counts})")

    def _merge(self, args: list[str], opts: argparse.Namespace) -> None:
        if not opts.output:
            raise UsageError("name the table: scrapy shards merge urls.*-of-16.csv -o urls.csv")
        target = Path(opts.output[0])
        if target.exists():
            raise OutputError(f"-o {target}: is there already. Name another, or remove it")
        tables = _tables(args, formulas=self._formulas)
        formats = {type(format_) for _, format_ in tables}
        if len(formats) > 1 or FORMATS.get(target.suffix[1:]) not in formats:
            raise OutputError(f"-o {target}: must have the format that all of the tables have")
        columns = tables[0][1].columns
        for path, format_ in tables:
            if format_.columns != columns:
                raise OutputError(f"{path}: has other columns than {tables[0][0]}")
        rows = merge([(path, False) for path, _ in tables], target.resolve(), tables[0][1])
        print(f"{rows} rows in {target}", file=sys.stderr)


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise ArgumentError(f"--work {folder}: there is no such folder. Make it first")
    try:
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise ArgumentError(f"--work {folder}: cannot be written: {error.strerror}") from error


def _tables(names: list[str], *, formulas: bool) -> list[tuple[Path, Format]]:
    """Return tables and their formats.

    Raises:
        OutputError: one is none, or shards are missing among them.
    """
    if not names:
        raise UsageError("name the tables of the shards: urls.*-of-16.csv")
    tables: list[tuple[Path, Format]] = []
    shards: dict[int, set[int]] = {}
    for name in names:
        path = Path(name)
        kind = FORMATS.get(path.suffix[1:])
        if kind is None or not path.is_file():
            raise OutputError(f"{name}: is no table in CSV or JSON Lines")
        with path.open("rb") as file:
            found = kind([], formulas=formulas).read_header(file)
        if found is None:
            raise OutputError(f"{name}: holds no row yet")
        tables.append((path, kind(found[0], formulas=formulas)))
        if number := _NAME.search(path.name):
            shards.setdefault(int(number[2]), set()).add(int(number[1]))
    for count, numbers in shards.items():
        if missing := sorted(set(range(1, count + 1)) - numbers):
            words = ", ".join(map(str, missing[:20]))
            print(f"Not among them: {words} of {count} shards", file=sys.stderr)
    return tables
