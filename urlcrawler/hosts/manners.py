"""How hosts are treated, and what is known when one is asked."""

from dataclasses import dataclass
from typing import NamedTuple, TypeVar

RequestT = TypeVar("RequestT")  # opaque here: this package knows no Scrapy


@dataclass(frozen=True, slots=True)
class Manners:
    """How hosts are treated, in one place: what the settings say.

    Attributes:
        ceiling: most requests at a time (CONCURRENT_REQUESTS_PER_DOMAIN).
        start: requests at a time that a host begins with (AUTOTHROTTLE_TARGET_CONCURRENCY).
        adaptive: whether the limit follows the host (AUTOTHROTTLE_ENABLED).
        delay: least seconds between two requests (DOWNLOAD_DELAY).
        max_delay: most seconds that are waited between two requests (AUTOTHROTTLE_MAX_DELAY).
        backoff: seconds of the first wait after a failure (BACKOFF_START).
        max_pause: most seconds that a host may pause a crawl at once (RETRY_AFTER_MAX).
    """

    ceiling: int = 16
    start: float = 1.0
    adaptive: bool = True
    delay: float = 0.0
    max_delay: float = 60.0
    backoff: float = 1.0
    max_pause: float = 300.0


class Sent(NamedTuple):
    """What was known of a host when a request was given out.

    Attributes:
        at: the time.
        level: requests of the host at that moment, this one included.
        rate: requests of the host in the second before, this one included.
    """

    at: float
    level: int
    rate: int
