"""The scheduler of a crawl with several processes: it gives out shards instead of requests.

Everything else is the crawl of one process: list, checks, ledger, feeds, accounting, summary. The
rows that the processes write into their parts pass through this one's feeds as they come, so the
table, and what an interrupted run leaves behind, are what they would be without.
"""

import asyncio
import logging
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from scrapy import Request, Spider
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler
from scrapy.utils.defer import deferred_from_coro

from urlcrawler.exceptions import UrlcrawlerError
from urlcrawler.hosts.groups import Groups
from urlcrawler.inputs.shards import Plan, Shard
from urlcrawler.inputs.sharing import lend
from urlcrawler.output.binding import Binding
from urlcrawler.output.itemfile import items_feeds, take_items
from urlcrawler.output.parts import Part, folder_of
from urlcrawler.output.tablefile import beside
from urlcrawler.processes.child import MOST_DEATHS, Child
from urlcrawler.processes.totals import add_lines, add_stats
from urlcrawler.spiders.files import pages_folder
from urlcrawler.stopping import stop

logger = logging.getLogger(__name__)

_PAUSE = 0.25  # seconds between two looks at the parts
_AT_ONCE = 200  # rows before the event loop has its turn again
_ENDED = (0, 5, 75)  # exit codes: complete, rows are missing, stopped early
_FOR_GOOD = {1: "cannot_start", 4: "output_failed"}  # and what the crawl ends with then


class _ChildFailedError(Exception):
    """Says what has become of a process.

    Attributes:
        finish_reason: of the crawl.
    """

    def __init__(self, why: str, finish_reason: str) -> None:
        super().__init__(why)
        self.finish_reason = finish_reason


