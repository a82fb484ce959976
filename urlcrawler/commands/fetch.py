"""`scrapy fetch`, also for spiders of lists."""

from typing import Any, ClassVar

from scrapy.commands.fetch import Command as ScrapyFetch

from urlcrawler.commands.withoutlist import WithoutList


class Command(WithoutList, ScrapyFetch):
    """Fetch a page as Scrapy's command does, also for a spider of lists."""

    default_settings: ClassVar[dict[str, Any]] = {
        **ScrapyFetch.default_settings,
        "WITHOUT_LIST": True,
    }
