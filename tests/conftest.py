"""Fixtures: lists in memory, crawls, and the site that they crawl."""

from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest
from crawling import (
    ENVIRONMENT,
    HANDLERS,
    HOSTS,
    Crawl,
    SiteProcess,
    crawl_list,
    run_scrapy,
    serving,
)
from hypothesis import settings

from urlcrawler.demo import names
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


@pytest.fixture(scope="session")
def site() -> Iterator[SiteProcess]:
    with serving(names.addresses(HOSTS)) as process:
        yield process


@pytest.fixture
def scrapy(tmp_path: Path) -> Callable[..., Crawl]:
    """`run_scrapy` in an empty folder."""
    return partial(run_scrapy, tmp_path)


@pytest.fixture
def crawl(tmp_path: Path) -> Callable[..., Crawl]:
    """`crawl_list` in an empty folder."""
    return partial(crawl_list, tmp_path)


@pytest.fixture(scope="module", params=HANDLERS)
def handler(request: pytest.FixtureRequest) -> Iterator[str]:
    """Crawl with each of the handlers of http and https."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENVIRONMENT, "SCRAPY_SETTINGS_MODULE", HANDLERS[request.param])
        yield request.param


@pytest.fixture(scope="module", params=["aiohttp", pytest.param("twisted", marks=pytest.mark.long)])
def default_handler(request: pytest.FixtureRequest) -> Iterator[str]:
    """The same, with one of them in the long form only: where hardly anything depends on it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENVIRONMENT, "SCRAPY_SETTINGS_MODULE", HANDLERS[request.param])
        yield request.param