class ShardScheduler(BaseScheduler):
    """Starts a process for each shard, and writes the rows of all of them."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._children: list[Child] = []
        self._work: asyncio.Task[None] | None = None
        self._is_over = False
        self._is_closing = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "ShardScheduler":
        """Build the scheduler."""
        return cls(crawler)

    def open(self, spider: Spider) -> None:
        """Begin with the shards."""
        list_spider: Any = spider
        self._spider = list_spider
        primary = list_spider.ledger.primary
        if primary:
            self._folder = folder_of(primary.path)
            if not (list_spider.ledger.count or list_spider.retried_errors):
                beside(primary.path, ".hosts.csv").unlink(missing_ok=True)
        else:
            self._folder = Path(tempfile.mkdtemp(prefix="urlcrawler-shards-"))
        self._work = asyncio.ensure_future(self._crawl())

    def close(self, reason: str) -> Any:
        """Let the processes finish what is under way, and write their last rows."""
        return deferred_from_coro(self._close())

    def has_pending_requests(self) -> bool:
        """Return whether a shard is not finished."""
        return not self._is_over

    def enqueue_request(self, request: Request) -> bool:
        """Refuse it: this process requests nothing."""
        return False

    def progress_files(self) -> list[Path]:
        """Return where the processes say how far they are."""
        return [child.progress_file for child in self._children]

    def next_request(self) -> None:
        """Return nothing: the processes have schedulers of their own."""

    async def _crawl(self) -> None:
        try:
            if not self._spider.ledger.is_complete:
                self._plan()
                await self._run()
        except _ChildFailedError as error:
            logger.error("The crawl stops: %(why)s", {"why": error})
            stop(self.crawler, error.finish_reason)
        except (OSError, UrlcrawlerError) as error:
            logger.error("The crawl stops: %(why)s", {"why": error})
            stop(self.crawler, "shards_failed")
        except Exception:
            logger.exception("The crawl stops")
            stop(self.crawler, "shards_failed")
        finally:
            self._is_over = True
            cast("Any", self.crawler.engine).downloader.wake()

    def _plan(self) -> None:
        """Divide the records that have no row, and describe it to the processes."""
        spider, settings = self._spider, self.crawler.settings
        self._folder.mkdir(parents=True, exist_ok=True)
        for uri, options in items_feeds(settings).items():
            if options.get("overwrite") and Path(uri).exists():
                Path(uri).unlink()
        done = spider.ledger.done()
        (self._folder / "done").write_bytes(done.tobytes())
        count = settings.getint("PROCESSES")
        plan = Plan(spider.index, count, Groups(settings["THROTTLE_GROUP_BY"]).name, done)
        arguments = {
            name: value for name, value in spider.given.items() if name not in ("retry", "shard")
        }
        arguments["file"] = str(self._list())
        arguments["_done"] = str(self._folder / "done")
        if settings["KEEP_PAGES"]:
            arguments["_pages"] = str(pages_folder(settings, spider)[0])
        arguments["_list"] = Binding.of(spider.source.file, []).list_sha256
        with suppress(OSError):  # without room for it each reads the list for itself
            lend(spider.index, self._folder / "index")
            arguments["_index"] = str(self._folder / "index")
        for number in range(1, count + 1):
            shard = Shard(number, count)
            if (plan.members(shard) & ~done).any():
                self._children.append(Child(shard, self._folder, arguments, settings))
        loads = " + ".join(str(load) for load in plan.loads)
        logger.info(
            "%(count)d processes: %(loads)s records",
            {"count": len(self._children), "loads": loads},
        )

    def _list(self) -> Path:
        """Return a file that the processes can read the list from, as it was read here."""
        given = Path(self._spider.given["file"]).expanduser()
        source = self._spider.source
        if given.is_file() and not source.is_converted:
            return given.absolute()
        copy = self._folder / f"list{source.suffix}"
        source.file.seek(0)
        with copy.open("wb") as file:
            shutil.copyfileobj(source.file, file, 1 << 20)
        return copy

    async def _run(self) -> None:
        """Crawl until every process has come to its end."""
        for child in self._children:
            if not self._is_closing:
                await self._start(child)
        while not self._is_closing:
            is_going_on = False
            for child in self._children:
                has_ended = child.poll()  # first: what it writes before it ends is read below
                if await self._take(child.part):
                    child.note_rows()
                    is_going_on = True
                elif not has_ended:
                    is_going_on = True
                elif child.code is not None and child.code not in _ENDED:
                    await self._start_again(child)
                    is_going_on = True
            if not is_going_on:
                break
            await asyncio.sleep(_PAUSE)
        if not self._is_closing and any(child.code == 75 for child in self._children):
            stop(self.crawler, "shard_stopped")

    async def _start_again(self, child: Child) -> None:
        """Start a process again that has died.

        Raises:
            _ChildFailedError: it dies again and again, or of something that will not pass.
        """
        code = child.code
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        if code == 4:
            cast("Any", self.crawler.stats).inc_value("feedexport/failed_count/shard")
        if code in _FOR_GOOD or not child.may_start_again():
            times = "" if code in _FOR_GOOD else f" {MOST_DEATHS} times without a row"
            raise _ChildFailedError(
                f"the process of shard {child.shard} has ended with {how}{times}. See what it "
                "says above. To go on, run the same command again, without -O",
                _FOR_GOOD.get(code or 0, "shards_failed"),
            )
        logger.warning(
            "The process of shard %(shard)s has ended with %(how)s. It is started again, and goes "
            "on where it was",
            {"shard": child.shard, "how": how},
        )
        await self._start(child)

    async def _start(self, child: Child) -> None:
        await child.start()
        if self._is_closing:  # meanwhile
            child.ask_to_end()

    async def _take(self, part: Part) -> int:
        """Write the rows that have come into a part; return how many there were."""
        rows = part.new_rows()
        ledger, columns = self._spider.ledger, self._spider.table.columns
        for count, row in enumerate(rows, 1):
            is_one = 0 < row["position"] <= len(self._spider.index) and list(row) == columns
            if is_one and row["position"] not in ledger:
                self._spider.write(row)
            if not count % _AT_ONCE:
                await asyncio.sleep(0)
        return len(rows)

    async def _close(self) -> None:
        self._is_closing = True
        for child in self._children:
            child.ask_to_end()
        for child in self._children:
            await child.end()
            while await self._take(child.part):
                pass
        if self._work:
            with suppress(asyncio.CancelledError):
                await self._work
        for child in self._children:
            add_stats(self.crawler, child.stats_file)
            if primary := self._spider.ledger.primary:
                hosts = ".hosts.csv"
                add_lines(beside(child.part.path, hosts), beside(primary.path, hosts))
        if self._children:
            try:
                take_items(self._folder, items_feeds(self.crawler.settings))
            except OSError as error:
                logger.error(
                    "%(why)s. The items are in %(path)s", {"why": error, "path": self._folder}
                )
                cast("Any", self.crawler.stats).inc_value("feedexport/failed_count/items")
                return
            self._clean()

    def _clean(self) -> None:
        """Remove the parts, when their rows are durable in the tables."""
        tables = self._spider.tables.values()
        for table in tables:
            table.try_sync()
        if not any(table.failure for table in tables):
            shutil.rmtree(self._folder, ignore_errors=True)
