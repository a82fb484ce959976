"""The rows of what waits for an origin that is given up."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from twisted.python.failure import Failure

from urlcrawler.hosts.origin import Origin
from urlcrawler.hosts.queue import HostQueue, Turn
from urlcrawler.inputs.records import Record
from urlcrawler.items import Page, status_reason
from urlcrawler.meta import RECORD
from urlcrawler.outcomes import ERRORS

logger = logging.getLogger(__name__)

_AT_ONCE = 50  # rows before the event loop has its turn again


class WriteOff:
    """Write them at once, but not at the cost of the other hosts."""

    def __init__(self, spider: Any, hosts: HostQueue[Request], wake: Callable[[], None]) -> None:
        self._spider = spider
        self._hosts = hosts
        self._wake = wake  # lets the engine see that nothing waits any more
        self._tasks: set[asyncio.Future[None]] = set()
        self._is_closed = False

    def start(self, origin: Origin[Request]) -> None:
        """Begin with the rows of *origin*."""
        task = asyncio.ensure_future(self._write(origin))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Leave what has no row yet to the next run."""
        self._is_closed = True

    async def _write(self, origin: Origin[Request]) -> None:
        host, circuit = origin.host, origin.circuit
        if not origin.was_given_up:
            origin.was_given_up = True
            logger.warning(
                "%(origin)s is given up: %(why)s. Its other records get their rows",
                {"origin": origin.name, "why": circuit.reason},
            )
        host.usage.given_up = circuit.cause or "host-down"
        others: list[Request] = []
        count = 0
        while not self._is_closed and (turn := self._hosts.write_off(origin)):
            request = turn.request
            record = turn.record.record if turn.record else request and request.meta.get(RECORD)
            if isinstance(record, Record):
                self._row(record, turn, circuit.reason)
                count += 1
                if not count % _AT_ONCE:
                    await asyncio.sleep(0)
            elif request is not None:
                others.append(request)
        origin.is_given_up = circuit.is_exhausted = False
        for request in others if not self._is_closed else ():
            self._fail(request, circuit.reason)
        self._hosts.changed(origin)
        if not self._is_closed:
            self._wake()

    def _fail(self, request: Request, reason: str) -> None:
        """Let a request that is for no record fail without being sent."""
        error = IgnoreRequest(f"not requested: {reason}")
        failure = Failure(error)  # type: ignore[no-untyped-call]
        self._spider.crawler.engine.scraper.enqueue_scrape(failure, request)

    def _row(self, record: Record, turn: Turn[Request], reason: str) -> None:
        """Write the row of a record; one that was requested before has its own reason."""
        page, request = Page.of(record), turn.request
        if request is not None and (failure := request.meta.get("failure")):
            error, why, page.status = failure
            page.requested(request, waits=True).fail(error, why)
            page.final_url = request.url if page.status else None
        elif turn.attempts:
            page.attempts, error, page.status = self._hosts.remaining.last_round.deferred(
                record.position
            )
            page.redirects = 0
            page.fail(error, status_reason(page.status) if page.status else ERRORS[error].meaning)
        else:
            page.fail("host-down", reason)
        self._spider.ledger.hand_out(record.position)
        self._spider.write_row(page)
