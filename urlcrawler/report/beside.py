"""What a crawl leaves beside its table: its stats, and a line for each host."""

import csv
import json
from math import isfinite
from pathlib import Path
from typing import Any

from urlcrawler.output.tablefile import beside
from urlcrawler.report.hosts import Throttled


def read_stats(table: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the stats of the crawl that has written *table*, and what kept them from being read.

    They are in the hidden file of `extensions.statsfile.StatsFile`. Without it there are none.
    """
    path = beside(table, ".stats.json")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, []
    except OSError as error:
        return {}, [f"{path}: {error.strerror}. The report does without the stats of the crawl."]
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return {}, [f"{path}: is no JSON object. The report does without the stats of the crawl."]
    return found, []


def read_throttled(table: Path, stats: dict[str, Any]) -> dict[str, Throttled]:
    """Return what the throttle has noted of each host, all runs together.

    It is in the hidden file of `extensions.usage.HostUsage`; of ten hosts also in the stats.
    """
    found: dict[str, Throttled] = {}
    try:
        with beside(table, ".hosts.csv").open(encoding="utf-8", newline="") as file:
            for line in csv.DictReader(file):
                _add(found, line)
    except (OSError, ValueError, csv.Error):
        pass  # it may be lost at any time, and is: a table is moved without it
    slowest = stats.get("throttle/slowest")
    if not found and isinstance(slowest, list):
        for line in slowest:
            if isinstance(line, dict):
                _add(found, line)
    return found


def _add(found: dict[str, Throttled], line: dict[str, Any]) -> None:
    try:
        paused, refused = float(line["paused"]), int(line["refused"])
        highest, name = int(line["highest"]), str(line["host"])
    except (KeyError, ValueError, TypeError, OverflowError):
        return
    if not isfinite(paused):
        return
    host = found.setdefault(name, Throttled())
    host.paused = round(host.paused + paused, 1)
    host.refused += refused
    host.highest = max(host.highest, highest)
    host.given_up = str(line.get("given_up") or "")
