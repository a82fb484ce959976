"""How good the table is to be: read before anything is opened, as -O may begin with emptying it."""

import json
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from urlcrawler.exceptions import ArgumentError
from urlcrawler.output.quality import Wanted, quality_of


def wanted_of(settings: Any, spider: Any, feeds: list[Path]) -> Wanted:
    """Return what the settings want.

    Args:
        feeds: the files that the crawl writes.

    Raises:
        ArgumentError: a setting is no share, names no column, or no earlier table.
    """
    if settings.getbool("LEASH_ENABLED"):
        return Wanted()  # the parent looks at the table of all processes
    own = [*spider.own_columns]
    wanted = Wanted(
        ok_share=_share(settings, "MIN_OK_SHARE"),
        coverage=_coverage(settings["MIN_FIELD_COVERAGE"], spider.table.columns, own),
        drop=_share(settings, "MAX_DROP"),
        ok_share_lately=_share(settings, "CLOSESPIDER_OK_SHARE"),
    )
    if earlier := settings["MAX_DROP_AGAINST"]:
        name, path = "MAX_DROP_AGAINST", Path(earlier).expanduser()
        if any(feed.exists() and path.exists() and feed.samefile(path) for feed in feeds):
            raise ArgumentError(
                f"setting {name}: {earlier} is the table that this crawl writes. Keep the earlier "
                "one under another name"
            )
        try:
            before = quality_of(str(path), own, formulas=settings.getbool("CSV_FORMULAS"))
        except ArgumentError as error:
            raise ArgumentError(f"setting {name}: {error}") from error
        if not before.records:
            raise ArgumentError(f"setting {name}: {earlier} has no row to compare with")
        wanted.before = before
    return wanted


def _share(settings: Any, name: str) -> float:
    try:
        share = float(settings[name])
    except (TypeError, ValueError):
        share = -1.0
    if not 0 <= share <= 1:
        raise ArgumentError(f"setting {name}: must be a share from 0 to 1, not {settings[name]!r}")
    return share


def _coverage(given: Any, columns: list[str], own: list[str]) -> dict[str, float]:
    """Return the least share of pages with a value, by column."""
    try:
        wanted = json.loads(given) if isinstance(given, str) and given else given
    except ValueError:
        wanted = given
    name = "MIN_FIELD_COVERAGE"
    if not isinstance(wanted, dict):
        share = _share({name: wanted or 0}, name)
        if share and not own:
            raise ArgumentError(
                f"setting {name}: there are no fields. Name them with -a fields=fields.yaml, or "
                f"columns: -s {name}='{{\"title\": 0.9}}'"
            )
        return dict.fromkeys(own, share) if share else {}
    for column in wanted:
        if column not in columns:
            near = get_close_matches(column, columns, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ArgumentError(f"setting {name}: there is no column {column!r}.{hint}")
    return {column: _share({name: share}, name) for column, share in wanted.items()}
