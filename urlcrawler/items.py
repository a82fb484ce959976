"""The row: what one record of the list becomes."""

import re
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from scrapy import Request
from scrapy.http import Response, TextResponse

from urlcrawler.earlier import Earlier
from urlcrawler.inputs.records import Record
from urlcrawler.meta import EARLIER
from urlcrawler.outcomes import ERRORS, OUTCOMES, error_of_status


@dataclass(slots=True)
class Page:
    """One row of the table. Its attributes are the columns, in this order.

    Attributes:
        position: 1-based place of the record in the list.
        url: the URL as the list has it.
        outcome: what happened, one of `outcomes.OUTCOMES`.
        status: HTTP status of the last answer; None when there was none.
        final_url: the URL that answered, after redirects; None when nothing answered.
        redirects: number of redirects followed; None when nothing was requested.
        error: why the row is not `ok`, one of `outcomes.ERRORS`; None when it is.
        reason: the same as a sentence for people.
        attempts: number of times the page was requested, 0 when it never was.
        duplicate_of: position of the record that asks for the same; None when it is the first.
        fetched_at: when the answer was complete (or given up), ISO 8601 in UTC.
        elapsed: seconds from sending the last request to the head of its answer.
        content_type: media type of the answer, without parameters.
        encoding: the character encoding that the text was read with; None when it is no text.
        bytes: size of the body in bytes, unpacked.
        body_hash: first 32 digits of the SHA-256 of the body, unpacked; None without a body.
        etag: the header ETag of the answer.
        last_modified: the header Last-Modified of the answer.
        title: title of the page, in one line.
        columns: the other columns of the list. Each becomes a column of the table, after ours.
    """

    position: int
    url: str
    outcome: str = "failed"
    status: int | None = None
    final_url: str | None = None
    redirects: int | None = None
    error: str | None = None
    reason: str | None = None
    attempts: int = 0
    duplicate_of: int | None = None
    fetched_at: str | None = None
    elapsed: float | None = None
    content_type: str | None = None
    encoding: str | None = None
    bytes: int | None = None
    body_hash: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    title: str | None = None
    columns: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, record: Record) -> "Page":
        """Return the page of a record to which nothing has happened yet."""
        return cls(record.position, record.url, columns=record.columns)

    def fail(self, error: str, reason: str) -> "Page":
        """Say why the page is not `ok`: a slug of `outcomes.ERRORS` and a sentence."""
        self.outcome, self.error, self.reason = ERRORS[error].outcome, error, reason
        return self

    def requested(self, request: Request, *, waits: bool = False) -> "Page":
        """Take over what is known of a request that was sent, answered or not.

        One that *waits* was sent before, and is to be sent once more.
        """
        meta = request.meta
        self.redirects = meta.get("redirect_times", 0)
        self.attempts = meta.get("retry_times", 0) + meta.get("pauses", 0) + (not waits)
        self.fetched_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        return self

    def answered(self, response: Response) -> "Page":
        """Take over what is known of the final answer, and decide the outcome by its status."""
        assert response.request is not None  # noqa: S101 - Scrapy sets it before callbacks
        self.requested(response.request)
        latency = response.request.meta.get("download_latency")
        self.elapsed = None if latency is None else round(latency, 3)
        self.status, self.final_url = response.status, response.url
        media_type = response.headers.get("Content-Type") or b""
        self.content_type = media_type.decode("latin-1").split(";")[0].strip().lower() or None
        self.bytes = len(response.body)
        if response.body:
            self.body_hash = sha256(response.body).hexdigest()[:32]
        self.etag, self.last_modified = _text(response, "ETag"), _text(response, "Last-Modified")
        if isinstance(response, TextResponse) and response.body:
            self.encoding = response.encoding
        error = error_of_status(response.status)
        if blocked := response.request.meta.get("blocked"):
            self.fail("blocked", blocked)
        elif error == "bad-redirect":
            self.fail(error, _redirect_reason(response))
        elif error:
            self.fail(error, status_reason(response.status))
        else:
            self._compare(response.request.meta.get(EARLIER))
        return self

    def _compare(self, earlier: Earlier | None) -> None:
        """Decide whether the page is what an earlier crawl has found already."""
        if earlier and earlier.url != self.final_url:
            earlier = None  # of another page
        if self.status == 304:
            self.outcome, self.bytes = "unchanged", None
        elif earlier and earlier.body_hash == self.body_hash:
            self.outcome = "unchanged"
        else:
            self.outcome = "ok"
        if earlier and self.outcome == "unchanged":  # the next crawl may ask by this row
            self.etag = self.etag or earlier.etag or None
            self.last_modified = self.last_modified or earlier.last_modified or None
            self.body_hash = earlier.body_hash or None

    def carry(self, earlier: Earlier) -> None:
        """Take over what an earlier crawl has found of a page that has not changed since."""
        for name in CONTENT_COLUMNS:
            value = earlier.row.get(name)
            if getattr(self, name) is None and value not in (None, ""):
                setattr(self, name, int(value) if name == "bytes" else value)


# What is in a page, and so in that of an earlier crawl when it has not changed.
CONTENT_COLUMNS = ("content_type", "encoding", "bytes", "title")
OWN_COLUMNS = tuple(column.name for column in fields(Page) if column.name != "columns")


class Row(dict[str, Any]):
    """A flat row of the table. A class of its own, so that a feed can tell it from other items."""


class Table:
    """The columns of one crawl's table: ours, then those of the list.

    A column of the list with the name of one of ours gets the prefix `in_`.
    """

    def __init__(self, input_columns: list[str]) -> None:
        self._carried: dict[str, str] = {}
        taken = set(OWN_COLUMNS)
        for name in input_columns:
            column = clean(name)
            while column in taken or (column != name and column in input_columns):
                column = f"in_{column}"
            taken.add(column)
            self._carried[name] = column
        self.columns = [*OWN_COLUMNS, *self._carried.values()]

    def row(self, page: Page) -> Row:
        """Return *page* as a flat row that has every column, in order.

        Raises:
            ValueError: code of a spider has set an outcome or error that does not exist.
        """
        if page.outcome not in OUTCOMES:
            raise ValueError(f"outcome {page.outcome!r} is none of: {', '.join(OUTCOMES)}")
        if page.error is not None and page.error not in ERRORS:
            raise ValueError(f"error {page.error!r} is none of: {', '.join(ERRORS)}")
        row = Row({name: clean(getattr(page, name)) for name in OWN_COLUMNS})
        for name, column in self._carried.items():
            row[column] = clean(page.columns.get(name))
        return row


_LONGEST_SHOWN = 300  # characters of a target that was not followed
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


def status_reason(status: int) -> str:
    """Return the sentence of a row about an HTTP status."""
    try:
        return f"the server answered {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"the server answered {status}"


def _text(response: Response, header: str) -> str | None:
    value = response.headers.get(header)
    return value.decode("latin-1").strip() or None if value else None


def _redirect_reason(response: Response) -> str:
    location = response.headers.get("Location")
    if location is None:
        return f"the server answered {response.status} without a target"
    target = location.decode("latin-1")
    target = target if len(target) <= _LONGEST_SHOWN else f"{target[:_LONGEST_SHOWN]}…"
    return f"redirects to {target!r}, which was not followed"
