"""What servers say about waiting: Retry-After, RateLimit and their older spellings."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

_EPOCH = 1_000_000_000  # a larger number is a time, not a number of seconds
_ITEM = re.compile(r"(?:^|[;,\s])(r|t|remaining|reset)=(\d+(?:\.\d+)?)", re.IGNORECASE)


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds that a Retry-After header asks for; None when it says nothing usable.

    Both forms of RFC 9110, section 10.2.3: seconds and HTTP date. A date that is past is 0.
    """
    value = (value or "").strip()
    try:
        if value.isascii() and re.fullmatch(r"\d+(\.\d+)?", value):
            return float(value)
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())


def exhausted_for(headers: Mapping[str, str], now: float) -> float | None:
    """Return for how many seconds a host will take no more requests; None when it does.

    Reads `RateLimit` (draft-ietf-httpapi-ratelimit-headers, "default";r=0;t=30 and the older
    limit=, remaining=, reset=), `RateLimit-Remaining` and `-Reset`, and both with `X-`.

    Args:
        headers: names in lower case.
        now: seconds since 1970, for servers that give the time of the reset.
    """
    quotas = [(_number(headers, "remaining"), _number(headers, "reset"))]
    text = headers.get("ratelimit", "")
    for quota in [text] if "remaining" in text.lower() else text.split(","):  # one, or several
        items = {name.lower()[0:3]: float(n) for name, n in _ITEM.findall(quota)}
        quotas.append((items.get("r", items.get("rem")), items.get("t", items.get("res"))))
    waits = [
        max(0.0, reset - now if reset > _EPOCH else reset)
        for remaining, reset in quotas
        if remaining == 0 and reset is not None
    ]
    return max(waits, default=None)


def _number(headers: Mapping[str, str], name: str) -> float | None:
    for prefix in ("ratelimit-", "x-ratelimit-", "x-rate-limit-"):
        value = headers.get(prefix + name, "").split(",")[0].strip()
        if value.isascii() and re.fullmatch(r"\d{1,12}(\.\d+)?", value):
            return float(value)
    return None


def delay_asked(rules: Any, agent: str) -> float:
    """Return the seconds between two requests that a robots.txt asks for, 0 when for none.

    Args:
        rules: of the file, a scrapy.robotstxt.RobotParser.
        agent: name of the crawler.
    """
    delay = rules.crawl_delay(agent) or 0.0
    # Scrapy's interface has no Request-rate; Protego has.
    rate = getattr(getattr(rules, "rp", None), "request_rate", lambda agent: None)
    if (asked := rate(agent)) and asked.requests:
        delay = max(delay, asked.seconds / asked.requests)
    return float(delay)
