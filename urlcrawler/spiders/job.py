"""A crawl as a job of scrapyd: it has an id, `-a _job=...`, and a log that others read."""

import hashlib
import logging
import re
import sys
from typing import Any
from urllib.parse import unquote

from scrapy.settings import BaseSettings

from urlcrawler.output.rows import takes_rows

logger = logging.getLogger(__name__)

# How a job begins and ends, as its log says it: scrapyd tells nobody the exit code.
BEGINS = "Job %(job)s begins"
ENDS = "Job %(job)s has ended: exit code %(code)d, %(rows)d of %(total)d records have their row"

_SAFE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,79}")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_FEW_FILES = 1000
_KEPT = 40  # characters of an id that is no file name; a hash keeps it apart from others


def is_safe(job: str) -> bool:
    """Return whether a job id is a file name as it is."""
    return _SAFE.fullmatch(job) is not None


def file_name(job: str) -> str:
    """Return *job*, which may be any text, as a part of a file name; another one for each id."""
    if is_safe(job):
        return job
    digest = hashlib.sha256(job.encode(errors="surrogateescape")).hexdigest()[:12]
    return f"{_UNSAFE.sub('_', job)[:_KEPT].lstrip('.')}-{digest}"


def tell_of_items_dir(settings: BaseSettings, spider: Any, job: str) -> None:
    """Say where the table is when scrapyd has decided it, and what that took the place of.

    With `items_dir` scrapyd puts its own FEEDS in the place of any that came with the job; so that
    one cannot be seen here any more.
    """
    uris = [str(uri) for uri in settings.getdict("FEEDS")]
    of_scrapyd = [uri for uri in uris if unquote(uri).endswith(f"/{spider.name}/{job}.jl")]
    if not of_scrapyd:
        return
    logger.info(
        "The table is in the items_dir of scrapyd, which takes the place of `setting=FEEDS=...` "
        "and of FEEDS of the project"
    )
    # Five files to a table, of which the lock is the oldest; a table that is gone cannot go on.
    scrapyd = sys.modules.get("scrapyd")
    keeps = scrapyd.Config().getint("jobs_to_keep", 0) if scrapyd else 0
    if 0 < keeps < _FEW_FILES:
        logger.warning(
            "jobs_to_keep of scrapyd is %(keeps)d: when a job begins, all but the newest %(keeps)d "
            "files of the folder are deleted, tables of running jobs among them. Set it to 100000",
            {"keeps": keeps},
        )
    of_spider = (type(spider).custom_settings or {}).get("FEEDS", {})
    if lost := [str(uri) for uri in of_spider if takes_rows(of_spider[uri]) and uri not in uris]:
        logger.warning(
            "FEEDS of the spider: %(feeds)s is not written, because items_dir of scrapyd is set. "
            "Leave items_dir empty to have it, or name item classes of its own for it",
            {"feeds": ", ".join(lost)},
        )
