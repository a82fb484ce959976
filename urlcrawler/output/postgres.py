"""The table in PostgreSQL: one row for each record of each list, upserted when it is complete."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from urlcrawler.exceptions import OutputError
from urlcrawler.output.cells import Kind
from urlcrawler.output.database import table_in
from urlcrawler.output.publication import Publication
from urlcrawler.output.tables import JsonLines
from urlcrawler.output.typedrows import TypedRows
from urlcrawler.printable import without_credentials

LIST = "list"  # the column with the name of the list
_TYPES = {"str": "text", "int": "bigint", "float": "double precision", "bool": "boolean",
          "json": "jsonb", "time": "timestamptz"}  # fmt: skip

Connection = psycopg.Connection[tuple[Any, ...]]


class Postgres(Publication):
    """Write the rows of a list into a table that other lists may share.

    It is made when it is not there, and gets the columns that it lacks. What is published counts
    for the list only: rows of other lists are left alone.
    """

    def __init__(
        self, uri: str, list_name: str, kinds: Mapping[str, Kind], *, looks: bool = False
    ) -> None:
        """Connect, and see that the table can hold the rows.

        Args:
            uri: see `database`.
            list_name: what stands in the column `list`.
            kinds: of the columns, in their order.
            looks: whether nothing is to be made or altered.

        Raises:
            OutputError: there is no connection, or the table has other types.
        """
        self.working = JsonLines(list(kinds))
        self._address, table = table_in(uri)
        self._table = _identifier(table)
        self._shown = without_credentials(uri)
        self._list = list_name
        if LIST in kinds:
            raise OutputError(
                f"-o {self._shown}: the column {LIST!r} says there which list a row is of, and "
                "this list has one too. Rename it"
            )
        self._rows = TypedRows({**kinds, "fetched_at": "time"})
        try:
            with self._connected() as connection:
                there = self._check(connection)
                if not looks:
                    self._prepare(connection, there)
        except psycopg.Error as error:
            raise OutputError(f"-o {self._shown}: {_first_line(error)}") from error

    def is_there(self, path: Path) -> bool:
        """Return whether the table has rows of the list."""
        try:
            with self._connected() as connection:
                if not self._exists(connection):
                    return False
                query = sql.SQL("SELECT FROM {} WHERE {} = %s LIMIT 1")
                return self._execute(connection, query).fetchone() is not None
        except psycopg.Error as error:
            raise OSError(0, _first_line(error)) from error

    def publish(self, rows: Path, path: Path) -> None:
        """Copy all rows into a temporary table, and upsert from there, in one transaction."""
        names = [LIST, *self._rows.kinds]
        columns = sql.SQL(", ").join(map(sql.Identifier, names))
        changes = sql.SQL(", ").join(
            sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in names[2:]
        )
        table = self._table
        try:
            with self._connected() as connection, connection.cursor() as cursor:
                cursor.execute(
                    sql.SQL("CREATE TEMP TABLE fresh ON COMMIT DROP AS SELECT {} FROM {} LIMIT 0")
                    .format(columns, table)
                )  # fmt: skip
                with cursor.copy(sql.SQL("COPY fresh ({}) FROM STDIN").format(columns)) as copy:
                    for values in self._rows.read(rows):
                        copy.write_row([self._list, *values])
                cursor.execute(
                    sql.SQL(
                        "INSERT INTO {0} ({1}) SELECT {1} FROM fresh "
                        "ON CONFLICT ({2}, position) DO UPDATE SET {3}"
                    ).format(table, columns, sql.Identifier(LIST), changes)
                )
                cursor.execute(
                    sql.SQL(
                        "DELETE FROM {0} WHERE {1} = %s AND position NOT IN "
                        "(SELECT position FROM fresh)"
                    ).format(table, sql.Identifier(LIST)),
                    [self._list],
                )
        except psycopg.Error as error:
            raise OSError(0, _first_line(error)) from error

    def take_back(self, path: Path, rows: Path) -> None:
        """Read the rows of the list, a few thousand at a time."""
        columns = sql.SQL(", ").join(map(sql.Identifier, self._rows.kinds))
        query = sql.SQL("SELECT {} FROM {} WHERE {} = %s ORDER BY position").format(
            columns, self._table, sql.Identifier(LIST)
        )
        try:
            with (
                self._connected() as connection,
                connection.cursor("rows") as cursor,
                rows.open("wb") as lines,
            ):
                cursor.itersize = 5000
                for cells in cursor.execute(query, [self._list]):
                    row = dict(zip(self._rows.kinds, map(_back, cells), strict=True))
                    lines.write(self.working.encode(row))
        except psycopg.Error as error:
            raise OSError(0, _first_line(error)) from error

    def remove(self, path: Path) -> None:
        """Delete the rows of the list."""
        try:
            with self._connected() as connection:
                self._execute(connection, sql.SQL("DELETE FROM {} WHERE {} = %s"))
        except psycopg.Error as error:
            raise OSError(0, _first_line(error)) from error

    def _connected(self) -> Connection:
        return psycopg.connect(self._address)

    def _execute(self, connection: Connection, query: sql.SQL) -> "psycopg.Cursor[Any]":
        """Execute what is about the table, and the rows of the list in it."""
        return connection.execute(query.format(self._table, sql.Identifier(LIST)), [self._list])

    def _exists(self, connection: Connection) -> bool:
        found = connection.execute("SELECT to_regclass(%s)", [self._table.as_string()])
        return found.fetchone() != (None,)

    @property
    def _columns(self) -> dict[str, str]:
        return {LIST: "text", **{name: _TYPES[kind] for name, kind in self._rows.kinds.items()}}

    def _check(self, connection: Connection) -> dict[str, str]:
        """Return the columns of the table, if it is there.

        Raises:
            OutputError: one has another type.
        """
        if not self._exists(connection):
            return {}
        empty = sql.SQL("SELECT * FROM {} LIMIT 0").format(self._table)
        there = _types_of(connection.execute(empty))
        for name, type_ in self._columns.items():
            if there.get(name, type_) != type_:
                raise OutputError(
                    f"-o {self._shown}: the column {name!r} is {there[name]} there, and not "
                    f"{type_}. Name another table with ?table=, or alter this one"
                )
        return there

    def _prepare(self, connection: Connection, there: dict[str, str]) -> None:
        """Make the table, or the columns that it lacks."""
        if not there:
            create = sql.SQL("CREATE TABLE IF NOT EXISTS {} ({}, PRIMARY KEY ({}, position))")
            columns = sql.SQL(", ").join(_column(*column) for column in self._columns.items())
            connection.execute(create.format(self._table, columns, sql.Identifier(LIST)))
            return
        for name, type_ in self._columns.items():
            if name not in there:
                add = sql.SQL("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {}")
                connection.execute(add.format(self._table, _column(name, type_)))


# What psycopg calls types that SQL has another name for.
_SHORT = {"int8": "bigint", "float8": "double precision", "bool": "boolean"}


def _column(name: str, type_: str) -> sql.Composed:
    return sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(type_))


def _identifier(table: str) -> sql.Identifier:
    return sql.Identifier(*table.split("."))  # `schema.table` too


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _back(cell: Any) -> Any:
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).isoformat(timespec="milliseconds")
    return cell


def read(uri: str) -> tuple[list[str], list[tuple[Any, ...]], dict[str, Kind]]:
    """Return the columns of a table, all its rows, and the kinds of columns that have one.

    Raises:
        psycopg.Error: it cannot be read.
    """
    address, table = table_in(uri)
    kinds: dict[str, Kind] = {type_: kind for kind, type_ in _TYPES.items()}
    query = sql.SQL("SELECT * FROM {} ORDER BY {}, position").format(
        _identifier(table), sql.Identifier(LIST)
    )
    with psycopg.connect(address) as connection:
        found = connection.execute(query)
        types = _types_of(found)
        known = {name: kinds[type_] for name, type_ in types.items() if type_ in kinds}
        return list(types), found.fetchall(), known


def _types_of(found: "psycopg.Cursor[tuple[Any, ...]]") -> dict[str, str]:
    """Return the type of each column, as SQL has it."""
    shown = {column.name: column.type_display for column in found.description or ()}
    return {name: _SHORT.get(type_, type_) for name, type_ in shown.items()}
