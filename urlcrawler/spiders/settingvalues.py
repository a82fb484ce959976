"""Refuses settings with which nothing would ever be requested or written."""

import math
import os
from importlib.util import find_spec
from typing import Any

from scrapy.settings import BaseSettings
from scrapy.utils.misc import load_object

from urlcrawler.addresses import AddressPolicy, allowed_addresses
from urlcrawler.divided import is_divided
from urlcrawler.exceptions import ArgumentError
from urlcrawler.extract.metadata import GROUPS
from urlcrawler.hosts.groups import KINDS
from urlcrawler.openfiles import SPARE, allow_open_files
from urlcrawler.output.itemfile import goes_on, items_feeds
from urlcrawler.output.parts import IS_CHILD
from urlcrawler.spiders.wiring import HANDLERS

_BOOLEANS = (
    "SORT_TABLE", "CSV_FORMULAS", "AUTOTHROTTLE_ENABLED", "AUTOTHROTTLE_DEBUG", "RETRY_ENABLED",
    "RETRY_LAST_ROUND", "ROBOTSTXT_OBEY", "DNSCACHE_ENABLED", "CARRY_UNCHANGED",
    "KEEPALIVE_ENABLED", "PROGRESS_ENABLED",
)  # fmt: skip
_WHOLE_AT_LEAST = {
    "CONCURRENT_REQUESTS": 0,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
    "RETRY_TIMES": 0,
    "DNSCACHE_SIZE": 0,
    "REACTOR_THREADPOOL_MAXSIZE": 1,
    "DOWNLOAD_HEAD_MAXSIZE": 1,
    "DOWNLOAD_MAXSIZE_TOTAL": 0,
    "URLLENGTH_LIMIT": 0,
    "PROCESSES": 1,
    "RENDER_TABS": 1,
    "RENDER_RECYCLE": 1,
    "RENDER_MEMORY_MB": 100,
}
_AT_LEAST = {
    "DOWNLOAD_TIMEOUT": 1,
    "COMPONENT_TIMEOUT": 0.001,
    "AUTOTHROTTLE_TARGET_CONCURRENCY": 1,
    "AUTOTHROTTLE_MAX_DELAY": 0,
    "DOWNLOAD_DELAY": 0,
    "BACKOFF_START": 0,
    "BACKOFF_MAX": 0,
    "RETRY_AFTER_MAX": 0,
    "DNS_TIMEOUT": 0.001,
    "PARSE_TIMEOUT": 0.001,
    "LOOP_BLOCKED_WARNING": 0,
    "RENDER_TIMEOUT": 1,
    "LOGSTATS_INTERVAL": 0,
}
_ONE_OF = {"THROTTLE_GROUP_BY": KINDS, "KEEP_PAGES": ("", "warc")}


def check_values(settings: BaseSettings) -> None:
    """Refuse values with which nothing would ever be requested or written.

    Raises:
        ArgumentError: a setting is no number, or too small, or neither true nor false; or they
            are those of another project, or of none.
    """
    if "METADATA" not in settings:
        raise ArgumentError(
            "the settings of urlcrawler are not there. Run the command below the folder with its "
            "scrapy.cfg, or type export SCRAPY_SETTINGS_MODULE=urlcrawler.settings"
        )
    for name in _BOOLEANS:
        try:
            settings.getbool(name)
        except ValueError as error:
            raise ArgumentError(
                f"setting {name}: must be 1 or 0, not {settings[name]!r}"
            ) from error
    for name, choices in _ONE_OF.items():
        if settings[name] not in choices:
            raise ArgumentError(
                f"setting {name}: must be {' or '.join(filter(None, choices))}, "
                f"not {settings[name]!r}"
            )
    if settings["KEEP_PAGES"] and find_spec("warcio") is None:
        raise ArgumentError("setting KEEP_PAGES: needs warcio. Type pip install warcio")
    for name, least in (_WHOLE_AT_LEAST | _AT_LEAST).items():
        _check_number(f"setting {name}", settings[name], least, whole=name in _WHOLE_AT_LEAST)
    for name in settings.getlist("RETRY_HTTP_CODES"):
        _check_number("setting RETRY_HTTP_CODES", name, 100, whole=True)
    _check_processes(settings)
    _check_slots(settings)
    _check_metadata(settings)
    _check_addresses(settings)
    _check_open_files(settings)


def _check_number(what: str, value: Any, least: float, *, whole: bool) -> None:
    try:
        fits = least <= float(value) < math.inf and (not whole or int(value) == float(value))
    except (TypeError, ValueError):
        fits = False
    if not fits:
        kind = "whole number" if whole else "number"
        raise ArgumentError(f"{what}: must be a {kind} from {least} on, not {value!r}")


