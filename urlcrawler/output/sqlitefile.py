"""The table in SQLite: `select outcome, count(*) from results group by outcome`."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from urlcrawler.exceptions import OutputError
from urlcrawler.output.cells import Kind
from urlcrawler.output.publication import FilePublication
from urlcrawler.output.scan import foreign
from urlcrawler.output.tables import JsonLines
from urlcrawler.output.typedrows import TypedRows

TABLE = "results"
# What a column is declared as. SQLite has no booleans: they are 0 and 1.
_TYPES = {"str": "TEXT", "int": "INTEGER", "float": "REAL", "bool": "BOOLEAN", "json": "JSON TEXT"}


class Sqlite(FilePublication):
    """Write rows into a new database, and read them back."""

    def __init__(self, kinds: Mapping[str, Kind], path: Path) -> None:
        """Take the columns, in their order, and where they go.

        Raises:
            OutputError: no database can hold them: two that differ in case alone, or too many.
        """
        self.working = JsonLines(list(kinds))
        self._rows = TypedRows(kinds)
        try:
            with closing(sqlite3.connect(":memory:")) as database:
                self._create(database)
        except sqlite3.Error as error:
            raise OutputError(f"-o {path}: SQLite cannot hold these columns: {error}") from error

    def write(self, rows: Path, new: Path) -> None:
        """Write the database."""
        places = ", ".join("?" * len(self._rows.kinds))
        new.unlink(missing_ok=True)  # left by a kill
        try:
            with closing(sqlite3.connect(new, isolation_level=None)) as database:
                database.execute("PRAGMA journal_mode = OFF")  # it is complete, or thrown away
                database.execute("PRAGMA synchronous = OFF")  # whoever renames it syncs it
                database.execute("BEGIN")
                self._create(database)
                insert = f"INSERT INTO {TABLE} VALUES ({places})"  # noqa: S608 - names are quoted
                database.executemany(insert, self._rows.read(rows))
                database.execute(f"CREATE INDEX {TABLE}_url ON {TABLE} (url)")
                database.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise OSError(0, str(error)) from error

    @classmethod
    def restore(cls, published: Path, rows: Path) -> None:
        """Write each row as it was before."""
        uri = f"{published.absolute().as_uri()}?mode=ro"
        try:
            with closing(sqlite3.connect(uri, uri=True)) as database, rows.open("wb") as lines:
                found = database.execute(f"SELECT * FROM {TABLE} ORDER BY position")  # noqa: S608
                kinds = kinds_in(database)
                format_ = JsonLines(list(kinds))
                for cells in found:
                    row = dict(zip(kinds, cells, strict=True))
                    values = {name: _back(cell, kinds[name]) for name, cell in row.items()}
                    lines.write(format_.encode(values))
        except (sqlite3.Error, ValueError, KeyError) as error:
            raise foreign(published) from error

    def _create(self, database: sqlite3.Connection) -> None:
        columns = [f"{_quoted(name)} {_TYPES[kind]}" for name, kind in self._rows.kinds.items()]
        columns[0] += " PRIMARY KEY"  # the position
        database.execute(f"CREATE TABLE {TABLE} ({', '.join(columns)})")


def kinds_in(database: sqlite3.Connection) -> dict[str, Kind]:
    """Return what each column of the table holds."""
    kinds = {type_: kind for kind, type_ in _TYPES.items()}
    declared = database.execute("SELECT name, type FROM pragma_table_info(?)", [TABLE])
    return {name: kinds[type_] for name, type_ in declared}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _back(cell: Any, kind: Kind) -> Any:
    if cell is None:
        return None
    if kind == "json":
        return json.loads(cell)
    return bool(cell) if kind == "bool" else cell
