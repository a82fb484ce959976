"""How hosts are treated, as the settings say."""

from collections.abc import Mapping
from dataclasses import replace

from scrapy.settings import BaseSettings

from urlcrawler.hosts.manners import Manners


def manners_of(settings: BaseSettings) -> Manners:
    """Return how a host is treated of which nobody has said anything else."""
    return Manners(
        ceiling=settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN"),
        start=settings.getfloat("AUTOTHROTTLE_TARGET_CONCURRENCY"),
        adaptive=settings.getbool("AUTOTHROTTLE_ENABLED"),
        delay=settings.getfloat("DOWNLOAD_DELAY"),
        max_delay=settings.getfloat("AUTOTHROTTLE_MAX_DELAY"),
        backoff=settings.getfloat("BACKOFF_START"),
        max_pause=settings.getfloat("RETRY_AFTER_MAX"),
    )


def own_manners_of(settings: BaseSettings, manners: Manners) -> Mapping[str, Manners]:
    """Return those of DOWNLOAD_SLOTS: `concurrency` is the ceiling, `delay` the least one."""
    return {
        name: replace(
            manners,
            ceiling=int(slot.get("concurrency", manners.ceiling)),
            delay=float(slot.get("delay", manners.delay)),
        )
        for name, slot in settings.getdict("DOWNLOAD_SLOTS").items()
    }
