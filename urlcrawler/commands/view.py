"""`scrapy view`, also for spiders of lists."""

from typing import Any, ClassVar

from scrapy.commands.view import Command as ScrapyView

from urlcrawler.commands.withoutlist import WithoutList


class Command(WithoutList, ScrapyView):
    """Show a page as Scrapy's command does, also for a spider of lists."""

    default_settings: ClassVar[dict[str, Any]] = {
        **ScrapyView.default_settings,
        "WITHOUT_LIST": True,
    }
