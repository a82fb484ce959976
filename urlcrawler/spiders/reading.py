"""What is taken out of the pages of a crawl, and the columns that it becomes."""

from typing import Any

from scrapy.settings import BaseSettings

from urlcrawler.extract.extraction import Extractor
from urlcrawler.output.rows import Table
from urlcrawler.spiders.arguments import check_columns, names_in
from urlcrawler.spiders.files import open_fields


def open_extractor(spider: Any, settings: BaseSettings, columns: list[str]) -> None:
    """Give *spider* its extractor and the columns of its table.

    Args:
        columns: the other columns of the list.

    Raises:
        ArgumentError: the fields file, or a column of the spider's own, is wrong.
    """
    given = spider.given
    groups = frozenset(settings.getlist("METADATA"))
    types = names_in("json_ld", given.get("json_ld"))
    named = getattr(spider, "fields", None)  # by an argument, or else by the class
    fields = None if named is None else str(named)
    spider.extractor = Extractor(groups, open_fields(fields), types, fields)
    spider.own_columns = spider.extractor.fields.columns | check_columns(spider)
    kinds = {**spider.own_columns, **spider.extractor.fields.kinds}
    spider.table = Table(columns, kinds, groups)
