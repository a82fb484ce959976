"""Values as files can hold them, and back."""

import json
import re
from datetime import datetime
from typing import Any

# Of a column: str, int, float, bool, or json for anything; a list of one kind; an object of some.
Kind = str | list["Kind"] | dict[str, "Kind"]
MAX_DEPTH = 100  # levels of JSON; exporters and Python itself give up at a few hundred
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


def clean(value: Any) -> Any:
    r"""Return *value* with what no file can hold written out: NUL as `\x00`, a half of a
    surrogate pair as `\ud83d`. One such character would lose the row in most exporters.
    """
    if isinstance(value, str):
        return _UNWRITABLE.sub(_escape, value) if _UNWRITABLE.search(value) else value
    if isinstance(value, list):
        return [clean(part) for part in value]
    if isinstance(value, dict):
        return {clean(key): clean(part) for key, part in value.items()}
    return value


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("ascii", "backslashreplace").decode().replace("\x00", "\\x00")


def typed(cell: Any, kind: str) -> Any:
    """Return a cell of a table as the value that it was; None when it is empty, or none of these.

    CSV has texts only.
    """
    if cell in (None, "") or not isinstance(cell, str):
        return None if cell == "" else cell
    try:
        match kind:
            case "int":
                return int(cell)
            case "float":
                return float(cell)
            case "bool":
                return {"true": True, "false": False}[cell.lower()]
            case "json":
                return json.loads(cell)
    except (ValueError, KeyError):
        return None
    return cell


_LARGEST = 2**63 - 1


def conform(value: Any, kind: str) -> Any:
    """Return *value* as a column of *kind* holds it that has a type; None when it cannot.

    Lists and objects are JSON, whatever is to be a text and is none too.
    """
    match kind:
        case "json":
            return json.dumps(value, ensure_ascii=False)
        case "str":
            return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        case "time":
            return datetime.fromisoformat(value)
        case "bool" if isinstance(value, bool):
            return value
        case "int" if isinstance(value, int) and abs(value) <= _LARGEST:
            return int(value)
        case "float" if isinstance(value, int | float):
            return float(value)
    return None


def depth(value: Any) -> int:
    """Return how many levels of lists and objects *value* has."""
    depth, level = 0, [value]
    while level := [part for part in level if isinstance(part, list | dict)]:
        depth += 1
        level = [
            inner for part in level for inner in (part.values() if isinstance(part, dict) else part)
        ]
    return depth
