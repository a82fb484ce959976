"""A list that holds everything that makes scripts lose a record."""

import json
import re
from functools import reduce

import pytest
from crawling import HOSTS, Crawl, SiteProcess, crawl_list

# what the list says (a path of the local site, or a whole URL), outcome, status, error
CASES: list[tuple[str, str, int | None, str | None]] = [
    # Pages
    ("/ok", "ok", 200, None),
    ("/page/1", "ok", 200, None),
    ("/page/a,b,c?x=1,2", "ok", 200, None),
    ("/page/with space", "ok", 200, None),
    ("/page/quote\"d'path", "ok", 200, None),
    ("/é", "ok", 200, None),
    ("/page/日本語?q=ü", "ok", 200, None),
    ("/page/%E9", "ok", 200, None),
    ("/page/x?next=http://other.example/?a=b", "ok", 200, None),
    ("/pdf", "ok", 200, None),
    ("/image", "ok", 200, None),
    ("/json", "ok", 200, None),
    ("/xml", "ok", 200, None),
    ("/plain", "ok", 200, None),
    ("/empty", "ok", 200, None),
    ("/huge?mb=3", "ok", 200, None),
    ("/chunked", "ok", 200, None),
    ("/gzip", "ok", 200, None),
    ("/deflate", "ok", 200, None),
    ("/javascript", "ok", 200, None),
    ("/no-title", "ok", 200, None),
    ("/header-bytes", "ok", 200, None),
    ("/latin1", "ok", 200, None),
    ("/wrong-charset", "ok", 200, None),
    ("/no-charset", "ok", 200, None),
    ("/meta-charset", "ok", 200, None),
    ("/shift-jis", "ok", 200, None),
    ("/utf16", "ok", 200, None),
    ("/quotes", "ok", 200, None),
    ("/formula", "ok", 200, None),
    ("/nul", "ok", 200, None),
    ("/surrogate", "ok", 200, None),
    ("/emoji", "ok", 200, None),
    # Duplicates: the first is fetched, whichever way the others are written
    ("/ok", "duplicate", None, None),
    ("/ok#fragment", "duplicate", None, None),
    ("/page/with%20space", "duplicate", None, None),
    ("HTTP://SHOP-01.demo.test:{port}/page/1", "duplicate", None, None),
    ("/ok?", "duplicate", None, None),
    ("/page/1?utm_source=x", "ok", 200, None),
    # Statuses
    ("/status/204", "ok", 204, None),
    ("/status/304", "unchanged", 304, None),
    ("/status/400", "http_error", 400, "http-4xx"),
    ("/status/403", "http_error", 403, "http-4xx"),
    ("/status/404", "http_error", 404, "http-4xx"),
    ("/status/410", "http_error", 410, "http-4xx"),
    ("/status/429", "http_error", 429, "rate-limited"),
    ("/status/500", "http_error", 500, "http-5xx"),
    ("/status/503", "http_error", 503, "http-5xx"),
    ("/status/599", "http_error", 599, "http-5xx"),
    ("/flaky/twice?times=2&run={run}", "ok", 200, None),
    ("/limited/once?run={run}", "ok", 200, None),
    # Redirects, to a target that is itself in the list too
    ("/redirect/1?to=/ok", "ok", 200, None),
    ("/redirect/3?to=/ok", "ok", 200, None),
    ("/redirect/2?to=/status/404", "http_error", 404, "http-4xx"),
    ("/loop", "failed", None, "redirect-loop"),
    ("/redirect-file", "failed", 302, "bad-redirect"),
    ("/redirect-nowhere", "failed", 302, "bad-redirect"),
    ("/redirect-bad", "failed", 302, "bad-redirect"),
    ("/redirect/1?to=/private/secret", "robots", None, "robots"),
    # robots.txt
    ("/private/secret", "robots", None, "robots"),
    # The network and the protocol
    ("/never", "failed", None, "read-timeout"),
    ("/stall-body", "failed", None, "read-timeout"),
    ("/drop", "failed", None, "reset"),
    ("/reset", "failed", None, "reset"),
    ("/short-body", "failed", None, "truncated"),
    ("/cut-chunk", "failed", None, "truncated"),
    ("/bad-chunk", "failed", None, "truncated"),
    ("/bad-gzip", "failed", None, "truncated"),
    ("/bad-crc", "failed", None, "decode"),
    ("/reset-body", "failed", None, "truncated"),
    ("/two-answers", "ok", 200, None),
    ("/punycode-charset", "ok", 200, None),
    ("/many-attributes", "ok", 200, None),
    ("http://10.255.255.1/", "failed", None, "private-address"),
    ("http://[fe80::1]/", "failed", None, "private-address"),
    ("http://0x7f.1/", "invalid", None, "bad-url"),
    ("/redirect/1?to=http%3A%2F%2F169.254.169.254%2Flatest", "failed", None, "private-address"),
    ("/garbage", "failed", None, "protocol"),
    ("/two-lengths", "failed", None, "protocol"),
    ("/not-gzip", "failed", None, "decode"),
    ("/redirect/1?to=http%3A%2F%2Fa..b%2F", "failed", 302, "bad-redirect"),
    ("http://a,b/", "invalid", None, "bad-url"),
    ("1", "invalid", None, "bad-url"),
    ("/endless", "failed", None, "too-large"),
    ("/gzip-bomb", "failed", None, "too-large"),
    ("/br-bomb", "failed", None, "too-large"),
    ("/zstd-bomb", "failed", None, "too-large"),
    ("/half-gzip", "failed", None, "truncated"),
    ("/half-br", "failed", None, "truncated"),
    ("/half-zstd", "failed", None, "truncated"),
    ("/header-flood", "failed", None, "too-large"),
    ("/endless-header", "failed", None, "too-large"),
    ("/hints-flood", "failed", None, "too-large"),
    ("/slow-head", "failed", None, "read-timeout"),
    ("/slow-body", "failed", None, "read-timeout"),
    ("/slow-chunks", "failed", None, "read-timeout"),
    ("/half-head", "failed", None, "reset"),
    ("/reset-head", "failed", None, "reset"),
    ("/line-feeds", "ok", 200, None),
    ("/junk-before", "failed", None, "protocol"),
    ("/body-only", "failed", None, "reset"),
    ("/negative-length", "ok", 200, None),
    ("/huge-length", "failed", None, "too-large"),
    ("/huge-chunk", "failed", None, "truncated"),
    ("http://127.0.0.1:1/refused", "failed", None, "refused"),
    ("https://shop-01.demo.test:{port}/tls-on-a-plain-port", "failed", None, "tls"),
    ("http://unknown.invalid/", "failed", None, "dns"),
    # Not URLs
    ("not a url", "invalid", None, "bad-url"),
    ("http://[::1", "invalid", None, "bad-url"),
    ("http://", "invalid", None, "bad-url"),
    ("http:///path", "invalid", None, "bad-url"),
    ("http://127.0.0.1:99999/", "invalid", None, "bad-url"),
    ("http://a..b/", "invalid", None, "bad-url"),
    ("https://" + "a" * 64 + ".example/", "invalid", None, "bad-url"),
    ("ftp://127.0.0.1/file", "invalid", None, "bad-scheme"),
    ("file:///etc/passwd", "invalid", None, "bad-scheme"),
    ("mailto:someone@example.com", "invalid", None, "bad-scheme"),
    ("javascript:void(0)", "invalid", None, "bad-scheme"),
    ("data:text/html,hello", "invalid", None, "bad-scheme"),
    # Long, and with credentials
    ("/page/" + "x" * 5000, "ok", 200, None),
    ("/page/" + "x" * 40_000, "invalid", None, "bad-url"),
    ("/redirect/1?to=/page/" + "x" * 33_000, "invalid", None, "bad-url"),
    ("/redirect-far", "failed", 302, "bad-redirect"),
    ("http://user:p%40ss@shop-01.demo.test:{port}/page/credentials", "ok", 200, None),
]