def _check_processes(settings: BaseSettings) -> None:
    if settings["CLUSTER_SCHEDULER"] and settings["STARTED_BY"] != "shards":
        raise ArgumentError(
            "setting CLUSTER_SCHEDULER: is that of scrapy shards run. Type it, with --scheduler"
        )
    if settings["CLUSTER_FOLDER"] and settings["KEEP_PAGES"]:
        raise ArgumentError(
            "setting KEEP_PAGES: each machine writes its pages beside the table. Put that on the "
            "disk that all of them see, with -o, and leave out --work"
        )
    if settings["CLUSTER_SCHEDULER"] and settings.getint("PROCESSES") > 1:
        raise ArgumentError(
            "setting PROCESSES: the threads of the workers say how many shards are crawled at a "
            "time. Leave it at 1"
        )
    if is_divided(settings):
        if IS_CHILD in os.environ:
            raise ArgumentError("setting PROCESSES: this is one of several processes already")
        if not settings.getlist("CHILD_COMMAND"):
            raise ArgumentError(
                "setting PROCESSES: only the command scrapy crawl starts several processes. Use "
                "it, or leave the setting at 1"
            )
        for uri, options in items_feeds(settings).items():
            if not goes_on({**options, "overwrite": False}) or "://" in uri or "%(" in uri:
                raise ArgumentError(
                    f"feed {uri}: of several processes or machines the feeds of other items must "
                    "be local files in JSON Lines. Name it so, or leave PROCESSES at 1"
                )
        if settings["THROTTLE_GROUP_BY"] == "ip":
            raise ArgumentError(
                "setting THROTTLE_GROUP_BY: hosts that are grouped by address cannot be divided "
                "before they are looked up. Type -s THROTTLE_GROUP_BY=host (or domain), or leave "
                "PROCESSES at 1"
            )


def _check_slots(settings: BaseSettings) -> None:
    try:
        slots = settings.getdict("DOWNLOAD_SLOTS")
        wrong = [name for name, slot in slots.items() if not isinstance(slot, dict)]
    except ValueError as error:
        raise ArgumentError(f"setting DOWNLOAD_SLOTS: {error}") from error
    if wrong:
        raise ArgumentError(
            f"setting DOWNLOAD_SLOTS: must hold an object for each host, "
            f'{{"{wrong[0]}": {{"concurrency": 2, "delay": 1}}}}, not {slots[wrong[0]]!r}'
        )
    for name, slot in slots.items():
        for key, least, whole in (("concurrency", 1, True), ("delay", 0, False)):
            if key in slot:
                what = f"setting DOWNLOAD_SLOTS: {key} of {name!r}"
                _check_number(what, slot[key], least, whole=whole)


def _check_metadata(settings: BaseSettings) -> None:
    for name in settings.getlist("METADATA"):
        if name not in GROUPS:
            raise ArgumentError(
                f"setting METADATA: there is no group {name!r}; groups are: {', '.join(GROUPS)}"
            )
        if name == "article" and find_spec("trafilatura") is None:
            raise ArgumentError(
                "setting METADATA: the group article needs trafilatura. "
                "Type pip install trafilatura"
            )


def _check_addresses(settings: BaseSettings) -> None:
    value = settings["ALLOW_PRIVATE_ADDRESSES"]
    try:
        policy = AddressPolicy(allowed_addresses(value))
    except (ValueError, TypeError) as error:
        raise ArgumentError(
            f"setting ALLOW_PRIVATE_ADDRESSES: must be 1, 0 or networks like 10.0.0.0/8, "
            f"separated by commas: {error}"
        ) from error
    for scheme in ("http", "https"):
        path = settings["DOWNLOAD_HANDLERS"].get(scheme)
        if path and not hasattr(_handler(path), "checks_addresses") and policy.refuses_any:
            raise ArgumentError(
                f"setting DOWNLOAD_HANDLERS: {path!r} would connect to private addresses. Type "
                f"-s ALLOW_PRIVATE_ADDRESSES=1 if it may, or use {HANDLERS[scheme]!r}"
            )


def _handler(path: Any) -> Any:
    try:
        return load_object(path)
    except (ImportError, NameError, ValueError, TypeError) as error:
        raise ArgumentError(
            f"setting DOWNLOAD_HANDLERS: {path!r} cannot be loaded: {error}. "
            f"Use {HANDLERS['https']!r}"
        ) from error


def _check_open_files(settings: BaseSettings) -> None:
    wanted, allowed = settings.getint("CONCURRENT_REQUESTS") + SPARE, allow_open_files()
    if wanted > allowed:
        raise ArgumentError(
            f"setting CONCURRENT_REQUESTS: {wanted - SPARE} connections take {wanted} open files, "
            f"and this process may have {allowed}. Type ulimit -n {wanted}, or "
            f"-s CONCURRENT_REQUESTS={max(1, allowed - SPARE)}"
        )
