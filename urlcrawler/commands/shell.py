"""`scrapy shell`, also for spiders of lists."""

from typing import Any, ClassVar

from scrapy.commands.shell import Command as ScrapyShell

from urlcrawler.commands.withoutlist import WithoutList


class Command(WithoutList, ScrapyShell):
    """Open Scrapy's shell on a page, also for a spider of lists."""

    default_settings: ClassVar[dict[str, Any]] = {
        **ScrapyShell.default_settings,
        "WITHOUT_LIST": True,
    }
