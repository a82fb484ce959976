"""Puts a complete table into the order of the list, in bounded memory."""

import heapq
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import IO

from urlcrawler.exceptions import OutputError
from urlcrawler.output.tablefile import beside, sync_folder
from urlcrawler.output.tables import Format

_RUN = 64 << 20  # bytes of memory for rows that are sorted at a time
_OBJECTS = 150  # bytes that Python adds to a row
_WRITE = 1 << 20

Row = tuple[int, bytes]  # position and bytes


def put_in_order(
    path: Path,
    format_: Format,
    *,
    rows: int,
    newer: Path | None = None,
    in_order: bool = False,
) -> None:
    """Sort the rows of the table at *path* by position.

    An external merge: runs are sorted in memory and kept in temporary files beside the table, then
    merged. A kill at any moment leaves the table as it was, or in order.

    Args:
        path: the table.
        format_: of this one and of *newer*.
        rows: how many there must be at the end.
        newer: a table with rows that take the place of those in *path*.
        in_order: whether the rows in *path* are in order already.

    Raises:
        OSError: no room or no permission; the table is as it was.
        OutputError: the table is not what it should be; it is as it was.
    """
    path = path.resolve()  # a link stays one
    # The first of two rows of a record counts.
    sources = [(source, in_order and source is path) for source in (newer, path) if source]
    merge(sources, path, format_, rows=rows)


def merge(
    sources: Sequence[tuple[Path, bool]], path: Path, format_: Format, *, rows: int | None = None
) -> int:
    """Merge tables into one in the order of the list; return how many rows it has.

    The file takes its place in one step: a kill leaves what was there before, or all of it.

    Args:
        sources: tables, and whether their rows are in order. Of two rows of a record the first
            counts.
        path: where the result goes; it may be one of them.
        format_: of all of these.
        rows: how many there must be; None when there must be one for each record, from 1 on.

    Raises:
        OSError: no room or no permission; nothing has changed.
        OutputError: a table is not what it should be; nothing has changed.
    """
    ordered = beside(path, ".ordered")
    ordered.unlink(missing_ok=True)  # left by a kill; its room may be needed
    with ExitStack() as files:
        runs: list[Iterator[Row]] = []
        for source, in_order in sources:
            table = files.enter_context(source.open("rb"))
            found = _rows(table, format_)
            if in_order:
                runs.append(found)
            else:
                sorted_runs = _sorted_runs(found, path.parent)
                runs += [_read(files.enter_context(run)) for run in sorted_runs]
        merged = groupby(heapq.merge(*runs, key=itemgetter(0)), key=itemgetter(0))
        try:
            with ordered.open("wb", buffering=_WRITE) as file:
                file.write(format_.header())
                written = 0
                for position, same in merged:
                    file.write(next(same)[1])
                    written += 1
                    if rows is None and position != written:
                        raise OutputError(f"{path}: there is no row of record {written}")
                file.flush()
                os.fsync(file.fileno())
            if rows is not None and written != rows:
                raise OutputError(f"{path}: has {written} rows of {rows}")
            if path.exists():
                shutil.copymode(path, ordered)
            ordered.replace(path)
        except (OSError, OutputError):
            with suppress(OSError):  # what went wrong first is what is told
                ordered.unlink(missing_ok=True)
            raise
    sync_folder(path)
    return written


def _rows(table: IO[bytes], format_: Format) -> Iterator[Row]:
    found = format_.read_header(table)
    with Path(table.name).open("rb") as data:  # `table` is read on while rows are fetched
        for line in format_.lines(table, found[1]) if found else ():
            if isinstance(line, int):
                raise OutputError(f"{table.name}: what begins at byte {line} is no row")
            data.seek(line.start)
            yield line.position, data.read(line.end - line.start)


def _sorted_runs(rows: Iterable[Row], folder: Path) -> Iterator[IO[bytes]]:
    run: list[Row] = []
    size = 0
    for row in rows:
        run.append(row)
        size += len(row[1]) + _OBJECTS
        if size >= _RUN:
            yield _write(sorted(run), folder)
            run, size = [], 0
    yield _write(sorted(run), folder)


def _write(rows: Iterable[Row], folder: Path) -> IO[bytes]:
    run = tempfile.TemporaryFile(dir=folder, buffering=_WRITE)  # noqa: SIM115 - read later
    try:
        for position, data in rows:
            run.write(position.to_bytes(8, "big") + len(data).to_bytes(8, "big") + data)
        run.seek(0)
    except OSError:
        with suppress(OSError):  # what did not fit is tried once more
            run.close()
        raise
    return run


def _read(run: IO[bytes]) -> Iterator[Row]:
    while head := run.read(16):
        yield int.from_bytes(head[:8], "big"), run.read(int.from_bytes(head[8:], "big"))