@pytest.fixture(scope="module")
def hostile(
    default_handler: str, site: SiteProcess, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Crawl, list[str]]:
    """The crawl of all cases, and the list as it was written; a table of either kind."""
    known = {"{port}": str(site.port), "{run}": default_handler}  # the site remembers visits
    lines = [
        reduce(lambda line, name: line.replace(name, known[name]), known, case[0]) for case in CASES
    ]
    # What fails has a host of its own, as of a host that is odd once all is read with tolerance.
    hosts = [1 if case[1] != "failed" else 2 + n % (HOSTS - 1) for n, case in enumerate(CASES)]
    lines = [
        site.url(line, host) if line.startswith("/") else line
        for line, host in zip(lines, hosts, strict=True)
    ]
    folder = tmp_path_factory.mktemp("hostile")
    written = [part for line in lines for part in (line + "\r", "# comment", "\t ", "")]
    extensions = {"saboteurs.WatchesTheLoop": 0, "urlcrawler.extensions.quiet.QuietLogs": 0}
    settings = {"DOWNLOAD_TIMEOUT": 2, "PARSE_TIMEOUT": 30, "EXTENSIONS": json.dumps(extensions)}
    words = [word for name, value in settings.items() for word in ("-s", f"{name}={value}")]
    table = {"twisted": "table.csv", "aiohttp": "table.jsonl"}[default_handler]
    return crawl_list(folder, ["\ufeff# comment", *written], *words, table=table), lines


