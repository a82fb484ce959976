"""Divides the list of a crawl, and describes the parts to the processes that crawl them."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from scrapy.settings import BaseSettings

from urlcrawler.hosts.groups import Groups
from urlcrawler.inputs.shards import Plan, Shard
from urlcrawler.inputs.sharing import lend
from urlcrawler.output.binding import Binding
from urlcrawler.output.itemfile import items_feeds
from urlcrawler.spiders.files import pages_folder

_NOT_FOR_THEM = ("retry", "shard", "urls", "_name")  # the list is a file for all of them
_FILES = ("fields", "headers", "since")  # arguments that name further files


class Division:
    """The records that have no row yet, to be divided.

    Attributes:
        arguments: of the spider, for all of the processes.
    """

    def __init__(
        self, spider: Any, settings: BaseSettings, folder: Path, *, elsewhere: bool = False
    ) -> None:
        """Write what the processes need to know into *folder*.

        Args:
            elsewhere: whether they are on machines that may see nothing but that folder.

        Raises:
            OSError: it cannot be written.
        """
        self._spider, self._folder, self._elsewhere = spider, folder, elsewhere
        self._group = Groups(settings["THROTTLE_GROUP_BY"]).name
        folder.mkdir(0o700, parents=True, exist_ok=True)
        for uri, options in items_feeds(settings).items():
            if options.get("overwrite") and Path(uri).exists():
                Path(uri).unlink()
        self._done = spider.ledger.done()
        (folder / "done").write_bytes(self._done.tobytes())
        given = {name: value for name, value in spider.given.items() if name not in _NOT_FOR_THEM}
        for name in _FILES:
            if name in given:
                given[name] = str(self._seen(name, Path(given[name]).expanduser()))
        given["file"] = str(self._list())
        given["_done"] = str(folder / "done")
        if settings["KEEP_PAGES"]:
            given["_pages"] = str(pages_folder(settings, spider)[0].absolute())
        given["_list"] = Binding.of(spider.source.file, []).list_sha256
        with suppress(OSError):  # without room for it each reads the list for itself
            lend(spider.index, folder / "index")
            given["_index"] = str(folder / "index")
        self.arguments: dict[str, str] = given

    @property
    def records(self) -> int:
        """How many records have no row, and are requested for it."""
        return int(self._spider.index.sizes(self._done).sum())

    def plan(self, count: int) -> Plan:
        """Divide them into so many shards."""
        plan, path = Plan(self._spider.index, count, self._group, self._done), self._folder / "plan"
        with suppress(OSError):  # without room for it each makes it for itself
            plan.save(path)
            self.arguments["_plan"] = str(path)
        return plan

    def shards(self, plan: Plan) -> Iterator[tuple[Shard, int]]:
        """Yield the shards that have something to do, with how many records they have."""
        for number, records in enumerate(plan.records(self._done)):
            if records:
                yield Shard(number, plan.count), int(records)

    def _list(self) -> Path:
        """Return a file that the processes can read the list from, as it was read here."""
        given = Path(self._spider.given.get("file") or "").expanduser()
        source = self._spider.source
        if given.is_file() and not source.is_converted:
            return self._seen("file", given)
        copy = self._folder / f"list{source.suffix}"
        source.file.seek(0)
        with copy.open("wb") as file:
            shutil.copyfileobj(source.file, file, 1 << 20)
        return copy

    def _seen(self, name: str, path: Path) -> Path:
        """Return where the processes see the file at *path* that the argument *name* names: a copy,
        when it may be elsewhere.
        """
        if not self._elsewhere or path.stat().st_dev == self._folder.stat().st_dev:
            return path.absolute()
        copy = self._folder / f"{name}.{path.name}"
        with path.open("rb") as file, open_private(copy) as target:
            shutil.copyfileobj(file, target, 1 << 20)
        return copy


def open_private(path: Path) -> IO[bytes]:
    """Open a new file that nobody else may read: there may be secrets in it."""
    return open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600))
