"""Brings the table of a job from the server: complete, in order, or not at all."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp
from time import sleep
from typing import IO

from urlcrawler.exceptions import ArgumentError, OutputError, ServerError
from urlcrawler.output.ordering import merge
from urlcrawler.output.tablefile import sync_folder
from urlcrawler.output.tables import FORMATS, JsonLines
from urlcrawler.remote.server import PIECE, Server

_TRIES = 5  # in a row that have brought nothing
_PAUSE = 2.0  # seconds between two of them
_SUFFIXES = (".csv", ".jsonl", ".jl")


def check_place(path: Path, *, replaces: bool) -> None:
    """See that a table can be written at *path*, before anything is asked of a server.

    Raises:
        ArgumentError: another suffix.
        OutputError: there is a file already, or no place for one.
    """
    if path.suffix not in _SUFFIXES:
        raise ArgumentError(f"-o {path}: must end with .csv or .jsonl")
    if path.is_dir():
        raise OutputError(f"-o {path}: is a folder. Name a file inside it")
    if path.exists() and not replaces:
        raise OutputError(
            f"{path} is there already. Type -O {path} to replace it, or -o with another name"
        )
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: cannot be written: no permission in {folder}")


def fetch_table(
    server: Server,
    place: str,
    path: Path,
    rows: int,
    *,
    formulas: bool = False,
    signature: bool = False,
) -> None:
    """Write the table that the server has at *place* to *path*, in the format of its suffix.

    Args:
        rows: how many it must have.
        formulas, signature: as `output.tables.Format` has them.

    Raises:
        OutputError: it is not whole, or not there any more; nothing was written.
        ServerError: the server does not give it.
        OSError: no room; nothing was written.
    """
    path = path.resolve()  # a link stays one
    path.parent.mkdir(parents=True, exist_ok=True)
    # A folder of its own: somebody else may follow the same job, and fetch the same table.
    folder = Path(mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    fetched, written = folder / "fetched", folder / "written"
    try:
        with fetched.open("wb") as file:
            _download(lambda start: server.read(place, start), file)
        with fetched.open("rb") as file:
            found = JsonLines([]).read_header(file)
        if found is None or "position" not in found[0]:
            raise OutputError(f"{server.target.shown_url}/{place}: is no table of a crawl")
        columns = found[0]
        # Each record once and in order, whatever has happened there and on the way.
        merge([(fetched, False)], fetched, JsonLines(columns), rows=rows)
        target = FORMATS[path.suffix[1:]](columns, formulas=formulas, signature=signature)
        with fetched.open("rb") as file, written.open("wb", buffering=PIECE) as table:
            table.write(target.header())
            for line in file:
                table.write(target.encode(json.loads(line)))
            table.flush()
            os.fsync(table.fileno())
        written.replace(path)
        sync_folder(path)
    except FileNotFoundError as error:
        if error.filename:  # a file of ours
            raise
        raise OutputError(
            f"{server.target.shown_url}/{place}: is not there any more. scrapyd deletes old files "
            "when a job begins: set jobs_to_keep higher. Submit it again to crawl anew"
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _download(read: Callable[[int], Iterator[bytes]], file: IO[bytes]) -> None:
    """Write all of it to *file*, from where a connection broke off on, if one does."""
    tries = _TRIES
    while True:
        before = file.tell()
        try:
            for piece in read(before):
                file.write(piece)
            return
        except ServerError as error:
            tries = _TRIES if file.tell() > before else tries - 1
            if not error.is_passing or not tries:
                raise
            sleep(_PAUSE)
