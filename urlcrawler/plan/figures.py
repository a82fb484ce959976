"""The figures of a list: what a crawl of it has before it."""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scrapy.crawler import Crawler

from urlcrawler.exceptions import InvalidUrl
from urlcrawler.hosts.census import Census
from urlcrawler.hosts.estimate import Estimate, Load, estimate
from urlcrawler.hosts.groups import Groups
from urlcrawler.hostsettings import OwnManners, manners_of
from urlcrawler.inputs.building import DUPLICATE, INVALID
from urlcrawler.inputs.grouping import slices
from urlcrawler.plan.outlook import (
    EarlierRows,
    HostOfList,
    Invalid,
    Outlook,
    RobotsTxt,
    Silent,
    Time,
)
from urlcrawler.plan.robotsfiles import Findings
from urlcrawler.printable import without_credentials
from urlcrawler.spiders.looking import Taken

_LARGEST = 10  # hosts that are shown
_EXAMPLES = 5  # invalid records that are shown
_BLOCK = 1 << 20


class Figures:
    """What is known of a list and its table, in arrays.

    Attributes:
        wanted: by position, from 0 on, whether a record has no row yet.
        sizes: for each origin how many records are to be requested.
        census: the hosts.
    """

    def __init__(
        self, crawler: Crawler, spider: Any, outside: NDArray[np.bool_], latency: float
    ) -> None:
        """Count.

        Args:
            spider: with its list, and in its ledger what the table has.
            outside: by position, from 0 on, whether a record is left to other shards.
            latency: seconds that a page takes.
        """
        self._spider, self._outside, self._latency = spider, outside, latency
        self._settings = settings = crawler.settings
        self._index = index = spider.index
        self.wanted = ~spider.ledger.done()
        self.sizes = index.sizes(~self.wanted)
        self._all = index.sizes(outside)
        self.census = Census(index, self._all, Groups(settings["THROTTLE_GROUP_BY"]).name)

    def outlook(self, taken: Taken, found: Findings | None) -> Outlook:
        """Return all of it, with what was *taken* of the table and *found* in robots.txt."""
        sizes = self.sizes - found.forbidden - found.unreachable if found else self.sizes
        records, to_request = self.census.records(self._all), self.census.records(sizes)
        kinds = self._kinds()
        settings = self._settings
        return Outlook(
            file=self._spider.given["file"],
            records=int(np.count_nonzero(~self._outside)),
            hosts=len(self.census),
            duplicates=kinds[DUPLICATE],
            invalid=kinds[INVALID],
            invalid_examples=list(self._examples()),
            largest_hosts=[
                HostOfList(self.census.name(int(n)), int(records[n]), int(to_request[n]))
                for n in self.census.largest(records, _LARGEST)
            ],
            table=_earlier(taken),
            to_request=int(to_request.sum()),
            robots=self._robots(found) if found else None,
            time=self._time(to_request, found),
            may_render=self._spider.may_render,
            settings={
                "THROTTLE_GROUP_BY": settings["THROTTLE_GROUP_BY"],
                "CONCURRENT_REQUESTS": settings.getint("CONCURRENT_REQUESTS"),
                "PROCESSES": settings.getint("PROCESSES"),
            },
        )

    def _kinds(self) -> dict[int, int]:
        """Return how many records are invalid, and duplicates."""
        counts = dict.fromkeys((INVALID, DUPLICATE), 0)
        for part in slices(len(self._index), overlap=0):
            origins = self._index.origins[part][~self._outside[part]]
            for kind in counts:
                counts[kind] += int(np.count_nonzero(origins == kind))
        return counts

    def _examples(self) -> Iterator[Invalid]:
        """Yield the first invalid records."""
        places: list[int] = []
        for part in slices(len(self._index), overlap=0):
            invalid = (self._index.origins[part] == INVALID) & ~self._outside[part]
            places += [part.start + int(place) for place in np.flatnonzero(invalid)]
            if len(places) >= _EXAMPLES:
                break
        places = places[:_EXAMPLES]
        lines = self._lines_of([int(self._index.arrays.offsets[place]) for place in places])
        for place, line in zip(places, lines, strict=True):
            record, why = self._index.resolve(place + 1)
            reason = str(why) if isinstance(why, InvalidUrl) else ""
            url = without_credentials(record.url)
            yield Invalid(record.position, line, url, without_credentials(reason))

    def _lines_of(self, offsets: list[int]) -> list[int | None]:
        """Return the number of the line that begins at each of *offsets*, which are in order."""
        source = self._spider.source
        if source.is_converted:
            return [None] * len(offsets)
        lines: list[int | None] = []
        source.file.seek(0)
        number = at = 0
        for offset in offsets:
            while at < offset:
                block = source.file.read(min(_BLOCK, offset - at))
                if not block:
                    break
                number, at = number + block.count(b"\n"), at + len(block)
            lines.append(number + 1)
        return lines

    def _robots(self, found: Findings) -> RobotsTxt:
        longest = self.census.largest(found.asked, _LARGEST)
        return RobotsTxt(
            files=found.files,
            forbidden=int(found.forbidden.sum()),
            unreachable_origins=found.silent_count,
            unreachable_records=int(found.unreachable.sum()),
            unreachable=[Silent(*one) for one in found.silent],
            hosts_with_delay=int(np.count_nonzero(found.asked)),
            longest_delays=[
                (self.census.name(int(n)), round(float(found.asked[n]), 3))
                for n in longest
                if found.asked[n]
            ],
        )

    def _time(self, to_request: NDArray[np.int64], found: Findings | None) -> Time:
        settings = self._settings
        processes = min(settings.getint("PROCESSES"), os.cpu_count() or 1)
        result = estimate(
            self._loads(to_request, found),
            window=settings.getint("CONCURRENT_REQUESTS"),
            processes=processes,
        )
        time = Time(
            round(result.seconds, 1), result.decided_by, round(result.window, 1),
            round(result.processor, 1), self._latency,
        )  # fmt: skip
        return self._with_host(time, result)

    def _loads(self, to_request: NDArray[np.int64], found: Findings | None) -> Iterator[Load]:
        manners = manners_of(self._settings)
        others = OwnManners(self._settings, manners, None, 1)
        own = {self.census.number(name): others[name] for name in others}
        for number in np.flatnonzero(to_request):
            host = int(number)
            # A file is soon sent, a page may have to be made: so it never takes less than is said.
            latency = max(self._latency, float(found.latency[host]) if found else 0.0)
            asked = float(found.asked[host]) if found else 0.0
            yield Load(host, int(to_request[host]), own.get(host, manners), latency, asked)

    def _with_host(self, time: Time, result: Estimate) -> Time:
        """Fill in the host that takes longest."""
        if load := result.slowest:
            time.host, time.host_seconds = self.census.name(load.host), round(load.seconds, 1)
            time.host_records, time.host_latency = load.records, round(load.latency, 3)
            time.at_a_time, time.delay = load.manners.ceiling, round(load.delay, 3)
            if load.is_paced:
                slots = self._settings.getdict("DOWNLOAD_SLOTS")
                is_asked = load.asked > load.manners.delay
                own = "DOWNLOAD_SLOTS" if "delay" in slots.get(time.host, {}) else "DOWNLOAD_DELAY"
                time.delay_from = "robots.txt" if is_asked else own
        return time


def _earlier(taken: Taken) -> EarlierRows | None:
    if taken.path is None:
        return None
    begins = "afresh" if taken.is_afresh else "resumed" if taken.rows else "new"
    return EarlierRows(str(taken.path), begins, taken.rows, taken.again)
