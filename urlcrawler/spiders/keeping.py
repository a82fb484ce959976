"""A page is kept before its row is written: see `urlcrawler.output.pages`."""

import logging
from typing import TYPE_CHECKING, Any

from scrapy.crawler import Crawler
from scrapy.http import Response

from urlcrawler.items import BASE_COLUMNS, Page
from urlcrawler.stopping import stop

if TYPE_CHECKING:
    from urlcrawler.output.pages import PageArchive

logger = logging.getLogger(__name__)


async def keep_page(pages: "PageArchive", crawler: Crawler, response: Response, page: Page) -> bool:
    """Keep an answer; return whether its row may be written. A disk that fails stops the crawl."""
    row = {name: getattr(page, name) for name in BASE_COLUMNS} | {"columns": page.columns}
    try:
        await pages.keep(response, row)
    except OSError as error:
        stats: Any = crawler.stats
        if not stats.get_value("feedexport/failed_count/pages"):
            logger.error(
                "%(path)s: cannot be written: %(why)s. The rows so far are whole. Make room, or "
                "mend the disk, then run it again without -O to go on",
                {"path": pages.folder, "why": error.strerror},
            )
            stop(crawler, "output_failed")
        stats.inc_value("feedexport/failed_count/pages")
        return False
    return True
