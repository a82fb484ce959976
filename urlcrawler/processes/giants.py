"""Hosts that are a shard of their own: the crawl takes at least as long as the largest of them."""

from collections.abc import Iterator
from typing import Any

from scrapy.settings import BaseSettings

from urlcrawler.hosts.census import Census
from urlcrawler.hosts.estimate import Load
from urlcrawler.hosts.groups import Groups
from urlcrawler.hostsettings import OwnManners, manners_of

_GIANT = 1.2  # times the mean of a shard
_MOST = 5  # that are named
_LATENCY = 0.5  # seconds that a page is taken to need


def giants(spider: Any, settings: BaseSettings, mean: float) -> Iterator[tuple[str, int, float]]:
    """Yield names, records and seconds, at the least, of the largest hosts.

    Args:
        spider: with its list, and in its ledger what is done.
        mean: records of a shard.
    """
    index = spider.index
    sizes = index.sizes(spider.ledger.done())
    census = Census(index, sizes, Groups(settings["THROTTLE_GROUP_BY"]).name)
    records = census.records(sizes)
    usual = manners_of(settings)
    own = OwnManners(settings, usual, None, 1)
    for number in census.largest(records, _MOST):
        if records[number] > _GIANT * mean:
            name = census.name(int(number))
            manners = own.get(name, usual)
            load = Load(int(number), int(records[number]), manners, _LATENCY)
            yield name, load.records, load.seconds