def test_each_record_has_exactly_one_row(hostile: tuple[Crawl, list[str]]) -> None:
    """N records in, N rows out, and every position is there once."""
    crawled, lines = hostile
    positions = sorted(int(row["position"]) for row in crawled.rows)
    assert positions == list(range(1, len(lines) + 1))


def test_each_row_says_what_happened(hostile: tuple[Crawl, list[str]]) -> None:
    """Outcome, status and error of every row are those of its case."""
    crawled, _ = hostile
    rows = crawled.by_position
    found = [
        (
            case[0],
            row["outcome"],
            int(row["status"]) if row["status"] else None,
            row["error"] or None,
        )
        for case, row in ((case, rows[place]) for place, case in enumerate(CASES, 1))
    ]
    assert found == CASES


def test_the_url_column_shows_what_the_list_said(hostile: tuple[Crawl, list[str]]) -> None:
    """The URL is written as it stands in the list, not as it was requested."""
    crawled, lines = hostile
    assert [crawled.by_position[place]["url"] for place in range(1, len(lines) + 1)] == lines


def test_each_row_that_is_not_ok_has_a_reason(hostile: tuple[Crawl, list[str]]) -> None:
    """Whoever reads the table learns why; only 304 needs no words."""
    crawled, _ = hostile
    without = [
        row["url"]
        for row in crawled.rows
        if row["outcome"] not in ("ok", "unchanged") and not row["reason"]
    ]
    assert without == []


def test_failed_urls_are_no_failure_of_the_crawl(hostile: tuple[Crawl, list[str]]) -> None:
    """The exit code is 0: failed URLs are rows."""
    crawled, _ = hostile
    assert crawled.exit_code == 0


def test_nothing_stalls_and_memory_is_bounded(hostile: tuple[Crawl, list[str]]) -> None:
    """No callback holds the loop for half a second, and 300 MB do for all of it."""
    crawled, _ = hostile
    found = re.search(r"blocked for ([\d.]+) s at most, and .* had (\d+) MB", crawled.log)
    assert found
    assert float(found[1]) < 0.5
    assert int(found[2]) < 300


def test_the_log_has_no_traceback(hostile: tuple[Crawl, list[str]]) -> None:
    """Pages can send what they want without a traceback in the log."""
    crawled, _ = hostile
    assert "Traceback" not in crawled.log


def test_the_log_has_no_line_per_url(hostile: tuple[Crawl, list[str]]) -> None:
    """The log of a crawl is short, however many pages fail."""
    crawled, _ = hostile
    assert len(re.findall(r"^\d\d:\d\d:\d\d ", crawled.log, re.MULTILINE)) < 15, crawled.log


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/latin1", "é"),
        ("/no-charset", "é"),
        ("/meta-charset", "Привет"),
        ("/quotes", "He said \"one, two\", and 'three'"),
        ("/emoji", "👩‍🚀"),
    ],
)
def test_titles_are_read_in_the_right_encoding(
    hostile: tuple[Crawl, list[str]], path: str, title: str
) -> None:
    """The charset of the header, the page or a guess decides, in this order."""
    crawled, _ = hostile
    row = next(row for row in crawled.rows if row["url"].endswith(path))
    assert title in row["title"]


def test_redirects_stay_bound_to_their_record(hostile: tuple[Crawl, list[str]]) -> None:
    """The row of a redirected record counts its hops and names the URL that answered."""
    crawled, _ = hostile
    row = next(row for row in crawled.rows if "/redirect/3" in row["url"])
    assert (str(row["redirects"]), row["final_url"].rpartition("/")[2]) == ("3", "ok")


def test_attempts_count_the_retries(hostile: tuple[Crawl, list[str]]) -> None:
    """A page that answers the third time was asked for three times."""
    crawled, _ = hostile
    row = next(row for row in crawled.rows if "/flaky/" in row["url"])
    assert int(row["attempts"]) == 3


def test_a_duplicate_names_the_record_that_was_fetched(hostile: tuple[Crawl, list[str]]) -> None:
    """`duplicate_of` is the position of the first record that asks for the same."""
    crawled, _ = hostile
    duplicates = {
        row["url"].rpartition("/")[2]: int(row["duplicate_of"])
        for row in crawled.rows
        if row["outcome"] == "duplicate"
    }
    assert duplicates == {"ok": 1, "ok#fragment": 1, "ok?": 1, "1": 2, "with%20space": 4}
