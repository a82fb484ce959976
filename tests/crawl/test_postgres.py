"""The table in PostgreSQL, with a real server that the tests start."""

import glob
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from crawling import Crawl, SiteProcess, crawl_list, crawl_under_way, run_scrapy, texts_of

import urlcrawler

FIELDS = """
name: .name::text
price: {css: .price::text, type: price}
in_stock: {css: .stock::text, type: bool}
numbers: {css: ".stock::text", type: int, many: true}
"""


def program(name: str) -> str | None:
    """Return the path of a program of the server; Debian does not put them where others are."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
    return shutil.which(name) or (found[-1] if found else None)


pytestmark = pytest.mark.skipif(
    program("initdb") is None, reason="this machine has no PostgreSQL server"
)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a server of the test's own."""
    # The server refuses to be root.
    user: dict[str, Any] = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="pg-") as place, socket.socket() as free:
        if user:
            shutil.chown(place, "postgres", "postgres")
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        data = f"{place}/data"
        initdb = [program("initdb"), "-D", data, "-U", "crawler", "-A", "trust", "-N"]
        subprocess.run(initdb, check=True, capture_output=True, cwd=place, **user)
        command = [program("postgres"), "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", place]
        with subprocess.Popen(
            [*command, "-F"], stderr=subprocess.DEVNULL, cwd=place, **user
        ) as process:
            address = f"postgresql://crawler@127.0.0.1:{port}/postgres"
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                try:
                    psycopg.connect(address).close()
                    break
                except psycopg.OperationalError:
                    time.sleep(0.1)
            yield address
            process.terminate()


@pytest.fixture
def uri(server: str, request: pytest.FixtureRequest) -> str:
    """A table of the test's own."""
    name = "".join(filter(str.isalnum, request.node.name))[:50].lower()
    return f"{server}?table={name}"


def listed(site: SiteProcess, count: int = 12) -> list[str]:
    pages = [site.url(f"/page/{n}", host=1 + n % 4) for n in range(count)]
    return [*pages, site.url("/status/404"), "not a url", pages[0]]


def crawl(folder: Path, *words: str) -> Crawl:
    words = ("-a", "file=urls.txt", *words)
    return run_scrapy(folder, "crawl", "urls", *words, table="not read")


def rows_in(uri: str, columns: str = "*") -> list[tuple[Any, ...]]:
    address, table = uri.split("?table=")
    with psycopg.connect(address) as connection:
        query = f"SELECT {columns} FROM {table} ORDER BY position"  # noqa: S608 - the test's own
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("other", ["other.jsonl", "other.csv"])
def test_it_has_the_rows_that_other_tables_have(
    tmp_path: Path, site: SiteProcess, uri: str, other: str
) -> None:
    """One crawl into both: read back, each cell is the same, and of its type."""
    (tmp_path / "fields.yaml").write_text(FIELDS)
    words = ("-a", "fields=fields.yaml", "-O", uri)
    crawled = crawl_list(tmp_path, listed(site), *words, table=other)
    assert crawled.exit_code == 0, crawled.log
    table = urlcrawler.read_results(uri)
    wanted = urlcrawler.read_results(crawled.table)
    assert list(table.columns) == ["list", *wanted.columns]
    assert set(table["list"]) == {"urls"}
    for column in wanted.columns:
        assert texts_of(table[column]) == texts_of(wanted[column]), column
    assert str(table.dtypes["status"]) == "Int64"
    assert str(table.dtypes["fetched_at"]).endswith("UTC]")
    assert rows_in(uri, "in_stock, numbers")[0] == (True, table["numbers"][0])


def test_a_crawl_that_is_killed_goes_on(tmp_path: Path, site: SiteProcess, uri: str) -> None:
    """Nothing is in the database before; then all of it is, once."""
    lines = [site.url(f"/page/{n}?delay=0.2", host=1 + n % 4) for n in range(60)]
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    place = next(iter([f"data/results/.urls.127-0-0-1.postgres.{uri.split('=')[1]}"]))
    for _ in range(2):
        with crawl_under_way(tmp_path, "-o", uri, table=f"{place}.postgresql.rows", rows=5) as one:
            one.kill()
        assert rows_in(uri) == []
    crawled = crawl(tmp_path, "-o", uri)
    assert crawled.exit_code == 0
    assert [row[0] for row in rows_in(uri, "position")] == list(range(1, 61))
    again = crawl(tmp_path, "-o", uri)
    assert "60 of 60 records have their row from an earlier run" in again.log
    assert "0 pages in" in again.log


def test_rows_that_are_crawled_again_are_upserted(
    tmp_path: Path, site: SiteProcess, uri: str
) -> None:
    """Others keep what they have, columns of somebody's own too; other lists are left alone."""
    flaky = [site.url(f"/flaky/1?{uri}"), *listed(site, 3)]
    crawl_list(tmp_path, flaky, "-s", "RETRY_TIMES=0", "-O", uri, table="not read.csv")
    other = ("-a", "file=others.txt")
    (tmp_path / "others.txt").write_text(site.url("/page/9"))
    run_scrapy(tmp_path, "crawl", "urls", *other, "-o", uri, table="not read")
    address, table = uri.split("?table=")
    with psycopg.connect(address) as connection:
        connection.execute(f"ALTER TABLE {table} ADD COLUMN seen text DEFAULT 'by me'")
    assert rows_in(uri, "outcome")[0] == ("http_error",)
    (tmp_path / "not read.csv").unlink()
    crawled = crawl(tmp_path, "-o", uri, "-a", "retry=failed")
    assert crawled.exit_code == 0, crawled.log
    found = rows_in(uri, "list, position, outcome, seen")
    assert [row for row in found if row[0] == "others"] == [("others", 1, "ok", "by me")]
    assert next(row[1:] for row in found if row[0] == "urls") == (1, "ok", "by me")
    assert len(found) == 8


