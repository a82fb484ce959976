"""Keys of `Request.meta` by which our components know each other's requests."""

from scrapy import Request

RECORD = "record"  # the inputs.records.Record that a request is for
WAITED_FOR = "waited_for"  # of a request that the row of a page waits for: see spiders.callbacks
ROBOTS_TXT = "robots_txt_bytes"  # of a request for a robots.txt: how many bytes of it were read
NOT_BEFORE = "not_before"  # the time (monotonic) before which the scheduler does not give it out
BACK_TO = "back_to"  # name of the host in whose queue it waits: where it was given out before
LAST_ROUND = "last_round"  # it waits until all others are done
IS_LAST_ROUND = "is_last_round"  # that time has come: there is no further one
BROKEN_BODY = "broken_body"  # of a request whose answer could not be unpacked: the exception
EARLIER = "earlier"  # what an earlier crawl has found of the record: earlier.Earlier, or None
HOST_HEADERS = "host_headers"  # names of the headers that are for the host of a request only
SPENT = "seconds_spent"  # seconds that a request and the redirects that led to it have taken
HOST_LATENCY = "host_latency"  # seconds between the end of a request and the head of its answer
PLAIN = "plain"  # of a request that waits for a tab of the browser: the answer it is to render
RENDERED = "rendered"  # whether its page was rendered; not there when nobody has asked for that
RENDER_ERROR = "render_error"  # why it was not
FETCHED = "fetched"  # of such a request: when its answer was complete
RENDER_WHY = "render_why"  # of such a request: why it is to be rendered; None when it was told to
RENDER_FLAGS = "render_flags"  # of such a request: names of what else its meta has got for that
_OF_RENDERING = (PLAIN, FETCHED, RENDERED, RENDER_ERROR, RENDER_WHY, RENDER_FLAGS)
# What is about one request of a record, and must not be handed on to another.
OF_A_RECORD = (
    RECORD, EARLIER, SPENT, HOST_HEADERS, IS_LAST_ROUND, "is_start_request", "failure", "blocked",
    "pauses", "paused", "retry_times", "redirect_times", "redirect_ttl", "redirect_urls",
    "redirect_reasons", "download_slot", "download_latency",
    HOST_LATENCY, *_OF_RENDERING,
)  # fmt: skip


def forget_rendering(request: Request) -> None:
    """Make *request* what it was before its page was rendered: it may be sent once more."""
    meta = request.meta
    for name in (*meta.get(RENDER_FLAGS, ()), *_OF_RENDERING):
        meta.pop(name, None)


def position_of(request: Request) -> int | None:
    """Return the position of the record that *request* works for; None when it is for none."""
    waited_for = request.meta.get(WAITED_FOR)
    record = waited_for.page if waited_for else request.meta.get(RECORD)
    return getattr(record, "position", None)
