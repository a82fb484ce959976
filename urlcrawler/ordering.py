"""Puts a complete table into the order of the list, in bounded memory."""

import heapq
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from urlcrawler.tablefile import beside, sync_folder
from urlcrawler.tables import Format

_RUN = 64 << 20  # bytes of rows that are sorted in memory at a time
_WRITE = 1 << 20

Row = tuple[int, bytes]  # position and bytes


def put_in_order(path: Path, format_: Format) -> bool:
    """Sort the rows of the table at *path* by position; return whether it was necessary.

    An external merge: runs are sorted in memory and kept in temporary files beside the table, then
    merged into a new file that takes the place of the table in one step. A kill at any moment
    leaves the table as it was, or in order.

    Raises:
        OSError: no room or no permission; the table is as it was.
    """
    with path.open("rb") as table:
        if _is_in_order(table, format_):
            return False
        runs = [*_sorted_runs(table, format_, path.parent)]
    ordered = beside(path, ".ordered")
    try:
        with ordered.open("wb", buffering=_WRITE) as file:
            file.write(format_.header())
            file.writelines(data for _, data in heapq.merge(*map(_read_run, runs)))
            file.flush()
            os.fsync(file.fileno())
        ordered.replace(path)
    except OSError:
        ordered.unlink(missing_ok=True)
        raise
    finally:
        for run in runs:
            run.close()
    sync_folder(path)
    return True


def _is_in_order(table: IO[bytes], format_: Format) -> bool:
    last = 0
    for line in _lines(table, format_):
        if line[0] < last:
            return False
        last = line[0]
    return True


def _lines(table: IO[bytes], format_: Format) -> Iterator[tuple[int, int, int]]:
    """Yield position, first byte and the byte after the last of each row."""
    found = format_.read_header(table)
    for line in format_.lines(table, found[1]) if found else ():
        if not isinstance(line, int):
            yield line.position, line.start, line.end


def _sorted_runs(table: IO[bytes], format_: Format, folder: Path) -> Iterator[IO[bytes]]:
    rows: list[Row] = []
    size = 0
    with Path(table.name).open("rb") as data:  # `table` is read on while rows are fetched
        for position, start, end in _lines(table, format_):
            data.seek(start)
            rows.append((position, data.read(end - start)))
            size += end - start
            if size >= _RUN:
                yield _write_run(sorted(rows), folder)
                rows, size = [], 0
    yield _write_run(sorted(rows), folder)


def _write_run(rows: Iterable[Row], folder: Path) -> IO[bytes]:
    run = tempfile.TemporaryFile(dir=folder, buffering=_WRITE)  # noqa: SIM115 - read later
    for position, data in rows:
        run.write(position.to_bytes(8, "big") + len(data).to_bytes(8, "big") + data)
    run.seek(0)
    return run


def _read_run(run: IO[bytes]) -> Iterator[Row]:
    while head := run.read(16):
        yield int.from_bytes(head[:8], "big"), run.read(int.from_bytes(head[8:], "big"))
