"""Text of a page -> a number, a price, a date: what it says, and never a guess.

`1.234` is a thousand in one country and one and a bit in another, `03/04/2026` is in March or in
April. Without a hint such a text is reported as what it is: ambiguous.
"""

import math
import re
from collections.abc import Sequence
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

from price_parser import Price

LONGEST_DATE = 80  # characters; no date is longer, and to find that out takes time
# Those in which dates are read whatever the page says: dateparser takes a second to try all of its.
LANGUAGES = (
    "en", "de", "fr", "es", "it", "pt", "nl", "pl", "ru", "ja", "zh", "tr", "sv", "cs", "da", "fi",
    "nb", "uk", "ko", "hu",
)  # fmt: skip
ORDERS = ("DMY", "MDY", "YMD")

_FALSE = frozenset(("false", "no", "off", "0"))
_MINUS = ("-", "\u2212")
_GAP = "['\u2019 \u00a0\u2009\u202f]"  # between thousands, never before decimals
_NUMBER = re.compile(
    rf"(?P<sign>[-+\u2212]?)\s*(?P<digits>\d{{1,3}}(?:{_GAP}\d{{3}})+(?!\d)(?:[.,]\d+)?|\d[\d.,]*)"
)
_AMBIGUOUS_DATE = re.compile(r"\D*(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})\b")


class UnreadableError(Exception):
    """Says why a text is no value of the type that was asked for."""


def number(text: str, decimal: str | None = None) -> float:
    """Return the first number in *text*.

    Args:
        decimal: the sign before decimals, "." or ","; None when nobody has said.

    Raises:
        UnreadableError: there is none, or it can be read in two ways.
    """
    found = _NUMBER.search(text)
    if not found:
        raise UnreadableError("is no number")
    digits = re.sub(_GAP, "", found["digits"]).rstrip(".,")
    value = float(_with_point(digits, decimal))
    if math.isinf(value):
        raise UnreadableError("is no number that fits")
    return -value if found["sign"] in _MINUS else value


def _with_point(digits: str, decimal: str | None) -> str:
    """Return *digits* without marks of thousands, and with a point before decimals."""
    if decimal:
        thousands = "," if decimal == "." else "."
        return digits.replace(thousands, "").replace(decimal, ".")
    marks = [mark for mark in digits if mark in ".,"]
    if not marks:
        return digits
    if len(set(marks)) == 2:  # the last one is that of the decimals: 1,234.50
        return _with_point(digits, marks[-1])
    whole, _, rest = digits.rpartition(marks[0])
    if len(marks) > 1:  # 1.234.567
        return digits.replace(marks[0], "")
    if len(rest) == 3 and len(whole) <= 3 and whole != "0":
        raise UnreadableError("is ambiguous: say `decimal: ','` or `decimal: '.'`")
    return f"{whole}.{rest}"


def whole_number(text: str, decimal: str | None = None) -> int:
    """Return the first number in *text*, which must be a whole one; so 1,234 is a thousand.

    Raises:
        UnreadableError: there is none.
    """
    found = _NUMBER.search(text)
    if found and re.fullmatch(r"\d{1,3}[.,]\d{3}", found["digits"]):
        decimal = "," if "." in found["digits"] else "."
    value = number(text, decimal)
    if value != int(value):
        raise UnreadableError("is no whole number")
    return int(value)


def price(text: str, decimal: str | None = None) -> tuple[float, str | None]:
    """Return amount and currency, as the page writes it: $, EUR, zł.

    Raises:
        UnreadableError: there is no amount, or it can be read in two ways.
    """
    found = Price.fromstring(text[:200])
    amount = found.amount_text if found.amount_text and re.search(r"\d", text) else None
    if amount is None:
        raise UnreadableError("is no price")
    before = text[: text.find(amount)].rstrip()
    value = number(amount, decimal)
    return -value if before.endswith(_MINUS) else value, found.currency


def boolean(text: str) -> bool:
    """Return what *text* says, yes or no; anything else is there, and that is a yes."""
    return text.strip().lower() not in _FALSE


def iso_date(text: str, order: str | None = None, language: str | None = None) -> str:
    """Return the date, and the time if there is one, as ISO 8601 has it.

    Args:
        order: of the numbers in 03/04/2026, one of ORDERS; None when nobody has said.
        language: that of the page, like `de`.

    Raises:
        UnreadableError: it is none, or can be read in two ways.
    """
    text = text.strip()
    if len(text) > LONGEST_DATE:
        raise UnreadableError("is no date")
    for read in (_iso, _rfc):
        try:
            return read(text)
        except (ValueError, TypeError):
            continue
    parts = _AMBIGUOUS_DATE.match(text)
    if parts and not order and max(int(parts[1]), int(parts[3])) <= 12 and parts[1] != parts[3]:
        raise UnreadableError("is ambiguous: say `order: DMY` or `order: MDY`")
    found = _in_words(text, order or "DMY", language)
    if found is None:
        raise UnreadableError("is no date")
    return found


def _iso(text: str) -> str:
    return (date if len(text) <= 10 else datetime).fromisoformat(text).isoformat()


def _rfc(text: str) -> str:
    return parsedate_to_datetime(text).isoformat()


@lru_cache(maxsize=4096)
def _in_words(text: str, order: str, language: str | None) -> str | None:
    try:
        found = _date_parser(order, language).get_date_data(text).date_obj
    except (ValueError, OverflowError):
        return None
    if found is None:
        return None
    has_time = re.search(r"\d:\d", text) is not None
    value: datetime = found
    return value.isoformat() if has_time else value.date().isoformat()


@lru_cache(maxsize=256)
def _date_parser(order: str, language: str | None) -> Any:
    from dateparser.date import DateDataParser  # extra `dates`; half a second to import

    languages: Sequence[str] = LANGUAGES
    if language and language not in LANGUAGES:
        from dateparser.data import languages_info

        if language in languages_info.language_order:
            languages = (language, *LANGUAGES)
    elif language:
        languages = (language, *(name for name in LANGUAGES if name != language))
    return DateDataParser(
        languages=list(languages),
        use_given_order=True,
        try_previous_locales=False,  # the same text is the same date, whatever came before
        settings={
            "PARSERS": ["absolute-time"],  # "two days ago" depends on the day
            "REQUIRE_PARTS": ["day", "month", "year"],
            "DATE_ORDER": order,
        },
    )
