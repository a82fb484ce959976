"""The row: what one record of the list becomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Any, get_type_hints

from scrapy import Request
from scrapy.http import Response, TextResponse

from urlcrawler.extract.extraction import Extracted
from urlcrawler.extract.metadata import METADATA_COLUMNS
from urlcrawler.inputs.records import Record
from urlcrawler.meta import EARLIER, FETCHED, PLAIN, RENDER_ERROR, RENDERED
from urlcrawler.outcomes import ERRORS, error_of_status
from urlcrawler.output.cells import typed
from urlcrawler.output.earlier import Earlier


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
        rendered: whether the page is as the browser has it; null when nobody has asked for that.
        render_error: why it is as it was fetched although it was to be rendered.
        missing: the required fields that found nothing, and texts that no field could read.
        title: title of the page, in one line.
        description: what the page says that it is about.
        canonical: the URL that the page says is its own.
        language: the language that the page, or its header, says it is in.
        h1: the first heading, in one line.
        robots: what robots may do with the page: its meta tag, and X-Robots-Tag.
        og_title: title for social networks, Open Graph or else Twitter.
        og_image: URL of the picture for them.
        og_type: what the page is to them: article, product, website.
        og_site_name: the name of the site.
        published: when the page says that it was published, as it writes it.
        modified: when it says that it was changed.
        author: who it says has written it.
        words: number of words that a reader sees; of Chinese and Japanese the characters.
        json_ld: the objects of its JSON-LD, without their arrays and @graphs.
        alternates: URLs of the page in other languages, by language.
        prev_page: URL of the page before it.
        next_page: URL of the page after it.
        article_title: title of the article, as trafilatura finds it.
        article_text: its text, without navigation, advertisements and comments.
        article_date: its date.
        article_author: its author.
        fields: values of the fields file by column, after ours.
        columns: the other columns of the list. Each becomes a column of the table, the last ones.
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
    rendered: bool | None = None
    render_error: str | None = None
    missing: str | None = None
    title: str | None = None
    description: str | None = None
    canonical: str | None = None
    language: str | None = None
    h1: str | None = None
    robots: str | None = None
    og_title: str | None = None
    og_image: str | None = None
    og_type: str | None = None
    og_site_name: str | None = None
    published: str | None = None
    modified: str | None = None
    author: str | None = None
    words: int | None = None
    json_ld: list[Any] | None = None
    alternates: dict[str, str] | None = None
    prev_page: str | None = None
    next_page: str | None = None
    article_title: str | None = None
    article_text: str | None = None
    article_date: str | None = None
    article_author: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
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
        now = datetime.now(UTC)  # a page that was rendered was fetched before
        self.fetched_at = request.meta.get(FETCHED, now).isoformat(timespec="milliseconds")
        return self

    def answered(self, response: Response) -> "Page":
        """Take over what is known of the final answer, and decide the outcome by its status."""
        assert response.request is not None  # noqa: S101 - Scrapy sets it before callbacks
        self.requested(response.request)
        latency = response.request.meta.get("download_latency")
        self.elapsed = None if latency is None else round(latency, 3)
        self.status, self.final_url = response.status, response.url
        meta = response.request.meta
        self.rendered, self.render_error = meta.get(RENDERED), meta.get(RENDER_ERROR)
        sent = meta.get(PLAIN, response)  # by the server, whatever the browser has made of it
        media_type = sent.headers.get("Content-Type") or b""
        self.content_type = media_type.decode("latin-1").split(";")[0].strip().lower() or None
        self.bytes = len(sent.body)
        if sent.body:
            self.body_hash = sha256(sent.body).hexdigest()[:32]
        self.etag, self.last_modified = _text(sent, "ETag"), _text(sent, "Last-Modified")
        if isinstance(sent, TextResponse) and sent.body:
            self.encoding = sent.encoding
        error = error_of_status(response.status)
        if blocked := meta.get("blocked"):
            self.fail("blocked", blocked)
        elif error == "bad-redirect":
            self.fail(error, _redirect_reason(response))
        elif error:
            self.fail(error, status_reason(response.status))
        else:
            self._compare(None if self.rendered else meta.get(EARLIER))
        return self

    def says(self, extracted: Extracted) -> None:
        """Take over what was extracted from the answer."""
        for name, value in extracted.metadata.items():
            setattr(self, name, value)
        found = extracted.found
        self.fields = found.values
        problems = [*found.missing, *(f"{name} ({why})" for name, why in found.unread.items())]
        self.missing = ", ".join(problems) or None

    def lacks(self, what: str) -> None:
        """Say in `missing` that the page does not have what it should."""
        self.missing = ", ".join(filter(None, (self.missing, what)))

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

    def carry(self, earlier: Earlier, kinds: Mapping[str, str]) -> None:
        """Take over what an earlier crawl has found of a page that has not changed since.

        Args:
            kinds: the columns of the fields file, with their types.
        """
        for name in CONTENT_COLUMNS:
            if getattr(self, name) is None:
                setattr(self, name, typed(earlier.row.get(name), COLUMN_KINDS[name]))
        for name, kind in kinds.items():
            self.fields.setdefault(name, typed(earlier.row.get(name), kind))


def _kind(annotation: Any) -> str:
    """Return the type of a column, with which `typed` reads its cells."""
    kinds = getattr(annotation, "__args__", (annotation,))
    return next((kind.__name__ for kind in (bool, int, float, str) if kind in kinds), "json")


_HINTS = get_type_hints(Page)
OWN_COLUMNS = tuple(name for name in _HINTS if name not in ("fields", "columns"))
COLUMN_KINDS = {name: _kind(_HINTS[name]) for name in OWN_COLUMNS}
BASE_COLUMNS = tuple(name for name in OWN_COLUMNS if name not in METADATA_COLUMNS)
# What is in a page, and so in that of an earlier crawl when it has not changed.
CONTENT_COLUMNS = (
    "content_type",
    "encoding",
    "bytes",
    "missing",
    *OWN_COLUMNS[len(BASE_COLUMNS) :],
)
DEFAULT_METADATA = ("page", "social", "dates", "text", "structured")


_LONGEST_SHOWN = 300  # characters of a target that was not followed


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
