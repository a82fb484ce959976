"""Crawls a shard on a machine of a cluster. A worker of Dask imports this module, and runs it.

An attempt is an ordinary crawl of the shard into a table of its own, in a folder that all machines
see. It begins with the rows that earlier attempts have, and at the end its table takes the place
of the shard's in one step, if no other attempt's has: so it does not matter how many there are,
which of them are killed, and whether one is thought dead that is not.
"""

import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import TypedDict
from uuid import uuid4

from urlcrawler.output.parts import IS_CHILD, Part, row_in
from urlcrawler.output.tablefile import beside, sync_folder
from urlcrawler.processes.child import MOST_DEATHS, PATIENCE
from urlcrawler.processes.lifeline import Hold

ATTEMPT = "{attempt}"  # in the words of an order: the name of the attempt
ABANDONED = -1000  # what it ends with when nobody waits for it any more

_PAUSE = 0.5  # seconds between two looks at the crawl
_LOOK = 2.0  # seconds between two looks at the lifeline
_HOSTS = ".hosts.csv"
_LINES = 10  # of the log, that are told
_ENDS = (0, 1, 4, 5, 75, ABANDONED)  # with these another try would not bring more


class Order(TypedDict):
    """What an attempt is to do.

    Attributes:
        run: the name of the run that it is for.
        name: of the shard, as in the names of files.
        records: how many it has that have no row yet.
        folder: that all machines see.
        cwd: where the crawl was started.
        project: module of its settings.
        words: of the command, without the interpreter.
    """

    run: str
    name: str
    records: int
    folder: str
    cwd: str
    project: str
    words: list[str]


class Result(TypedDict):
    """How it has ended.

    Attributes:
        code: exit code; ABANDONED when the crawl that it was for is over.
        log: the last lines, from warnings on.
    """

    code: int
    log: list[str]


def crawl_shard(order: Order) -> Result:
    """Crawl a shard, or what earlier attempts have left of it."""
    where = f"{socket.gethostname()}, process {os.getpid()}"
    hold = Hold(Path(order["folder"]), order["run"])
    if not hold.is_there:
        why = f"{where}: {order['folder']} is not that of the crawl. All machines must see it"
        return Result(code=1, log=[why])
    if not Path(order["cwd"]).is_dir():
        return Result(code=1, log=[f"{where}: there is no folder {order['cwd']} on that machine"])
    attempt = _Attempt(order, hold)
    if attempt.is_done():
        return Result(code=0, log=[])
    try:
        code = _crawl(attempt)
    except OSError as error:
        return Result(code=4, log=[f"{where}: {error}"])
    return Result(code=code, log=[f"{where}: {line}" for line in attempt.last_lines()])


def _crawl(attempt: "_Attempt") -> int:
    rows, deaths = attempt.begin(), 0
    while (code := attempt.run()) not in _ENDS:
        before, rows = rows, attempt.rows()
        deaths = 1 if rows > before else deaths + 1
        if deaths == MOST_DEATHS:
            break
    if code == 0:
        code = attempt.commit()
    # Perhaps by another one, which has taken away the table of this one.
    return 0 if attempt.is_done() else code


class _Attempt:
    """One try at a shard."""

    def __init__(self, order: Order, hold: Hold) -> None:
        self._order, self._hold = order, hold
        self._folder = Path(order["folder"])
        self._whole = self._folder / f"{order['name']}.jsonl"
        name = uuid4().hex[:12]
        self._table = self._folder / f"{order['name']}.{name}.jsonl"
        self._log = self._folder / f"{order['name']}.{name}.log"
        self._words = [word.replace(ATTEMPT, name) for word in order["words"]]

    def is_done(self) -> bool:
        """Return whether another attempt has done it."""
        return self._whole.exists()

    def begin(self) -> int:
        """Take over what earlier attempts have, after they have come to their end; return how many
        rows these are.

        The crawl of a worker that was killed finishes its pages; on the machine of one that is
        lost there may be nobody to let go of the lock.
        """
        earlier = [Part(path) for path in self._folder.glob(f"{self._order['name']}.*.jsonl")]
        until = monotonic() + PATIENCE
        while any(part.is_being_written for part in earlier) and monotonic() < until:
            sleep(_PAUSE)
        seen: set[int] = set()
        with self._table.open("wb") as table:
            for part in earlier:
                for line, position in _lines(part.path):
                    if position not in seen:
                        seen.add(position)
                        table.write(line)
            table.flush()
            os.fsync(table.fileno())
        return len(seen)

    def rows(self) -> int:
        """Return how many rows the table has."""
        return len({position for _, position in _lines(self._table)})

    def run(self) -> int:
        """Crawl, and return the exit code."""
        if not self._hold.is_firm:
            return ABANDONED
        order, look_at = self._order, monotonic()
        environment = {**os.environ, IS_CHILD: "1", "SCRAPY_SETTINGS_MODULE": order["project"]}
        with (
            self._log.open("ab") as log,
            subprocess.Popen(  # noqa: S603 - a crawl of ours
                [sys.executable, *self._words],
                stdin=subprocess.PIPE,  # its end tells the crawl that this process is gone
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd=order["cwd"],
                env=environment,
                start_new_session=True,
            ) as process,
        ):
            is_over, kill_at = False, 0.0
            while process.poll() is None:
                if not is_over and monotonic() >= look_at:
                    is_over, look_at = not self._hold.is_firm, monotonic() + _LOOK
                    if is_over and process.stdin:
                        process.stdin.close()
                        kill_at = monotonic() + PATIENCE
                if is_over and monotonic() > kill_at:
                    process.kill()
                sleep(_PAUSE)
            return ABANDONED if is_over else process.returncode

    def commit(self) -> int:
        """Put the table where that of the shard is to be; return the exit code of the attempt.

        It counts its rows, is durable, and gets its name in one step: no more than one attempt's
        does.
        """
        if self.rows() != self._order["records"]:
            return 5
        if not self._hold.is_firm:  # the folder may be that of another run by now
            return ABANDONED
        # Another one may be first: it has the same records, and takes this table away.
        with suppress(FileExistsError, FileNotFoundError):
            fd = os.open(self._table, os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
            os.link(self._table, self._whole)
            with suppress(OSError):
                beside(self._table, _HOSTS).replace(beside(self._whole, _HOSTS))
        for path in self._folder.glob(f"{self._order['name']}.*.jsonl"):
            path.unlink(missing_ok=True)
        sync_folder(self._whole)
        return 0

    def last_lines(self) -> list[str]:
        """Return the last lines that the crawl has logged."""
        with suppress(OSError), self._log.open(encoding="utf-8", errors="replace") as file:
            return [line.rstrip("\n") for line in deque(file, _LINES)]
        return []


def _lines(path: Path) -> Iterator[tuple[bytes, int]]:
    """Yield whole rows and their positions; a torn or damaged one is none."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n") and (row := row_in(line)) is not None:
                yield line, row["position"]
