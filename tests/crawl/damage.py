"""What a kill, or a power cut, may leave of a table."""

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path


def cut_tail(table: Path, chance: random.Random) -> None:
    """Take some bytes away, as if the last rows had not been finished."""
    size = table.stat().st_size
    os.truncate(table, max(0, size - chance.randrange(1, 2000)))


def nul_tail(table: Path, chance: random.Random) -> None:
    """Append zeros, as a power cut does on some file systems."""
    with table.open("ab") as file:
        file.write(b"\0" * chance.randrange(1, 5000))


def garbage_tail(table: Path, chance: random.Random) -> None:
    """Append what was never a row."""
    with table.open("ab") as file:
        file.write(chance.randbytes(chance.randrange(1, 2000)))


def nothing(table: Path, chance: random.Random) -> None:
    """Leave the table as the kill has left it."""


Damage = Callable[[Path, random.Random], None]
WAYS: dict[str, tuple[list[signal.Signals], Damage]] = {
    "KILL": ([signal.SIGKILL], nothing),
    "TERM": ([signal.SIGTERM], nothing),
    "TERM twice": ([signal.SIGTERM, signal.SIGTERM], nothing),
    "INT": ([signal.SIGINT], nothing),
    "KILL, cut tail": ([signal.SIGKILL], cut_tail),
    "KILL, NUL tail": ([signal.SIGKILL], nul_tail),
    "KILL, garbage tail": ([signal.SIGKILL], garbage_tail),
}


def shuffle_rows(table: Path, chance: random.Random) -> None:
    """Leave a complete table as a crawl does before it is put in order."""
    lines = table.read_bytes().splitlines(keepends=True)
    rows = lines[table.suffix == ".csv" :]
    chance.shuffle(rows)
    table.write_bytes(b"".join([*lines[: table.suffix == ".csv"], *rows]))
