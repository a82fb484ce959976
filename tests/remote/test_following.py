"""What is said of a job that does not end as it should, by a server of the test's own."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from crawling import site_of

from urlcrawler.demo.messages import Request, Response
from urlcrawler.remote import following
from urlcrawler.remote.following import End, Follower
from urlcrawler.remote.server import Server
from urlcrawler.remote.targets import Target

BEGINS = "10:00:00 INFO: Job mine begins\n"
ENDS = "10:00:09 INFO: Job mine has ended: exit code 0, 3 of 3 records have their row\n"
Looks = list[tuple[str, str]]  # where the job is, and what its log is, at each look


@dataclass
class FakeScrapyd:
    """Says of one job what *looks* says, one after the other, and then the last for ever."""

    looks: Looks
    ranges: bool = True
    log: str = ""
    said: list[str] = field(default_factory=list)

    async def jobs(self, request: Request) -> Response:
        where, self.log = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if where == "busy":
            return Response(b"Bad gateway", 502)
        job = {"id": "mine", "spider": "urls", "start_time": "1", "end_time": "2"}
        others = [job | {"id": "yours"}, job | {"spider": "own"}]
        states = ("pending", "running", "finished")
        found = {name: [*others, *[job] * (name == where)] for name in states}
        return Response(json.dumps(found).encode(), content_type="application/json")

    async def text(self, request: Request) -> Response:
        content = self.log.encode()
        start = int(request.headers.get("range", "bytes=0-")[6:-1])
        if not content:
            return Response(b"", 404)
        if request.method == "HEAD" or not self.ranges:
            return Response(content)
        return Response(content[start:], 206)

    @contextmanager
    def follower(self) -> Iterator[Follower]:
        routes = {"/listjobs.json": self.jobs, "/logs/p/urls/mine.log": self.text}
        with site_of(routes) as site:
            server = Server(Target("here", f"http://127.0.0.1:{site.port}", "p"))
            yield Follower(server, "urls", "mine", self.said.append)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_PACE", 0.01)
    monkeypatch.setattr(following, "_VANISHED", 0.1)


def follow(looks: Looks, **options: bool) -> tuple[End, list[str]]:
    fake = FakeScrapyd([("", ""), *looks], **options)
    with fake.follower() as follower:
        follower.begin()
        return follower.follow(), fake.said


@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
def test_the_log_is_said_once_as_it_comes(ranges: bool) -> None:
    """Also by a server, or a proxy, that always sends all of it; half a line waits for its end."""
    looks = [
        ("pending", ""),
        ("running", BEGINS),
        ("running", f"{BEGINS}hal"),
        ("running", f"{BEGINS}half\n"),
        ("finished", f"{BEGINS}half\n{ENDS}"),
    ]
    end, said = follow(looks, ranges=ranges)
    assert (end.code, end.rows, end.total) == (0, 3, 3)
    assert said == ["Waiting at the server, 2 before it", BEGINS[:-1], "half"]


def test_an_earlier_run_of_the_job_is_not_taken_for_this_one() -> None:
    """Its log has an end already, and the server says that it is finished: neither counts."""
    before = BEGINS + ENDS
    fake = FakeScrapyd([("finished", before), ("running", before), ("running", before + BEGINS)])
    fake.looks.append(("", before + BEGINS + ENDS.replace("code 0, 3", "code 75, 2")))
    with fake.follower() as follower:
        follower.begin()
        end = follower.follow()
    assert (end.code, end.rows) == (75, 2)


@pytest.mark.parametrize(
    ("looks", "why"),
    [
        ([("running", BEGINS), ("finished", BEGINS)], "it was killed"),
        ([("running", ""), ("finished", "")], "older than this command"),
        ([("pending", ""), ("", "")], "has vanished from the server"),
    ],
    ids=["killed", "old version", "vanished"],
)
def test_a_job_that_says_no_end_is_explained(looks: Looks, why: str) -> None:
    """Killed in the middle, deployed before this command was there, or never started."""
    end, _ = follow(looks)
    assert why in end.why
    assert end.code == 5


def test_a_server_that_fails_for_a_moment_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy without its server is no end of the job."""
    monkeypatch.setattr(following, "sleep", lambda seconds: None)
    end, said = follow([("running", BEGINS), ("busy", BEGINS), ("finished", BEGINS + ENDS)])
    assert end.code == 0
    assert any("Trying again" in line for line in said)


def test_a_job_whose_server_was_started_anew_is_followed_by_its_log() -> None:
    """scrapyd does not know the jobs that it has started before."""
    grown = [("", BEGINS + "".join(f"{n}\n" for n in range(count))) for count in range(20)]
    end, said = follow([("running", BEGINS), *grown, ("", grown[-1][1] + ENDS)])
    assert end.code == 0
    assert said[-1] == "18"


def test_a_log_of_another_job_is_none_of_this_one(caplog: pytest.LogCaptureFixture) -> None:
    """An id is no pattern, and lines of other jobs are not its own."""
    other = ENDS.replace("mine", "mine2")
    end, _ = follow([("running", BEGINS + other), ("finished", BEGINS + other)])
    assert "it was killed" in end.why


def raises(call: Callable[[], object]) -> str:
    from urlcrawler.exceptions import ServerError

    with pytest.raises(ServerError) as raised:
        call()
    return str(raised.value)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Response(b"<html>Welcome to nginx"), "is no scrapyd: it answers 200"),
        (Response(b"No", 401), "wrong user name or password (401). See username and password in"),
        (Response(b'{"projects": ["q"], "status": "ok"}'), "has no project 'p'"),
    ],
)
def test_what_is_no_server_of_the_project_is_said(answer: Response, words: str) -> None:
    """And the password of the URL is not."""

    async def anything(request: Request) -> Response:
        return answer

    with site_of({"/*": anything}) as site:
        url = f"http://ann:secret@127.0.0.1:{site.port}"
        said = raises(lambda: Server(Target("here", url, "p")).check("urls"))
    assert words in said
    assert "secret" not in said


def test_a_job_under_way_is_taken_up_by_its_last_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole ones; and the end of an earlier run among them is not its own."""
    before = f"{BEGINS}long ago\n{ENDS}{BEGINS}"
    fake = FakeScrapyd(
        [("running", f"{before}5 of 9\n"), ("finished", f"{before}5 of 9\n6 of 9\n")]
    )
    monkeypatch.setattr(following, "_LAST", len(ENDS + BEGINS + "5 of 9\n") + 3)
    with fake.follower() as follower:
        follower.begin()
        end = follower.follow()
    assert "it was killed" in end.why
    assert fake.said == [BEGINS[:-1], "5 of 9", "6 of 9"]


def test_an_address_that_leads_to_another_one_is_not_used() -> None:
    """A job that is posted to it would become a question for nothing."""

    async def there(request: Request) -> Response:
        return Response(b'{"projects": ["p"], "status": "ok"}')

    async def here(request: Request) -> Response:
        return Response(status=301, headers=[("Location", "/there/listprojects.json")])

    with site_of({"/listprojects.json": here, "/there/*": there}) as site:
        url = f"http://127.0.0.1:{site.port}"
        said = raises(lambda: Server(Target("here", url, "p")).check("urls"))
    assert said == f"{url}: leads to {url}/there/. Write that as `url` in scrapy.cfg"
