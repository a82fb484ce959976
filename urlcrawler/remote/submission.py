"""What a job is given: its list, and the id by which it is found again."""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from urlcrawler.exceptions import ArgumentError
from urlcrawler.inputs.formats import open_reader
from urlcrawler.inputs.index import ListIndex
from urlcrawler.inputs.inline import MOST
from urlcrawler.inputs.sources import open_source, skip_bom, text_of
from urlcrawler.spiders.arguments import positive
from urlcrawler.spiders.job import is_safe

# What schedule.json, and the queue of scrapyd, take for themselves.
RESERVED = ("project", "spider", "jobid", "priority", "setting", "settings", "name", "version")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_NAME = 40  # characters of the list's name in the id of a job


@dataclass(frozen=True)
class Submission:
    """A crawl that is to be a job.

    Attributes:
        list_name: for the table here.
        spider: its name.
        arguments: of the spider, the list among them.
        job: the id of the job: the same for the same list and arguments, so that a job that was
            stopped is taken up when it is submitted again.
    """

    list_name: str
    spider: str
    arguments: Mapping[str, str]
    job: str


def describe(
    path: str | None, spider: str, arguments: Mapping[str, str], job: str | None
) -> Submission:
    """Return the job for the list at *path*, or for the one that the argument `file` names.

    Args:
        path: of a list on this machine, or - for standard input.
        arguments: those after -a.
        job: its id, if the user has chosen one.

    Raises:
        ArgumentError: no list, or two, or an argument that a job cannot have.
        ListError: the list cannot be read.
    """
    given = dict(arguments)
    for name in given:
        if name in RESERVED or name.startswith("_"):
            raise ArgumentError(f"argument `{name}`: scrapyd has a use of its own for it")
        if "\0" in given[name]:
            raise ArgumentError(f"argument `{name}`: holds a NUL, which no argument can")
        if len(given[name].encode(errors="surrogateescape")) > MOST:
            raise ArgumentError(f"argument `{name}`: has over {MOST:,} bytes. {_WAYS}")
    if (path is not None) + ("file" in given) + ("urls" in given) != 1:
        raise ArgumentError(
            "name one list: scrapy submit urls.txt for one that is here, -a file=... for one that "
            "the server can open"
        )
    if job is not None and not is_safe(job):
        raise ArgumentError(
            f"--jobid: must be letters, digits, - _ and . (not at its beginning), 80 at most, "
            f"not {job!r}"
        )
    if path is not None:
        name, given = _inline(path, given)
    else:
        place = given.get("file") or "urls"
        name = Path(unquote(urlsplit(place).path)).name.partition(".")[0] or "list"
    name = _UNSAFE.sub("_", name).strip("_") or "list"
    return Submission(name, spider, given, job or f"{name[:_NAME]}-{_digest(spider, given)}")


_WAYS = (
    "Copy the list to the server and type -a file=/its/path/there, or put it behind a URL that the "
    "server can fetch and type -a file=https://..."
)


def _inline(path: str, given: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return the name of a list here, and the arguments with its content."""
    source = open_source(path)
    try:
        size = source.file.seek(0, os.SEEK_END)
        source.file.seek(0)
        if size > MOST:  # before all of it is read: it may have ten million lines
            raise ArgumentError(f"{path}: has over {MOST:,} bytes, too many to send. {_WAYS}")
        # The whole of it, as the crawl will: what cannot be read is said here and now.
        reader = open_reader(source, given.get("column"))
        limit = positive("limit", given["limit"]) if "limit" in given else 0
        ListIndex(reader, limit=limit)
        source.file.seek(0)
        skip_bom(source.file)
        text = "".join(map(text_of, source.file))
    finally:
        source.close()
    if len(text.encode(errors="surrogateescape")) > MOST:
        raise ArgumentError(f"{path}: has over {MOST:,} bytes, too many to send. {_WAYS}")
    if "\0" in text:
        raise ArgumentError(f"{path}: holds a NUL, so it cannot be sent. {_WAYS}")
    suffix = ".jsonl" if source.suffix == ".parquet" else source.suffix
    return source.name, {**given, "urls": text, "_name": f"{source.name}{suffix}"}


def _digest(spider: str, arguments: Mapping[str, str]) -> str:
    """Return what tells jobs apart whose tables are different ones."""
    same = [(name, value) for name, value in sorted(arguments.items()) if name != "retry"]
    return hashlib.sha256(repr((spider, same)).encode(errors="surrogateescape")).hexdigest()[:12]
