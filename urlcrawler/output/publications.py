"""Which files are published, by the format that a feed names."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from urlcrawler.exceptions import OutputError
from urlcrawler.output.cells import Kind
from urlcrawler.output.gzipfile import Gzip
from urlcrawler.output.publication import FilePublication, Publication, collected
from urlcrawler.output.sqlitefile import Sqlite
from urlcrawler.output.tables import FORMATS, Format, JsonLines

if TYPE_CHECKING:
    from urlcrawler.output.parquetfile import Parquet

READ = ".csv, .jsonl, .jl, .csv.gz, .jsonl.gz, .parquet and .sqlite"  # names of tables
FILES = ("parquet", "sqlite", "gz")
PUBLISHED = (*FILES, "postgresql")


def publication_of(
    path: Path,
    name: str,
    kinds: Mapping[str, Kind],
    packed: Callable[[type[Format]], Format],
    *,
    uri: str = "",
    list_name: str = "",
    looks: bool = False,
) -> Publication | None:
    """Return how the table at *path* is published; None for a format that rows are appended to.

    Args:
        name: of the format.
        uri, list_name: of a database, and what its rows are told by.
        looks: whether nothing is to be made or altered there.
        kinds: of the columns, in their order.
        packed: makes the format of what is compressed.

    Raises:
        OutputError: the columns cannot be held, the name does not say what is compressed, or
            something is not installed.
    """
    if name == "parquet":
        return _parquet(path)(kinds)
    if name == "postgresql":
        try:
            from urlcrawler.output.postgres import Postgres  # extra `postgres`
        except ImportError:
            why = "-o postgresql://...: needs psycopg. Type pip install 'urlcrawler[postgres]'"
            raise OutputError(why) from None
        return Postgres(uri, list_name, kinds, looks=looks)
    if name == "sqlite":
        return Sqlite(kinds, path)
    if name == "gz":
        inner = _inside(path)
        if inner is None:
            raise OutputError(
                f"-o {path}: the name does not say what is compressed. Type -o "
                f"{path.with_suffix('')}.csv.gz or .jsonl.gz"
            )
        return Gzip(packed(inner))
    return None


@contextmanager
def rows_of(path: Path) -> Iterator[tuple[Path, type[Format] | None]]:
    """Give a file with the rows of a table, and its format; None when that is no table.

    Raises:
        OutputError: no crawl has published the file, or something is not installed.
        OSError: it cannot be read, or there is no room for its rows.
    """
    name = path.suffix.removeprefix(".")
    if name not in FILES:
        yield path, FORMATS.get(name)
        return
    kinds: dict[str, type[FilePublication]] = {"sqlite": Sqlite, "gz": Gzip}
    kind = kinds.get(name) or _parquet(path)
    with TemporaryDirectory(prefix="urlcrawler-") as folder:
        rows = Path(folder, "rows")
        kind.restore(path, rows)
        yield rows, _inside(path) if name == "gz" else JsonLines


def _inside(path: Path) -> type[Format] | None:
    return FORMATS.get(path.with_suffix("").suffix.removeprefix("."))


def _parquet(path: Path) -> "type[Parquet]":
    try:
        from urlcrawler.output.parquetfile import Parquet  # extra `parquet`
    except ImportError:
        raise OutputError(
            f"{path}: needs pyarrow. Type pip install 'urlcrawler[parquet]'"
        ) from None
    return Parquet


def file_of(path: Path, name: str | None) -> Path:
    """Return the file with the rows of a table at *path*: while they are collected, another."""
    rows = collected(path)
    return rows if name in PUBLISHED and rows.exists() else path
