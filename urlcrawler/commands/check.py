"""`scrapy check`, also for spiders of lists."""

from typing import Any, ClassVar

from scrapy.commands.check import Command as ScrapyCheck

from urlcrawler.commands.withoutlist import WithoutList


class Command(WithoutList, ScrapyCheck):
    """Check the contracts of spiders, without a list."""

    default_settings: ClassVar[dict[str, Any]] = {
        **ScrapyCheck.default_settings,
        "WITHOUT_LIST": True,
    }

    def _spiders(self, args: list[str]) -> list[str]:
        return args
