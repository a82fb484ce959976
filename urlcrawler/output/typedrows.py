"""The rows of a table as a database takes them, whose columns have types."""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from urlcrawler.output.cells import Kind, conform

logger = logging.getLogger(__name__)


class TypedRows:
    """Makes cells of their types; what is none of its type is left out, and counted.

    Attributes:
        kinds: of the columns, in their order; lists and objects are JSON.
    """

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self.kinds = {
            name: kind if isinstance(kind, str) else "json" for name, kind in kinds.items()
        }
        self._odd: Counter[str] = Counter()

    def read(self, rows: Path) -> Iterator[list[Any]]:
        """Yield the cells of each row of a table in JSON Lines."""
        with rows.open("rb") as lines:
            for line in lines:
                row = json.loads(line)
                yield [self._cell(name, kind, row.get(name)) for name, kind in self.kinds.items()]
        say_odd(self._odd, self.kinds)

    def _cell(self, name: str, kind: str, value: Any) -> Any:
        if value is None:
            return None
        cell = conform(value, kind)
        self._odd[name] += cell is None
        return cell


def say_odd(odd: Counter[str], kinds: Mapping[str, Any]) -> None:
    """Say in the log how many values of which columns were none of their type."""
    for name, count in (+odd).items():
        logger.warning(
            "%(count)d values of the column %(name)s are no %(kind)s, and are left out",
            {"count": count, "name": name, "kind": kinds[name]},
        )
