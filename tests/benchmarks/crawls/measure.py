"""Run a command, and say what it and its children took."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Taken:
    """What a command took: seconds, bytes, and requests in flight in the middle of the run."""

    wall: float
    cpu: float
    memory: int
    in_flight: int
    exit_code: int


def run(command: list[str], folder: Path, env: dict[str, str], in_flight: Callable[[], int],
        timeout: float) -> Taken:  # fmt: skip
    """Run *command* in *folder* to its end.

    Raises:
        RuntimeError: it takes longer than *timeout* seconds.
    """
    began = time.monotonic()
    log = (folder / "log.txt").open("wb")
    process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log)
    peaks, flights, over = [0], [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.25):
            peaks.append(_memory(process.pid))
            flights.append(in_flight())

    watcher = threading.Thread(target=watch)
    watcher.start()
    killer = threading.Timer(timeout, process.kill)
    killer.start()
    _, status, usage = os.wait4(process.pid, 0)  # its children are in it, once it has waited
    killer.cancel()
    wall = time.monotonic() - began
    over.set()
    watcher.join()
    log.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode == -9:
        raise RuntimeError(f"{command}: took longer than {timeout:g} s")
    middle = sorted(flights)[len(flights) // 4 :]
    return Taken(wall, usage.ru_utime + usage.ru_stime, max(peaks), int(median(middle)),
                 process.returncode)  # fmt: skip


def _memory(pid: int) -> int:
    """Return the bytes that a process and its children hold; shared ones count once each."""
    total, waiting = 0, [pid]
    while waiting:
        pid = waiting.pop()
        try:
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                waiting += map(int, children.read_text().split())
        except OSError:
            continue  # it has ended meanwhile
    return total
