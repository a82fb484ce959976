"""The address of a table in a database: as libpq has it, with `table=` besides."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

DATABASES = ("postgresql", "postgres")  # schemes
TABLE = "results"  # unless the address says another one
_PATIENCE = "10"  # seconds for a connection, where the address does not say another number


def is_database(uri: str) -> bool:
    """Return whether *uri* is the address of a database."""
    return urlsplit(uri).scheme in DATABASES


def table_in(uri: str) -> tuple[str, str]:
    """Return the address for libpq, and the name of the table."""
    address, _, query = uri.partition("?")
    options = [option for option in query.split("&") if option]
    tables = [option for option in options if option.startswith("table=")]
    rest = [option for option in options if option not in tables]
    if not any(option.startswith("connect_timeout=") for option in rest):
        rest.append(f"connect_timeout={_PATIENCE}")
    table = unquote(tables[-1].partition("=")[2]) if tables else TABLE
    return f"{address}?{'&'.join(rest)}", table


def beside_database(uri: str, table_name: str) -> Path:
    """Return where the rows for a table in a database are collected, and what it is called."""
    parts = urlsplit(uri)
    words = (table_name, parts.hostname or "local", parts.path.strip("/"), table_in(uri)[1])
    name = ".".join(re.sub(r"[^\w-]+", "-", word) for word in words if word)
    return Path("data/results", f"{name}.postgresql")
