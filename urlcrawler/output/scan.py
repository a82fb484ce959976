"""The rows of a table as a kill may have left it; anything else that is there is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO

from urlcrawler.exceptions import OutputError
from urlcrawler.output.tables import Format, Line

_LOOKED_AT = 1 << 20  # bytes of what may be the beginning of a table, or of a row


class Scan:
    """Reads a table from its beginning to its last whole row.

    Attributes:
        is_new: whether it has not even a whole header; known, as the next, once `lines` is through.
        end: the byte after its last whole row.
    """

    def __init__(self, path: Path, format_: Format) -> None:
        """Read the table that the user calls *path*."""
        self._path = path
        self._format = format_
        self.is_new = False
        self.end = 0

    def lines(self, file: IO[bytes], size: int) -> Iterator[Line]:
        """Yield the rows in *file*, which has so many bytes.

        Raises:
            OutputError: the columns are others, or something is no row and no beginning of one.
        """
        path = self._path
        found = self._format.read_header(file) if size else None
        if found is None:
            file.seek(0)
            if not self._format.begins(file.read(_LOOKED_AT)):
                raise foreign(path)
            self.is_new = True
            return
        columns, self.end = found
        if columns != self._format.columns:
            raise OutputError(
                f"{path}: has other columns than this crawl writes. It has: "
                f"{', '.join(columns)}. Type -O {path} to start afresh, or -o with another name"
            )
        torn: int | None = None
        for line in self._format.lines(file, self.end):
            if isinstance(line, int):
                torn = line if torn is None else torn
            elif torn is not None:
                raise OutputError(
                    f"{path}: what begins at byte {torn} is no row, and rows follow. Mend or "
                    f"remove it, or type -O {path} to start afresh"
                )
            else:
                self.end = line.end
                yield line
        if self.end < size:
            self._check_tail(file)

    def _check_tail(self, file: IO[bytes]) -> None:
        """Refuse what no crawl can have left behind: text of somebody's own."""
        file.seek(self.end)
        if not self._format.is_torn(file.read(_LOOKED_AT)):
            raise OutputError(
                f"{self._path}: what begins at byte {self.end} is no row of a crawl. Mend or "
                f"remove it, or type -O {self._path} to start afresh"
            )


def foreign(path: Path) -> OutputError:
    """Return what is said of a file that no crawl has written."""
    return OutputError(
        f"{path}: is there already and is no table of a crawl. Type -O {path} to replace it, or "
        "-o with another name"
    )


def busy(path: Path) -> OutputError:
    """Return what is said of a table that another process has."""
    return OutputError(
        f"{path}: another crawl is writing it. Wait for it, or name another table with -o"
    )
