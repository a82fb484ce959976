"""The table as gzip: CSV or JSON Lines, as every program reads them."""

import gzip
import shutil
import zlib
from pathlib import Path

from urlcrawler.output.publication import FilePublication
from urlcrawler.output.scan import foreign
from urlcrawler.output.tables import Format

_LEVEL = 6  # that of the command


class Gzip(FilePublication):
    """Compress the rows, and unpack them again."""

    def __init__(self, working: Format) -> None:
        """Take the format that is compressed."""
        self.working = working

    def write(self, rows: Path, new: Path) -> None:
        """Compress; the same rows give the same bytes."""
        with (
            rows.open("rb") as source,
            new.open("wb") as target,
            gzip.GzipFile("", "wb", _LEVEL, target, mtime=0) as packed,
        ):
            shutil.copyfileobj(source, packed, 1 << 20)

    @classmethod
    def restore(cls, published: Path, rows: Path) -> None:
        """Unpack."""
        try:
            with gzip.open(published, "rb") as packed, rows.open("wb") as target:
                shutil.copyfileobj(packed, target, 1 << 20)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise foreign(published) from error
