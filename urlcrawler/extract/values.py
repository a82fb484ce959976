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
_MARKS = ".,\u066b\u066c\uff0e\uff0c"  # of thousands and decimals; the last four not here
# A number with nothing at its ends that may belong to it: 192.168.1.1, 1.5k and .5 are none.
_NUMBER = re.compile(
    rf"(?<![0-9{_MARKS}])(?<![0-9][a-z])(?P<sign>[-+\u2212]?)[ \u00a0]{{0,3}}(?<!\d)"
    rf"(?P<digits>[0-9]{{1,3}}(?:{_GAP}[0-9]{{3}})+(?![0-9])(?:[.,][0-9]+)?|[0-9][0-9.,]*)"
    rf"(?!(?:[km]\b|mio|mill|mrd|bn\b)|[{_MARKS}]?[0-9]|[\u066b\u066c\uff0e\uff0c]"
    rf"|e[-+]?[0-9]|\s?(?:k|mio|mill|million|mrd|bn)\b)",
    re.IGNORECASE,
)
_LONGEST_NUMBER = 200  # characters in which a number is looked for
# 1,234 and 1,234,567 (and 12,34,567 in India), each with one mark.
_THOUSANDS = re.compile(
    r"[0-9]{1,3}(?:([.,])[0-9]{3})(?:\1[0-9]{3})*|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}"
)
_AMBIGUOUS_DATE = re.compile(r"\D*(\d{1,2})[\s./-]+(\d{1,2})[\s./-]+(\d{4}|\d{2})\b")
_SAY_ORDER = "is ambiguous: say `order: DMY` or `order: MDY`"
_ONLY_NUMBERS = re.compile(r"[\d\s.,:/xX-]*")
_NUMBERS_OF_A_DATE = re.compile(
    r"\s*\d{1,4}([./-])\d{1,2}\1\d{1,4}(?:[T\s]+\d{1,2}:\d{2}(:\d{2})?)?\s*"
)


class UnreadableError(Exception):
    """Says why a text is no value of the type that was asked for."""


def number(text: str, decimal: str | None = None) -> float:
    """Return the first number in *text*.

    Args:
        decimal: the sign before decimals, "." or ","; None when nobody has said.

    Raises:
        UnreadableError: there is none, or it can be read in two ways.
    """
    sign, digits = _first(text)
    value = float(_with_point(digits, decimal))
    if math.isinf(value):
        raise UnreadableError("is no number that fits")
    return -value if sign in _MINUS else value


def _first(text: str) -> tuple[str, str]:
    """Return sign and digits of the first number, with its marks and without gaps."""
    found = _NUMBER.search(text[:_LONGEST_NUMBER])
    if not found:
        raise UnreadableError("is no number")
    if found.end() == _LONGEST_NUMBER:
        raise UnreadableError("is no number that fits")
    return found["sign"], re.sub(_GAP, "", found["digits"]).rstrip(".,")


def _with_point(digits: str, decimal: str | None) -> str:
    """Return *digits* without marks of thousands, and with a point before decimals."""
    marks = [mark for mark in digits if mark in ".,"]
    if not marks:
        return digits
    if decimal is None:
        if len(set(marks)) == 2 and marks.count(marks[-1]) == 1:
            decimal = marks[-1]  # the last one is that of the decimals: 1,234.50
        elif len(marks) > 1:  # 1.234.567, or nothing that is a number
            decimal = "," if marks[0] == "." else "."
        elif _THOUSANDS.fullmatch(digits) and digits[0] != "0":
            raise UnreadableError("is ambiguous: say `decimal: ','` or `decimal: '.'`")
        else:
            decimal = marks[0]
    whole, _, rest = digits.partition(decimal)
    has_marks = not whole.isdecimal()
    if (has_marks and not _THOUSANDS.fullmatch(whole)) or not (rest.isdecimal() or not rest):
        raise UnreadableError("is no number that can be read in one way")
    return f"{re.sub('[.,]', '', whole)}.{rest or 0}"


def whole_number(text: str, decimal: str | None = None) -> int:
    """Return the first number in *text*, which must be a whole one; so 1,234 is a thousand.

    Raises:
        UnreadableError: there is none.
    """
    sign, digits = _first(text)
    if decimal is None and _THOUSANDS.fullmatch(digits) and digits[0] != "0":
        whole, rest = re.sub("[.,]", "", digits), "0"
    else:
        whole, _, rest = _with_point(digits, decimal).partition(".")
    if rest.strip("0"):
        raise UnreadableError("is no whole number")
    if len(whole) > 300:
        raise UnreadableError("is no number that fits")
    return -int(whole) if sign in _MINUS else int(whole)


def price(text: str, decimal: str | None = None) -> tuple[float, str | None]:
    """Return amount and currency, as the page writes it: $, EUR, zł.

    Raises:
        UnreadableError: there is no amount, or it can be read in two ways.
    """
    numbers = list(_NUMBER.finditer(text[:_LONGEST_NUMBER]))
    if len(numbers) > 1:
        raise UnreadableError("names several numbers")
    if not numbers:
        raise UnreadableError("is no price")
    before = text[: numbers[0].start()].rstrip()
    value = number(text, decimal)
    value = -value if before.endswith(_MINUS) else value
    return value, Price.fromstring(text[:_LONGEST_NUMBER]).currency


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
        if text.isdigit() and len(text) != 8:
            break  # a time of Unix, of which Python reads some as dates of the middle ages
        try:
            return read(text)
        except (ValueError, TypeError):
            continue
    parts = _AMBIGUOUS_DATE.match(text)
    if parts and not order and max(int(parts[1]), int(parts[2])) <= 12 and parts[1] != parts[2]:
        raise UnreadableError(_SAY_ORDER)
    if _ONLY_NUMBERS.fullmatch(text):
        found = _NUMBERS_OF_A_DATE.fullmatch(text)
        two_digits = max(map(len, re.findall(r"\d+", text.split(":")[0])), default=0) < 4
        if not found or (two_digits and not order):  # a time of Unix, a version, 26/03/04
            raise UnreadableError("is no date" if not found else _SAY_ORDER)
    day = _in_words(text, order or "DMY", language)
    if day is None:
        raise UnreadableError("is no date")
    return day


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
