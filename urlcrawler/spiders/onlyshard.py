"""A crawl of one shard only: `-a shard=3/16`."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from scrapy.settings import BaseSettings

from urlcrawler.divided import is_divided
from urlcrawler.exceptions import ArgumentError
from urlcrawler.hosts.groups import Groups
from urlcrawler.inputs.index import ListIndex
from urlcrawler.inputs.shards import Plan


def take_shard(spider: Any, settings: BaseSettings) -> None:
    """Leave to others what is not in the shard of *spider*.

    Of several processes each has the same plan: `_plan` is the file with it, and `_done` that with
    what was done when they began.

    Raises:
        ArgumentError: hosts are grouped by what is only known when they are looked up.
    """
    index, shard, given = spider.index, spider.shard, spider.given
    if settings["THROTTLE_GROUP_BY"] == "ip":
        raise ArgumentError(
            "argument `shard`: hosts that are grouped by address cannot be divided before they are "
            "looked up. Type -s THROTTLE_GROUP_BY=host, or domain"
        )
    if is_divided(settings):
        raise ArgumentError(
            "argument `shard`: is crawled in one process. Leave PROCESSES at 1; type scrapy crawl"
        )
    done = None
    if "_done" in given:
        done = np.frombuffer(Path(given["_done"]).read_bytes(), np.bool_)
    plan = _saved(given, index) or Plan(
        index, shard.count, Groups(settings["THROTTLE_GROUP_BY"]).name, done
    )
    mine = plan.members(shard)
    if done is not None:
        mine &= ~done
    spider.ledger.leave_out(~mine)
    index.heads = plan.heads(shard)
    spider.own_groups = plan.groups(shard)


def _saved(given: Mapping[str, str], index: ListIndex) -> Plan | None:
    """Return the plan that the parent of several processes has made, if it can be had."""
    if "_plan" in given:
        with suppress(OSError, ValueError):
            return Plan.load(Path(given["_plan"]), index)
    return None
