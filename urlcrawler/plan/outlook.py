"""What `scrapy plan` has found out, as text for people and as JSON."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from urlcrawler.hosts.estimate import CORES, HOST, NOTHING, PROCESSOR, WINDOW
from urlcrawler.printable import printable, without_credentials
from urlcrawler.progress.words import duration

_LONGEST = 100  # characters of a text of somebody's own


@dataclass
class Invalid:
    """A record that holds no URL: its number, its line if the list has lines, and why."""

    record: int
    line: int | None
    url: str
    reason: str


@dataclass
class HostOfList:
    """A host: its records, and how many of them are to be requested."""

    host: str
    records: int
    to_request: int


@dataclass
class EarlierRows:
    """The table: rows that are there, and how many of their records are crawled again.

    `begins` is `new`, `afresh` (-O) or `resumed`.
    """

    path: str
    begins: str
    rows: int = 0
    again: int = 0


@dataclass
class Silent:
    """An origin whose robots.txt is not to be had, so that its records cannot be requested."""

    origin: str
    records: int
    reason: str


@dataclass
class RobotsTxt:
    """What robots.txt says: files asked for, records forbidden, and what each host asks for."""

    files: int
    forbidden: int
    unreachable_origins: int
    unreachable_records: int
    unreachable: list[Silent]
    hosts_with_delay: int
    longest_delays: list[tuple[str, float]]


@dataclass
class Time:
    """How long it takes at the least, in seconds, and what decides that (see `hosts.estimate`).

    `host` and what follows are those of the host that takes longest; `delay_from` is None where it
    is not a delay that it takes so long for.
    """

    seconds: float
    decided_by: str
    window_seconds: float
    processor_seconds: float
    latency: float
    host: str | None = None
    host_seconds: float = 0.0
    host_records: int = 0
    host_latency: float = 0.0
    at_a_time: int = 0
    delay: float = 0.0
    delay_from: str | None = None


@dataclass
class Outlook:
    """All of it."""

    file: str
    records: int
    hosts: int
    duplicates: int
    invalid: int
    invalid_examples: list[Invalid]
    largest_hosts: list[HostOfList]
    table: EarlierRows | None
    to_request: int
    robots: RobotsTxt | None
    time: Time
    may_render: bool
    settings: dict[str, Any] = field(default_factory=dict)  # those that the time depends on

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """Yield the lines for people."""
        kind = "domain" if self.settings["THROTTLE_GROUP_BY"] == "domain" else "host"
        yield f"{shown(self.file)}: {count(self.records, 'record')}, {count(self.hosts, kind)}"
        yield from self._not_requested()
        yield ""
        if self.largest_hosts:
            yield "The largest hosts:"
        for one in self.largest_hosts:
            left = f" ({one.to_request:,} to go)" if one.to_request < one.records else ""
            yield f"{one.records:>12,}  {shown(one.host)}{left}"
        if self.largest_hosts:
            yield ""
        yield from self._table()
        yield from self._robots()
        yield f"{count(self.to_request, 'request')} to make"
        yield ""
        yield from self._time()

    def _not_requested(self) -> Iterator[str]:
        if self.duplicates:
            yield f"{self.duplicates:>12,}  duplicates: a row each, and no request"
        if self.invalid:
            yield f"{self.invalid:>12,}  invalid: a row each, and no request"
        for one in self.invalid_examples:
            line = f" (line {one.line:,})" if one.line else ""
            yield f"{'':14}record {one.record:,}{line}: {shown(one.url)!r}: {shown(one.reason)}"
        if self.invalid > len(self.invalid_examples):
            yield f"{'':14}... and {self.invalid - len(self.invalid_examples):,} more"

    def _table(self) -> Iterator[str]:
        table = self.table
        if table is None:
            yield "No table that can be taken up: every record is crawled"
        elif table.begins == "afresh":
            yield f"{shown(table.path)} begins anew (-O)"
        elif not table.rows:
            yield f"{shown(table.path)} has no row yet"
        else:
            again = f"; {table.again:,} of these are crawled again" if table.again else ""
            yield (
                f"{shown(table.path)} has the rows of {table.rows:,} records, which are skipped"
                f"{again}"
            )

    def _robots(self) -> Iterator[str]:
        robots = self.robots
        if robots is None:
            return
        yield (
            f"robots.txt of {count(robots.files, 'origin')} forbids "
            f"{count(robots.forbidden, 'record')}"
        )
        if robots.hosts_with_delay:
            yield f"{count(robots.hosts_with_delay, 'host')} with a delay between two requests:"
        for host, delay in robots.longest_delays:
            yield f"{delay:>10g} s  {shown(host)}"
        if robots.unreachable_origins:
            yield (
                f"{count(robots.unreachable_origins, 'origin')} with "
                f"{count(robots.unreachable_records, 'record')} without an answer to that:"
            )
        for one in robots.unreachable:
            yield f"{one.records:>12,}  {shown(one.origin)}: {shown(one.reason)}"

    def _time(self) -> Iterator[str]:
        time = self.time
        if time.decided_by == NOTHING:
            yield "Nothing is to be requested"
            return
        yield f"At the least {in_words(time.seconds)}. {self._why()}"
        others = {
            HOST: f"the slowest host alone takes {in_words(time.host_seconds)}",
            WINDOW: f"all pages in {self.settings['CONCURRENT_REQUESTS']:,} requests at a time "
            f"take {in_words(time.window_seconds)}",
            CORES: f"the processor takes {in_words(time.processor_seconds)}",
        }
        rest = [text for name, text in others.items() if name != time.decided_by]
        words = "; ".join(rest)
        yield words[0].upper() + words[1:]
        measured = ", more where robots.txt has taken longer" if self.robots else ""
        yield (
            f"That is with {time.latency:g} s a page{measured}, and with no retry, refusal or slow "
            "page"
        )
        if self.may_render:
            yield "Pages in the browser take longer: that is not in it"
        if self.settings["THROTTLE_GROUP_BY"] == "ip":
            yield "Which hosts share an address is not known yet: those take longer"

    def _why(self) -> str:
        """Return what decides how long it takes."""
        time = self.time
        if time.decided_by == HOST:
            return f"{shown(time.host or '')} decides: {self._pace()}"
        if time.decided_by == WINDOW:
            window = self.settings["CONCURRENT_REQUESTS"]
            return f"{window:,} requests at a time decide (CONCURRENT_REQUESTS)"
        return (
            f"The processor decides: about {PROCESSOR * 1000:g} ms a page, in "
            f"{count(self.settings['PROCESSES'], 'process')} (PROCESSES)"
        )

    def _pace(self) -> str:
        time = self.time
        records = count(time.host_records, "record")
        if time.delay_from:
            how = f"at one every {time.delay:g} s ({time.delay_from})"
        else:
            how = f"at {time.host_latency:.2g} s each, {time.at_a_time:,} at a time at most,"
        return f"{records} {how} take {in_words(time.host_seconds)}"


def count(number: int, what: str) -> str:
    """Return a number with its noun, in the plural where that is due."""
    plural = f"{what}es" if what.endswith("s") else f"{what}s"
    return f"{number:,} {what if number == 1 else plural}"


def in_words(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 1:
        return "under a second"
    return duration(seconds)


def shown(text: str) -> str:
    """Return a text of somebody's own as it may come to a terminal, in one line."""
    text = without_credentials(text)
    short = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return printable(short).replace("\n", "\\n").replace("\t", "\\t")
