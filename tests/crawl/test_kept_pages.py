"""Pages that are kept, and the table that comes out of them again."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from crawling import (
    ENVIRONMENT,
    Crawl,
    Server,
    SiteProcess,
    crawl_list,
    crawl_under_way,
    read_table,
    site_of,
)
from warcio.archiveiterator import ArchiveIterator

from urlcrawler.output.pages import PageArchive, mend, read_pages

KEEP = ("-s", "KEEP_PAGES=warc")
FIELDS = "name: h1\nprice: {css: .price, type: price}\nreviews: {css: .review p, many: true}\n"


def extract(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-W", "error", "-m", "scrapy", "extract"]
    command += ["--pages", "table.pages/*.warc.gz", *words]
    return subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )


def kept_of(folder: Path) -> list[int]:
    files = sorted((folder / "table.pages").glob("*.warc.gz"))
    return [page.row["position"] for path in files for page in read_pages(path)]


@pytest.fixture(scope="module")
def kept(site: SiteProcess, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Crawl]:
    """A crawl of pages of all kinds, with pages kept."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "fields.yaml").write_text(FIELDS)
    paths = [f"/page/{n}" for n in range(20)]
    paths += ["/gzip", "/latin1", "/meta-charset", "/utf16", "/pdf", "/image", "/json", "/xml"]
    paths += ["/empty", "/nul", "/surrogate", "/no-charset", "/wrong-charset", "/many-attributes"]
    paths += ["/redirect/2?to=/ok", "/status/404", "/status/204", "/drop", "/private/secret", "/ok"]
    lines = ["url,sku,status", *[f'"{site.url(path)}",{n},x' for n, path in enumerate(paths)]]
    lines += ["not a url,a,b", f"{site.url('/ok')},c,d"]
    crawled = crawl_list(folder, lines, *KEEP, "-a", "fields=fields.yaml", name="list.csv")
    return folder, crawled


def test_the_same_table_comes_out_of_the_pages(kept: tuple[Path, Crawl]) -> None:
    """With the fields that it was crawled with, cell by cell, and rows without a page too."""
    folder, crawled = kept
    words = ("--fields", "fields.yaml", "--table", "table.csv", "-o", "again.csv")
    done = extract(folder, *words)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert done.stderr == f"{len(crawled.rows)} rows in again.csv\n"
    assert read_table(folder / "again.csv") == crawled.rows


def test_other_fields_come_out_without_a_request(kept: tuple[Path, Crawl]) -> None:
    """That is what pages are kept for."""
    folder, crawled = kept
    (folder / "new.yaml").write_text("heading: {css: h1, max_length: 4}\nsku: .sku\n")
    done = extract(folder, "--fields", "new.yaml", "-o", "new.jsonl")
    rows = {row["position"]: row for row in read_table(folder / "new.jsonl")}
    assert done.returncode == 0, done.stderr
    assert rows[1]["heading"] == "Prod"
    assert rows[1]["sku"].startswith("SKU-")
    assert rows[1]["in_sku"] == "0"
    answered = {int(row["position"]) for row in crawled.rows if row["status"]}
    assert set(rows) == answered


