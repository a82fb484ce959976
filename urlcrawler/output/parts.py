"""The parts of a table that several processes write, each the rows of its shard."""

import json
import shutil
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from urlcrawler.output.rows import Row
from urlcrawler.output.tablefile import beside

IS_CHILD = "URLCRAWLER_IS_CHILD"  # in the environment of the processes that write them
RUN = "run"  # the file that says for which run attempts on a cluster work: see processes.lifeline
_MOST = 1 << 20  # bytes that are read at a time


def folder_of(table: Path) -> Path:
    """Return where the parts of *table* are, while they are."""
    return beside(table, ".shards")


def left_over(table: Path) -> "list[Part]":
    """Return the parts that an interrupted crawl has left beside *table*."""
    return [Part(path) for path in sorted(folder_of(table).glob("*.jsonl"))]


def remove_parts(table: Path) -> None:
    """Remove them; of a crawl on a cluster a link leads to where they are."""
    folder = folder_of(table)
    if folder.is_symlink():
        # No further than there: what is a link itself is somebody else's doing, and stays.
        shutil.rmtree(folder.readlink(), ignore_errors=True)
        folder.unlink(missing_ok=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)


def call_off(table: Path) -> None:
    """Have the attempts that still work for an interrupted crawl on a cluster stop."""
    run = folder_of(table) / RUN
    if run.exists():
        run.unlink(missing_ok=True)


class Part:
    """A table in JSON Lines, of which each row is read once, while it grows.

    Attributes:
        path: where it is.
        taken: rows of it that belong to the crawl, so far.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.taken = 0
        self._read = 0  # bytes, whole lines

    @property
    def is_being_written(self) -> bool:
        """Whether a process has it; that of a parent which was killed may go on for a while."""
        lock = FileLock(beside(self.path, ".lock"))
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return True
        lock.release()
        return False

    def new_rows(self) -> list[Row]:
        """Return the rows that have come since the last time, or the first of them.

        A torn one is none yet: its process takes it away, or goes on with it.
        """
        try:
            with self.path.open("rb") as file:
                file.seek(self._read)
                data = file.read(_MOST)
                if b"\n" not in data:
                    data += file.readline()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        return [row for row in map(row_in, whole.splitlines()) if row is not None]


def row_in(line: bytes) -> Row | None:
    """Return the row that a line of a part holds; None when it is damaged, or something else."""
    try:
        values: Any = json.loads(line)
    except ValueError:
        return None
    is_row = isinstance(values, dict) and isinstance(values.get("position"), int)
    return Row(values) if is_row else None