def test_a_new_crawl_begins_anew(tmp_path: Path, site: SiteProcess, uri: str) -> None:
    """With -O: a shorter list leaves no row of the longer one."""
    (tmp_path / "urls.txt").write_text("\n".join(listed(site, 5)))
    crawl(tmp_path, "-O", uri)
    assert len(rows_in(uri)) == 8
    (tmp_path / "urls.txt").write_text("\n".join(listed(site, 2)))
    assert crawl(tmp_path, "-O", uri).exit_code == 0
    assert len(rows_in(uri)) == 5


def test_a_new_field_is_a_new_column(tmp_path: Path, site: SiteProcess, uri: str) -> None:
    """The table grows; another type of one that is there is refused before the first request."""
    (tmp_path / "urls.txt").write_text("\n".join(listed(site, 2)))
    crawl(tmp_path, "-O", uri)
    (tmp_path / "fields.yaml").write_text("stock: {css: .stock::text, type: int}\n")
    assert crawl(tmp_path, "-O", uri, "-a", "fields=fields.yaml").exit_code == 0
    assert isinstance(rows_in(uri, "stock")[0][0], int)
    (tmp_path / "fields.yaml").write_text("stock: .stock::text\n")
    crawled = crawl(tmp_path, "-O", uri, "-a", "fields=fields.yaml")
    assert "the column 'stock' is bigint there, and not text" in crawled.log
    assert crawled.exit_code == 1


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://crawler:secret@127.0.0.1:9/postgres", "onnection"),
        ("postgresql://nobody:secret@HOST/postgres", 'role "nobody" does not exist'),
        ("postgresql://crawler@HOST/gone", 'database "gone" does not exist'),
    ],
)
def test_a_server_that_cannot_be_used_is_said_before_the_first_request(
    tmp_path: Path, server: str, address: str, said: str
) -> None:
    """In one sentence, without the password."""
    (tmp_path / "urls.txt").write_text("http://127.0.0.1:1/")
    crawled = crawl(tmp_path, "-o", address.replace("HOST", server.split("@")[1].split("/")[0]))
    assert said in crawled.log
    assert crawled.exit_code == 1
    assert "secret" not in crawled.log
    assert "Traceback" not in crawled.log


def test_an_address_may_be_any_that_libpq_takes(
    tmp_path: Path, site: SiteProcess, server: str
) -> None:
    """With its parts in the query, a password among them, which nobody is shown."""
    port = server.rpartition(":")[2].partition("/")[0]
    query = f"host=127.0.0.1&port={port}&user=crawler&password=secret"
    uri = f"postgresql:///postgres?{query}&options=-c%20search_path%3Dpublic&table=anyway"
    (tmp_path / "urls.txt").write_text("\n".join(listed(site, 2)))
    words = ("-o", uri, "-s", "MIN_OK_SHARE=0.9")
    planned = run_scrapy(tmp_path, "plan", "-a", "file=urls.txt", "-o", uri)
    with psycopg.connect(server) as connection:
        assert connection.execute("SELECT to_regclass('anyway')").fetchone() == (None,)
    crawled = crawl(tmp_path, *words)
    assert (planned.exit_code, crawled.exit_code) == (0, 3), planned.log + crawled.log
    assert "secret" not in planned.stdout + crawled.log
    assert len(urlcrawler.read_results(uri)) == 5


def test_a_server_that_has_gone_costs_no_row(
    tmp_path: Path, site: SiteProcess, uri: str, server: str
) -> None:
    """Here its table: the exit code is 4, and the same command publishes the rows later."""
    lines = [site.url(f"/page/{n}?delay=0.3") for n in range(20)]
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    table = uri.split("=")[1]
    place = f"data/results/.urls.127-0-0-1.postgres.{table}.postgresql.rows"
    with crawl_under_way(tmp_path, "-o", uri, table=place, rows=3) as process:
        with psycopg.connect(server) as connection:
            connection.execute(f"DROP TABLE {table}")
        log = process.communicate(timeout=60)[1]
    assert "every record has its row, but" in log
    assert process.returncode == 4
    assert crawl(tmp_path, "-o", uri).exit_code == 0
    assert len(rows_in(uri)) == 20


@pytest.mark.long
def test_rows_of_a_script_are_adopted(tmp_path: Path, site: SiteProcess, uri: str) -> None:
    """They are in the database when the crawl of the rest is complete."""
    lines = listed(site)
    (tmp_path / "urls.txt").write_text("\n".join(lines) + "\n")
    (tmp_path / "old.csv").write_text(f"link,title\n{lines[1]},Adopted\n")
    words = ("-a", "file=urls.txt", "-o", uri)
    done = run_scrapy(tmp_path, "adopt", "old.csv", *words)
    assert done.exit_code == 0, done.log
    assert run_scrapy(tmp_path, "crawl", "urls", *words).exit_code == 0
    table = urlcrawler.read_results(uri)
    assert len(table) == len(lines)
    adopted = table[table.reason == "adopted from old.csv"]
    assert list(zip(adopted.position, adopted.title, strict=True)) == [(2, "Adopted")]
