"""A spider with a feed for rows of its own."""

from typing import Any, ClassVar

from urlcrawler.spiders.base import UrlListSpider


class FeederSpider(UrlListSpider):
    name = "feeder"
    custom_settings: ClassVar[dict[str, Any]] = {"FEEDS": {"mine.csv": {"format": "csv"}}}
