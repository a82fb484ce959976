"""Spider arguments: the values after `-a`, checked before anything is opened."""

from difflib import get_close_matches
from typing import Any

from cssselect import SelectorSyntaxError, parse

from urlcrawler.exceptions import ArgumentError
from urlcrawler.inputs.shards import Shard, parse_shard
from urlcrawler.items import BASE_COLUMNS
from urlcrawler.outcomes import ERRORS, RETRYABLE

ARGUMENTS = {
    "file": "the list: a path, an http(s) URL, or - for standard input",
    "urls": "the URLs themselves in place of `file`, separated by white space; 100 KB at most",
    "column": "the column (CSV, TSV, Parquet) or key (JSON Lines) that holds the URLs",
    "duplicates": "skip (default): a repeated URL gets a `duplicate` row; fetch: request each",
    "limit": "crawl only the first so many records of the list",
    "fields": "a YAML file with what is wanted of each page: selectors, types, columns",
    "render": "off (default); auto: a browser for pages that are empty without it; always",
    "render_wait_for": "a CSS selector: a rendered page is complete when it is there",
    "json_ld": "types of JSON-LD that the column json_ld has: Product,Article (default: all)",
    "headers": "a YAML file with headers and cookies for some hosts, and for no others",
    "since": "the table of an earlier crawl: pages that have not changed are not fetched again",
    "shard": "3/16: only the third of sixteen parts of the list, whole hosts each",
    "retry": "failed: crawl records again whose error is retryable; or name errors: dns,http-5xx",
}
COLUMN_TYPES = ("str", "int", "float", "bool", "json")  # what `cells.typed` reads back
_COMMAND = "scrapy crawl {spider} -a file=urls.txt"


def check_names(
    given: dict[str, Any], known: dict[str, str], spider: str, *, needs_list: bool = True
) -> None:
    """Refuse arguments that nothing reads. Names that begin with `_` are scrapyd's and pass.

    Raises:
        ArgumentError: an unknown name, neither `file` nor `urls` where a list is needed, or both.
    """
    for name in given:
        if name not in known and not name.startswith("_"):
            near = get_close_matches(name, known, 1)
            hint = f"Did you mean `{near[0]}`? " if near else ""
            raise ArgumentError(
                f"argument `{name}`: there is no such argument. {hint}"
                f"Arguments are: {', '.join(known)}"
            )
    if given.get("file") and given.get("urls"):
        raise ArgumentError(
            "arguments `file` and `urls`: either names the list, and only one of them can. Leave "
            "one out"
        )
    if needs_list and not given.get("file") and "urls" not in given:
        raise ArgumentError(
            f"argument `file`: name the list, for example {_COMMAND.format(spider=spider)}"
        )


def check_columns(spider: Any) -> dict[str, str]:
    """Return the `columns` of a spider's own.

    Raises:
        ArgumentError: one cannot be a column.
    """
    for name, kind in spider.columns.items():
        if name in BASE_COLUMNS:
            raise ArgumentError(
                f"spider {spider.name!r}: every table has a column {name!r}. Choose another name "
                "in `columns`"
            )
        if kind not in COLUMN_TYPES:
            raise ArgumentError(
                f"spider {spider.name!r}: the type of column {name!r} must be one of "
                f"{', '.join(COLUMN_TYPES)}, not {kind!r}"
            )
    return dict(spider.columns)


def one_of(name: str, value: str, choices: tuple[str, ...]) -> str:
    """Return *value* if it is one of *choices*.

    Raises:
        ArgumentError: it is not.
    """
    if value not in choices:
        raise ArgumentError(f"argument `{name}`: must be {' or '.join(choices)}, not {value!r}")
    return value


def check_selector(name: str, value: str | None) -> None:
    """See that *value* is a CSS selector, as far as that can be told without a browser.

    Raises:
        ArgumentError: it is none.
    """
    try:
        parse(value or "*")
    except SelectorSyntaxError as error:
        raise ArgumentError(f"argument `{name}`: {value!r} is no CSS selector: {error}") from error


def positive(name: str, value: str | int) -> int:
    """Return *value* as a whole number above 0.

    Raises:
        ArgumentError: it is none.
    """
    if not str(value).isdecimal() or int(value) < 1:
        raise ArgumentError(f"argument `{name}`: must be a whole number above 0, not {value!r}")
    return int(value)


def shard_named(value: str) -> Shard:
    """Return the shard that *value* names.

    Raises:
        ArgumentError: it names none.
    """
    shard = parse_shard(value)
    if shard is None:
        raise ArgumentError(
            f"argument `shard`: must be like 3/16, the third of sixteen, not {value!r}"
        )
    return shard


def names_in(name: str, value: str | None) -> frozenset[str]:
    """Return the names in *value*, separated by commas; none when nothing was given.

    Raises:
        ArgumentError: it was given, and names nothing.
    """
    names = frozenset(filter(None, map(str.strip, (value or "").split(","))))
    if value is not None and not names:
        raise ArgumentError(f"argument `{name}`: names nothing. Separate names with commas")
    return names


def errors_named(name: str, value: str | None) -> frozenset[str]:
    """Return the errors that *value* names, separated by commas; `failed` is every retryable.

    Raises:
        ArgumentError: it names something else.
    """
    if value is None:
        return frozenset()
    errors: set[str] = set()
    for word in filter(None, map(str.strip, value.split(","))):
        if word == "failed":
            errors |= RETRYABLE
        elif word in ERRORS:
            errors.add(word)
        else:
            near = get_close_matches(word, ["failed", *ERRORS], 1)
            hint = f"Did you mean `{near[0]}`? " if near else ""
            raise ArgumentError(
                f"argument `{name}`: there is no error {word!r}. {hint}Type {name}=failed for all "
                f"that are retryable, or some of: {', '.join(ERRORS)}"
            )
    if not errors:
        raise ArgumentError(f"argument `{name}`: names no error. Type {name}=failed")
    return frozenset(errors)
