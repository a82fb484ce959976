"""The table of a job, as it comes from a server of the test's own."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from crawling import read_table, site_of

from urlcrawler.demo.messages import Request, Response
from urlcrawler.exceptions import OutputError, UrlcrawlerError
from urlcrawler.remote import fetching, server
from urlcrawler.remote.fetching import check_place, fetch_table
from urlcrawler.remote.server import Server
from urlcrawler.remote.targets import Target

Answer = Callable[[Request, int], Response | bytes]  # bytes go out as they are


def row(position: int, **more: Any) -> dict[str, Any]:
    return {"position": position, "url": "=1+1", "outcome": "ok", "error": None, **more}


def lines(*rows: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(each, ensure_ascii=False).encode() + b"\n" for each in rows)


def whole(content: bytes) -> Answer:
    return lambda request, number: Response(content)


def fetch(answer: Answer, path: Path, rows: int, **options: bool) -> None:
    asked = []

    async def table(request: Request) -> Response | None:
        asked.append(request)
        answered = answer(request, len(asked))
        if isinstance(answered, Response):
            return answered
        return await request.connection.send(answered)

    with site_of({"/items/p/urls/mine.jl": table}) as site:
        target = Server(Target("here", f"http://127.0.0.1:{site.port}", "p"))
        fetch_table(target, target.table_path("urls", "mine"), path, rows, **options)


def test_a_table_comes_in_order_and_in_the_format_of_its_name(tmp_path: Path) -> None:
    """CSV has lists as JSON and no formula; JSON Lines has what the server has."""
    rows = [row(2, tags=["ü", None]), row(1, tags=None), row(3, tags=[])]
    for name in ("urls.csv", "urls.jsonl"):
        fetch(whole(lines(*rows)), tmp_path / "new" / name, 3)
    assert read_table(tmp_path / "new/urls.jsonl") == sorted(rows, key=lambda r: r["position"])
    cells = [(row["position"], row["url"], row["tags"]) for row in
             read_table(tmp_path / "new/urls.csv")]  # fmt: skip
    assert cells == [("1", "'=1+1", ""), ("2", "'=1+1", '["ü", null]'), ("3", "'=1+1", "[]")]
    fetch(whole(lines(*rows)), tmp_path / "f.csv", 3, formulas=True, signature=True)
    assert (tmp_path / "f.csv").read_bytes().startswith(b"\xef\xbb\xbfposition,")
    assert b"\r\n1,=1+1," in (tmp_path / "f.csv").read_bytes()


def test_two_that_follow_a_job_both_have_its_table(tmp_path: Path) -> None:
    """To type the same command again is how a job is followed: neither disturbs the other."""
    content, failed = lines(*(row(n) for n in range(1, 5001))), []

    def follow(pause: float) -> None:
        time.sleep(pause)
        try:
            fetch(whole(content), tmp_path / "urls.csv", 5000)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=follow, args=(pause,)) for pause in (0, 0.05, 0.1, 0.15)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(read_table(tmp_path / "urls.csv")) == 5000
    assert [path.name for path in tmp_path.iterdir()] == ["urls.csv"]


def test_a_connection_that_breaks_off_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time some more comes, so no byte is asked for twice."""
    monkeypatch.setattr(fetching, "_PAUSE", 0)
    content = lines(*(row(n) for n in range(1, 9)))

    monkeypatch.setattr(server, "PIECE", 10)

    def broken(request: Request, number: int) -> bytes:
        start = int(request.headers["range"][6:-1])
        assert start == (number - 1) * 50
        rest = content[start:]
        head = f"HTTP/1.1 206 Partial Content\r\nContent-Length: {len(rest)}\r\n\r\n"
        return head.encode() + rest[:50]

    fetch(broken, tmp_path / "urls.jsonl", 8)
    assert (tmp_path / "urls.jsonl").read_bytes() == content


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (whole(lines(row(1))), "has 1 rows of 2"),
        (whole(lines(row(1), row(1))), "has 1 rows of 2"),
        (whole(lines(row(1), row(2))[:-9]), "is no row"),
        (whole(lines(row(1)) + b"{}\n"), "is no row"),
        (whole(b"<html>hello"), "is no table of a crawl"),
        (lambda request, number: Response(b"", 404), "set jobs_to_keep higher"),
        (lambda request, number: Response(b"", 418), "418"),
    ],
)
def test_a_table_that_is_not_whole_is_not_there(tmp_path: Path, answer: Answer, words: str) -> None:
    """A row is missing, twice, torn or none; the table that was there stays, and nothing else."""
    (tmp_path / "urls.csv").write_text("mine")
    with pytest.raises(UrlcrawlerError, match=words):
        fetch(answer, tmp_path / "urls.csv", 2)
    assert [path.name for path in tmp_path.iterdir()] == ["urls.csv"]
    assert (tmp_path / "urls.csv").read_text() == "mine"


def test_a_place_is_looked_at_before_anything_is_asked(tmp_path: Path) -> None:
    """A file that is there, a folder, a format that is not written, a file as a folder."""
    (tmp_path / "there.csv").write_text("")
    check_place(tmp_path / "there.csv", replaces=True)
    check_place(tmp_path / "new" / "urls.csv", replaces=False)
    (tmp_path / "folder.csv").mkdir()
    for name in ("there.csv", "folder.csv", "urls.parquet", "there.csv/urls.csv"):
        with pytest.raises(UrlcrawlerError):
            check_place(tmp_path / name, replaces=False)
    with pytest.raises(OutputError, match="Type -O"):
        check_place(tmp_path / "there.csv", replaces=False)