def test_other_tools_can_read_the_files(kept: tuple[Path, Crawl]) -> None:
    """Three records for a page; every digest is right, and a body is what was unpacked."""
    folder, crawled = kept
    (path,) = (folder / "table.pages").iterdir()
    checked = subprocess.run(
        [sys.executable, "-m", "warcio.cli", "check", "-v", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
    assert "digest failed" not in checked.stdout
    with path.open("rb") as file:
        kinds = Counter(record.rec_type for record in ArchiveIterator(file))
    answered = sum(bool(row["status"]) for row in crawled.rows)
    assert kinds == {"warcinfo": 1, "request": answered, "response": answered, "metadata": answered}
    bodies = {page.url.rpartition("/")[2]: page.body for page in read_pages(path)}
    assert bodies["gzip"].startswith(b"<!DOCTYPE html>")


def test_a_kill_costs_no_page_that_has_a_row(tmp_path: Path, site: SiteProcess) -> None:
    """Killed several times; at the end every row has its page, and the files are whole."""
    lines = [site.url(f"/page/{n}?size=2000", host=1 + n % 8) for n in range(400)]
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    for count in (20, 120, 220):
        words = (*KEEP, "-o", "table.csv", "-s", "CONCURRENT_REQUESTS=16")
        with crawl_under_way(tmp_path, *words, rows=count) as process:
            process.kill()
        files = sorted((tmp_path / "table.pages").glob("*.warc.gz"))
        with files[-1].open("ab") as torn:
            torn.write(files[-1].read_bytes()[:300])  # half of a record
    crawled = crawl_list(tmp_path, lines, *KEEP, fresh=False)
    assert Counter(row["outcome"] for row in crawled.rows) == {"ok": 400}
    positions = kept_of(tmp_path)
    assert set(positions) == set(range(1, 401))
    # Fetched again were those without a row: three times what was under way, or being written.
    assert len(positions) < 500
    assert "bytes of a page that was not finished are taken away" in crawled.log
    done = extract(tmp_path, "-o", "again.csv")
    assert done.returncode == 0, done.stderr
    assert read_table(tmp_path / "again.csv") == crawled.rows


def test_a_new_table_has_new_pages(tmp_path: Path, site: SiteProcess) -> None:
    """-O takes those of the old one away; a run with nothing to do adds none."""
    lines = [site.url(f"/page/{n}") for n in range(5)]
    crawl_list(tmp_path, lines, *KEEP)
    crawl_list(tmp_path, lines[:3], *KEEP)
    assert sorted(kept_of(tmp_path)) == [1, 2, 3]
    crawl_list(tmp_path, lines[:3], *KEEP, fresh=False)
    assert sorted(kept_of(tmp_path)) == [1, 2, 3]


def test_secrets_are_not_kept(crawl: Callable[..., Crawl], tmp_path: Path) -> None:
    """Neither those of the list nor those of a file of headers."""
    (tmp_path / "secrets.yaml").write_text("127.0.0.1: {headers: {X-Key: k3y}}\n")
    with site_of(Server().routes) as site:
        line = f"http://me:s3cret@127.0.0.1:{site.port}/"
        crawl([line], *KEEP, "-a", "headers=secrets.yaml")
    (path,) = (tmp_path / "table.pages").iterdir()
    with path.open("rb") as file:
        requests = [
            str(record.http_headers)
            for record in ArchiveIterator(file)
            if record.rec_type == "request"
        ]
    assert len(requests) == 1
    assert "Host: 127.0.0.1" in requests[0]
    for secret in ("k3y", "s3cret", "Authorization", "X-Key", "bWU6czNjcmV0"):
        assert secret not in requests[0]


def test_files_are_rotated(tmp_path: Path, crawl: Callable[..., Crawl]) -> None:
    """Each is begun anew when the one before is large enough, and the last one is gone on with."""
    import asyncio

    from scrapy import Request as ScrapyRequest
    from scrapy.http import HtmlResponse

    def page(number: int) -> HtmlResponse:
        url = f"http://a.com/{number}?b#c"
        return HtmlResponse(url, body=b"<p>", request=ScrapyRequest(url))

    async def keep(numbers: range) -> None:
        archive = PageArchive(tmp_path, largest=3000)
        await asyncio.gather(*[archive.keep(page(n), {"position": n}) for n in numbers])
        archive.close()

    asyncio.run(keep(range(20)))
    asyncio.run(keep(range(20, 22)))
    files = sorted(tmp_path.glob("*.warc.gz"))
    assert len(files) > 3
    assert all(path.stat().st_size < 6000 for path in files)
    found = [page.row["position"] for path in files for page in read_pages(path)]
    assert found == list(range(22))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-o", "a.csv", "--pages", "nowhere.warc.gz"), "nowhere.warc.gz: no such file"),
        (("-o", "a.csv", "--pages", "urls.txt"), "urls.txt: is no WARC file of kept pages"),
        (("-o", "a.txt",), "-o a.txt: must be .csv or .jsonl"),
        (("-o", "table.csv",), "-o table.csv: is there already"),
        (("-o", "a.csv", "--fields", "no.yaml"), "no.yaml: No such file"),
        (("-o", "a.csv", "--table", "urls.txt"), "urls.txt: is no table that can be read"),
    ],
)  # fmt: skip
def test_what_cannot_be_extracted_is_said(
    tmp_path: Path, site: SiteProcess, words: tuple[str, ...], said: str
) -> None:
    """In one sentence, with exit code 1."""
    crawl_list(tmp_path, [site.url("/ok")], *KEEP)
    done = extract(tmp_path, *words)
    assert said in done.stderr
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)


def test_a_setting_that_means_nothing_is_refused(crawl: Callable[..., Crawl]) -> None:
    """Before the first request."""
    crawled = crawl(["http://127.0.0.1:1/"], "-s", "KEEP_PAGES=html")
    assert "setting KEEP_PAGES: must be warc, not 'html'" in crawled.log
    assert crawled.exit_code == 1


def test_pages_that_cannot_be_kept_have_no_row(crawl: Callable[..., Crawl], tmp_path: Path) -> None:
    """The crawl stops with exit code 4, and goes on when there is room."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, -1)); "
    (tmp_path / "sitecustomize.py").write_text(
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n" + limit
    )
    with site_of(Server().routes) as site, pytest.MonkeyPatch.context() as patch:
        lines = [f"http://127.0.0.1:{site.port}/{n}" for n in range(100)]
        patch.setitem(ENVIRONMENT, "PYTHONPATH", f"{tmp_path}:{ENVIRONMENT['PYTHONPATH']}")
        crawled = crawl(lines, *KEEP, "-s", "METADATA=")
        assert crawled.exit_code == 4
        assert "table.pages: cannot be written: File too large" in crawled.log
        assert crawled.log.count("ERROR") == 1
        assert 5 < len(crawled.rows) < 100
        mend(tmp_path / "table.pages")  # as the next run does with a record that did not fit
        assert {int(row["position"]) for row in crawled.rows} <= set(kept_of(tmp_path))
        (tmp_path / "sitecustomize.py").unlink()
        again = crawl(lines, *KEEP, "-s", "METADATA=", fresh=False)
    assert Counter(row["outcome"] for row in again.rows) == {"ok": 100}
    assert set(kept_of(tmp_path)) == set(range(1, 101))
