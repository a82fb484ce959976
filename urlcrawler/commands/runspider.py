"""`scrapy runspider` with an exit code that says how it ended."""

import argparse
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from scrapy.commands.runspider import Command as ScrapyRunSpider
from scrapy.exceptions import UsageError
from scrapy.utils.spider import iter_spider_classes

from urlcrawler.commands.crawl import Command as Crawl


class Command(Crawl):
    """Crawl with the spider in a file, and end as `scrapy crawl` does."""

    default_settings: ClassVar[dict[str, Any]] = ScrapyRunSpider.default_settings

    def syntax(self) -> str:
        """Return what stands behind the name of the command."""
        return "[options] <spider_file>"

    def short_desc(self) -> str:
        """Return the line for the list of commands."""
        return "Run a spider from a Python file"

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Load the file, and crawl."""
        if len(args) != 1:
            raise UsageError("name one file: scrapy runspider shop.py -a file=urls.txt")
        spiders = [*iter_spider_classes(_loaded(Path(args[0])))]
        if len(spiders) != 1:
            found = ", ".join(spider.name for spider in spiders) or "none"
            raise UsageError(f"{args[0]}: must hold one spider, found {found}", print_help=False)
        self._crawl(self._create_crawler(spiders[0]), opts)


def _loaded(path: Path) -> ModuleType:
    if not path.is_file() or path.suffix != ".py":
        raise UsageError(f"{path}: no such Python file", print_help=False)
    sys.path.insert(0, str(path.absolute().parent))  # for what it imports from beside it
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None  # noqa: S101 - the suffix says so
    assert spec.loader is not None  # noqa: S101
    sys.modules[path.stem] = module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        kind = type(error).__name__
        raise UsageError(f"{path}: cannot be loaded: {kind}: {error}", print_help=False) from error
    return module
