"""A cluster of Dask as its users start it: a scheduler and workers, each a process."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from crawling import ENVIRONMENT

_SCHEDULER = "distributed.cli.dask_scheduler"
_WORKER = "distributed.cli.dask_worker"


class Cluster:
    """Processes on this machine, which all see its disk."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.folder = folder
        self.scheduler_file = folder / "scheduler.json"
        self.schedulers: list[subprocess.Popen[bytes]] = []
        self.workers: list[subprocess.Popen[bytes]] = []
        # Workers see neither where crawls are started nor which project they are of.
        self.env = {**ENVIRONMENT, **env}
        self.env.pop("SCRAPY_SETTINGS_MODULE")

    def start_scheduler(self, port: int = 0, *words: str) -> subprocess.Popen[bytes]:
        self.scheduler_file.unlink(missing_ok=True)
        where = ("--host", "127.0.0.1", "--port", str(port))
        process = self._start(_SCHEDULER, *where, *words)
        self.schedulers.append(process)
        deadline = time.monotonic() + 30
        while not self.scheduler_file.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.1)  # it is written in one go, but not put there in one
        return process

    def start_worker(self, *words: str) -> subprocess.Popen[bytes]:
        process = self._start(_WORKER, "--nthreads", "1", *(words or ("--no-nanny",)))
        self.workers.append(process)
        return process

    def _start(self, module: str, *words: str) -> subprocess.Popen[bytes]:
        place = ("--scheduler-file", str(self.scheduler_file), "--no-dashboard")
        with (self.folder / f"{module}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", module, *place, *words],
                cwd=self.folder, env=self.env, stdout=log, stderr=log,
            )  # fmt: skip

    @property
    def address(self) -> str:
        address: str = json.loads(self.scheduler_file.read_text())["address"]
        return address


@contextmanager
def cluster(
    folder: Path,
    workers: int = 2,
    env: Mapping[str, str] | None = None,
    words: tuple[str, ...] = (),
) -> Iterator[Cluster]:
    """A scheduler and so many workers of one thread each, for as long as the block runs."""
    place = folder / "cluster"
    place.mkdir()
    started = Cluster(place, env or {})
    try:
        started.start_scheduler(0, *words)
        for _ in range(workers):
            started.start_worker()
        yield started
    finally:
        for process in [*started.workers, *started.schedulers]:
            process.kill()
            process.wait()


def started_by(pid: int) -> set[int]:
    """Return the processes that *pid* has started, and theirs. Linux only."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found |= {child} | started_by(child)
    return found
