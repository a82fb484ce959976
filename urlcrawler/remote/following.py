"""Follows a job by its log, from when it begins to how it has ended."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic, sleep

from urlcrawler.exceptions import ServerError
from urlcrawler.remote.server import Jobs, Server

_PACE = 1.0  # seconds between two looks
_PATIENCE = 120.0  # seconds for which the server may not answer
_VANISHED = 15.0  # seconds in which the server does not know the job, and its log says nothing
_LOST = 5  # exit code of a job that has not come to its own end
_LAST = 4096  # bytes of the log of a job under way that are shown again


@dataclass(frozen=True)
class End:
    """How a job has ended.

    Attributes:
        code: its exit code, as that of `scrapy crawl`.
        rows, total: of how many records it has the row.
        why: a sentence when it has not said that itself.
    """

    code: int
    rows: int = 0
    total: int = 0
    why: str = ""


class Follower:
    """Reads the log of a job while it is written."""

    def __init__(self, server: Server, spider: str, job: str, say: Callable[[str], None]) -> None:
        """Follow *job*; *say* is given each line of its log."""
        self._server = server
        self._path = server.log_path(spider, job)
        self._spider, self._job = spider, job
        self._say = say
        # As the log has it: `spiders.job.BEGINS` and `ENDS`.
        name = re.escape(job)
        self._begins = re.compile(rf"\bJob {name} begins$")
        self._ends = re.compile(
            rf"\bJob {name} has ended: exit code (\d+), (\d+) of (\d+) records have their row$"
        )
        self._at = 0
        self._rest = b""
        self._is_torn = False  # what is read next begins in the middle of a line
        self._has_begun = False
        self._end: End | None = None
        self._before: frozenset[tuple[str, str]] = frozenset()

    def begin(self) -> Jobs:
        """Look at what there is before the job is scheduled; its earlier runs do not count."""
        jobs = self._server.jobs(self._spider, self._job)
        self._before = jobs.ended
        self._at = self._server.size(self._path)
        if jobs.running:
            self._at = max(0, self._at - _LAST)
            self._is_torn = self._at > 0
            self._has_begun = True
        return jobs

    def follow(self) -> End:
        """Say each line of the log until the job has ended.

        Raises:
            ServerError: the server has not answered for two minutes.
        """
        answered = there = monotonic()
        waits = -1
        while True:
            at = self._at
            try:
                jobs = self._server.jobs(self._spider, self._job)
                self._read()  # after that: what it says before it ends is read
                answered = monotonic()
            except ServerError as error:
                if not error.is_passing or monotonic() - answered > _PATIENCE:
                    raise
                self._say(f"{error} Trying again")
                sleep(_PACE * 5)
                continue
            is_there = jobs.pending or jobs.running
            if jobs.pending and jobs.before != waits:
                waits = jobs.before
                self._say(f"Waiting at the server, {waits} before it")
            if self._end and not is_there:
                return self._end
            if jobs.ended - self._before:
                return self._without_end()
            if is_there or self._at > at:  # the second: scrapyd was started anew, the job was not
                there = monotonic()
            elif monotonic() - there > _VANISHED:
                return self._vanished()
            sleep(_PACE)

    def _read(self) -> None:
        """Take what is new in the log."""
        try:
            size = self._server.size(self._path)
            if size < self._at:  # begun anew
                self._at, self._rest = 0, b""
            for piece in self._server.read(self._path, self._at) if size > self._at else ():
                self._at += len(piece)
                for line in self._lines(piece):
                    self._take(line)
        except FileNotFoundError:
            pass  # not begun

    def _lines(self, piece: bytes) -> Iterator[str]:
        *whole, self._rest = (self._rest + piece).split(b"\n")
        if self._is_torn and whole:
            self._is_torn = False
            del whole[0]
        for line in whole:
            yield line.decode("utf-8", errors="replace").rstrip("\r")

    def _take(self, line: str) -> None:
        if self._begins.search(line):
            self._has_begun, self._end = True, None
        elif found := self._ends.search(line):
            code, rows, total = map(int, found.groups())
            self._end = End(code, rows, total)
            return
        self._say(line)

    def _without_end(self) -> End:
        if not self._has_begun:
            return End(
                _LOST,
                why=f"Job {self._job} has ended without a beginning in its log: the version on "
                f"the server is older than this command, or is not loaded there. Type "
                f"{self._server.target.deploy_command}, or see the log of scrapyd itself",
            )
        return End(
            _LOST,
            why=f"Job {self._job} has ended in the middle: it was killed, or the machine had no "
            "memory left. See the log of scrapyd itself. Its rows so far are whole",
        )

    def _vanished(self) -> End:
        return End(
            _LOST,
            why=f"Job {self._job} has vanished from the server: scrapyd was started anew "
            "meanwhile, or could not start the job. See the log of scrapyd itself",
        )
