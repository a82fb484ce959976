"""Lists in memory, for the tests of what reads them."""

from collections.abc import Callable
from io import BytesIO

import pytest
from hypothesis import settings

from urlcrawler.inputs.formats import open_reader
from urlcrawler.inputs.readers import Reader
from urlcrawler.inputs.records import Record
from urlcrawler.inputs.sources import Source

settings.register_profile("any machine", deadline=None)  # a busy machine is no failure
settings.load_profile("any machine")

OpenReader = Callable[..., Reader]
ReadAll = Callable[..., list[Record]]


def _open(data: bytes | str, suffix: str = ".txt", column: str | None = None) -> Reader:
    raw = data.encode() if isinstance(data, str) else data
    return open_reader(Source(f"urls{suffix}", "urls", suffix, BytesIO(raw)), column)


def _read_all(data: bytes | str, suffix: str = ".txt", column: str | None = None) -> list[Record]:
    reader = _open(data, suffix, column)
    scanned = list(reader.scan())
    records = [
        reader.read(offset, position)
        for position, (offset, _) in reversed(list(enumerate(scanned, 1)))
    ][::-1]
    for (_, url), record in zip(scanned, records, strict=True):
        # Both passes must agree, or a record is indexed as one thing and crawled as another.
        if record.problem is None:
            assert url == record.url
        else:
            assert not url
    return records


@pytest.fixture(scope="session")
def reader_of() -> OpenReader:
    """Open a list given as bytes or text: `reader_of(data, ".csv", column)`."""
    return _open


@pytest.fixture(scope="session")
def records_of() -> ReadAll:
    """Scan such a list and read its records, the last one first: `records_of(data, ".csv")`."""
    return _read_all
