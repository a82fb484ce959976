"""Quality gates: a crawl that came out too badly says so, with an exit code of its own.

Spidermon was looked at first. Its monitors know the stats of one run, and not the table of all
runs of a crawl that was resumed; and they set no exit code. It works beside this (`gates/*` are
stats as all others), and is the place for notifications.
"""

import asyncio
import json
import logging
from collections import deque
from difflib import get_close_matches
from typing import Any

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from urlcrawler.exceptions import ArgumentError
from urlcrawler.output.quality import Quality, quality_of, shortcomings
from urlcrawler.output.rows import Row
from urlcrawler.stopping import stop

logger = logging.getLogger(__name__)

LATELY = 200  # pages of which the share is looked at while the crawl goes on


class Gates:
    """Look at the whole table when it is complete, and at the last pages all the while.

    Stats: `gates/*`.
    """

    def __init__(
        self,
        crawler: Crawler,
        *,
        ok_share: float,
        coverage: dict[str, float],
        before: Quality | None,
        drop: float,
        least_lately: float,
    ) -> None:
        self.crawler = crawler
        self._ok_share = ok_share
        self._coverage = coverage
        self._before = before
        self._drop = drop
        self._least_lately = least_lately
        self._lately: deque[bool] = deque(maxlen=LATELY)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Gates":
        """Read what is wanted.

        Raises:
            ArgumentError: a setting is no share, names no column, or no table.
        """
        settings, spider = crawler.settings, crawler.spider
        if not hasattr(spider, "ledger") or settings.getbool("LEASH_ENABLED"):
            raise NotConfigured  # without a word: the parent looks at the table of all processes
        columns: list[str] = spider.table.columns  # type: ignore[union-attr]
        own = [*spider.own_columns]  # type: ignore[union-attr]
        coverage = _coverage(settings["MIN_FIELD_COVERAGE"], columns, own)
        least_lately = _share(settings, "CLOSESPIDER_OK_SHARE")
        before = None
        if earlier := settings["MAX_DROP_AGAINST"]:
            formulas = settings.getbool("CSV_FORMULAS")
            before = _named("MAX_DROP_AGAINST", earlier, own, formulas=formulas)
        gates = cls(
            crawler,
            ok_share=_share(settings, "MIN_OK_SHARE"),
            coverage=coverage,
            before=before,
            drop=_share(settings, "MAX_DROP"),
            least_lately=least_lately,
        )
        if not (gates._ok_share or coverage or before or least_lately):
            raise NotConfigured  # likewise: nobody has asked for it
        if least_lately:
            crawler.signals.connect(gates.item_scraped, signals.item_scraped)
        crawler.signals.connect(gates.engine_stopped, signals.engine_stopped)
        return gates

    def item_scraped(self, item: Any) -> None:
        """Stop the crawl when almost nothing of what it asks for is there."""
        if not isinstance(item, Row) or not item["attempts"]:
            return
        self._lately.append(item["outcome"] in ("ok", "unchanged"))
        there = sum(self._lately)
        if len(self._lately) == LATELY and there < self._least_lately * LATELY:
            logger.error(
                "%(there)d of the last %(count)d pages are ok, and at least %(least).1f%% are "
                "wanted (CLOSESPIDER_OK_SHARE): the crawl stops. To go on, run it again without "
                "-O; what has failed is crawled again with -a retry=failed",
                {"there": there, "count": LATELY, "least": 100 * self._least_lately},
            )
            self._lately.clear()
            stop(self.crawler, "closespider_ok_share")

    async def engine_stopped(self) -> None:
        """Look at the table, and say what it does not come up to."""
        spider: Any = self.crawler.spider
        stats: Any = self.crawler.stats
        table = spider.ledger.primary
        if not spider.ledger.is_complete or not (self._ok_share or self._coverage or self._before):
            return
        if table is None or table.failure:
            logger.warning("The quality of a table that cannot be read again is not looked at")
            return
        columns = {*self._coverage, *(self._before.filled if self._before else ())}
        formulas = self.crawler.settings.getbool("CSV_FORMULAS")
        now = await asyncio.to_thread(quality_of, str(table.path), columns, formulas=formulas)
        found = list(
            shortcomings(
                now,
                ok_share=self._ok_share,
                coverage=self._coverage,
                before=self._before,
                drop=self._drop,
            )
        )
        stats.set_value("gates/ok_share", round(now.ok_share, 4))
        stats.set_value("gates/failed", len(found))
        for name, why in found:
            logger.error("Quality, %(name)s: %(why)s", {"name": name, "why": why})
        if not found:
            share = f"{now.ok_share:.1%}"
            logger.info("Quality: as wanted. %(share)s of the records are ok", {"share": share})


def _share(settings: Any, name: str) -> float:
    try:
        share = float(settings[name])
    except (TypeError, ValueError):
        share = -1.0
    if not 0 <= share <= 1:
        raise ArgumentError(f"setting {name}: must be a share from 0 to 1, not {settings[name]!r}")
    return share


def _coverage(given: Any, columns: list[str], own: list[str]) -> dict[str, float]:
    """Return the least share of pages with a value, by column."""
    try:
        wanted = json.loads(given) if isinstance(given, str) and given else given
    except ValueError:
        wanted = given
    name = "MIN_FIELD_COVERAGE"
    if not isinstance(wanted, dict):
        share = _share({name: wanted or 0}, name)
        if share and not own:
            raise ArgumentError(
                f"setting {name}: there are no fields. Name them with -a fields=fields.yaml, or "
                f"columns: -s {name}='{{\"title\": 0.9}}'"
            )
        return dict.fromkeys(own, share) if share else {}
    for column in wanted:
        if column not in columns:
            near = get_close_matches(column, columns, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ArgumentError(f"setting {name}: there is no column {column!r}.{hint}")
    return {column: _share({name: share}, name) for column, share in wanted.items()}


def _named(name: str, path: str, columns: list[str], *, formulas: bool) -> Quality:
    try:
        return quality_of(path, columns, formulas=formulas)
    except ArgumentError as error:
        raise ArgumentError(f"setting {name}: {error}") from error
