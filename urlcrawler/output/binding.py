"""What binds a table to its list: a small hidden file beside it, which may be lost.

Every row is compared with its record in any case: that costs little, and a table may have been put
in the place of another. With this file it can be said what has changed, the list or the table.
"""

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from urlcrawler.exceptions import OutputError
from urlcrawler.output.tablefile import beside

VERSION = 1  # of the way tables are written; a later one knows the earlier ones


@dataclass(frozen=True)
class Binding:
    """What a table was begun with.

    Attributes:
        version: of the way the table is written.
        columns: names of its columns.
        list_bytes: size of the list, unpacked.
        list_sha256: hash of its content, unpacked.
        fields_sha256: hash of the fields file that its first rows were made with, "" without one.
    """

    version: int
    columns: list[str]
    list_bytes: int
    list_sha256: str
    fields_sha256: str = ""

    @classmethod
    def of(cls, list_file: Any, columns: list[str], fields: str | None = None) -> "Binding":
        """Describe a table of *columns*; the binary *list_file* is read as a whole.

        *fields* is the path of the fields file.
        """
        list_file.seek(0)
        digest = hashlib.file_digest(list_file, "sha256").hexdigest()
        of_fields = hashlib.sha256(Path(fields).expanduser().read_bytes()) if fields else None
        size = os.fstat(list_file.fileno()).st_size
        return cls(VERSION, columns, size, digest, of_fields.hexdigest() if of_fields else "")

    def save(self, table: Path) -> None:
        """Keep this beside *table*; where that is not possible, it is done without."""
        path, new = _place(table), beside(table, ".meta.new")
        try:
            new.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
            new.replace(path)
        except OSError:
            with suppress(OSError):
                new.unlink(missing_ok=True)


def saved(table: Path) -> Binding | None:
    """Return what *table* was begun with; None when that is lost or not readable.

    Raises:
        OutputError: a later version of the project has written the table.
    """
    try:
        values = json.loads(_place(table).read_bytes())
        if values["version"] > VERSION:
            raise OutputError(
                f"{table}: was begun by a later version of urlcrawler. Use that one, or type "
                f"-O {table} to start afresh"
            )
        return Binding(**values)
    except (OSError, ValueError, TypeError, KeyError):
        return None  # half of it after a power cut, or somebody's own file


def _place(table: Path) -> Path:
    return beside(table, ".meta.json")
