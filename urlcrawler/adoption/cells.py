"""What the cells of somebody else's table are worth in a column of ours."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from urlcrawler.output.cells import Kind

_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
_SECONDS = (1e8, 1e11)  # since 1970, as time.time() has them, from 1973 on; milliseconds are more
_LARGEST = 2**63 - 1


class UnreadableError(ValueError):
    """A cell holds no value of the type of its column."""


def as_text(value: Any) -> str:
    """Return a value as text: as CSV has it, and lists and objects as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def whole_number(value: Any) -> int | None:
    """Return a cell as a whole number, also of `200.0`, as pandas writes a column with gaps."""
    number: int | None = None
    with suppress(ValueError):
        number = int(value) if isinstance(value, str | int) else None
    if number is None:
        try:
            real = float(value)
        except (ValueError, TypeError, OverflowError):
            return None
        number = int(real) if real.is_integer() else None
    return None if isinstance(value, bool) or number is None or abs(number) > _LARGEST else number


def http_status(value: Any) -> int | None:
    """Return a cell as the status of an answer; None when it is none: 0, ConnectionError."""
    number = whole_number(value)
    return number if number is not None and 100 <= number <= 599 else None


def read_cell(value: Any, kind: Kind) -> Any:
    """Return a cell as a column of *kind* has it; None when it is empty.

    Raises:
        UnreadableError: it is no such value.
    """
    if value is None or value == "":
        return None
    if isinstance(kind, str):
        found = _READ[kind](value)
    else:
        found = _json(value)
        if not isinstance(found, type(kind)):
            found = None
    if found is None:
        raise UnreadableError
    return found


def read_time(value: Any) -> str:
    """Return a time as ISO 8601 in UTC.

    Raises:
        UnreadableError: it is none, or does not say of which zone it is.
    """
    try:
        number = float(value)
    except (ValueError, TypeError):
        number = 0.0
    try:
        if number:
            seconds = number if number < _SECONDS[1] else number / 1000
            if not _SECONDS[0] < seconds < _SECONDS[1]:
                raise UnreadableError
            time = datetime.fromtimestamp(seconds, UTC)
        else:
            time = datetime.fromisoformat(value)
            if time.tzinfo is None:
                raise UnreadableError
        return time.astimezone(UTC).isoformat(timespec="milliseconds")
    except (ValueError, TypeError, OverflowError, OSError):
        raise UnreadableError from None


def _float(value: Any) -> float | None:
    try:
        number = None if isinstance(value, bool) else float(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return number if number is not None and abs(number) < float("inf") else None


def _bool(value: Any) -> bool | None:
    return value if isinstance(value, bool) else _BOOLEANS.get(as_text(value).strip().lower())


def _text(value: Any) -> str | None:
    return None if isinstance(value, list | dict) else as_text(value)


def _json(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return None


_READ: dict[str, Callable[[Any], Any]] = {
    "str": _text,
    "int": whole_number,
    "float": _float,
    "bool": _bool,
    "json": _json,
}
