"""A server with scrapyd. What is asked once goes through scrapyd-client; what is asked every
second has a time-out of its own, which that one has not.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests
from scrapyd_client.exceptions import ErrorResponse, MalformedResponse
from scrapyd_client.pyclient import ScrapydClient
from scrapyd_client.utils import get_auth

from urlcrawler.exceptions import ServerError
from urlcrawler.printable import without_credentials
from urlcrawler.remote.targets import Target

_TIMEOUT = (10, 60)  # seconds to connect, and without a byte
PIECE = 1 << 20


@dataclass(frozen=True)
class Jobs:
    """What the server says of a job.

    Attributes:
        pending, running: whether it waits, or goes on.
        before: how many others wait before it.
        ended: when runs with its id have begun and ended.
    """

    pending: bool
    running: bool
    before: int
    ended: frozenset[tuple[str, str]]


class Server:
    """The project on a server."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._client = ScrapydClient(target.url, target.username or None, target.password)
        self._session = requests.Session()
        self._session.auth = get_auth(target.url, target.username, target.password)
        # A proxy that packs what it passes on says no length, and has no ranges.
        self._session.headers["Accept-Encoding"] = "identity"

    def check(self, spider: str) -> None:
        """See that the server is there, lets us in and has the spider.

        Raises:
            ServerError: it is not, does not or has not.
        """
        with self._explained():
            answer = self._get("listprojects.json")
            if answer.history:  # a job that is posted would not get there
                there = without_credentials(answer.url).removesuffix("listprojects.json")
                raise ServerError(
                    f"{self.target.shown_url}: leads to {there}. Write that as `url` in scrapy.cfg"
                )
            try:
                projects = answer.json()["projects"]
            except (ValueError, KeyError, TypeError):
                raise ServerError(
                    f"{self.target.shown_url}: is no scrapyd: it answers {answer.status_code} to "
                    "listprojects.json. See `url` in scrapy.cfg"
                ) from None
            if self.target.project not in projects:
                raise ServerError(
                    f"{self.target.shown_url}: has no project {self.target.project!r}. Type "
                    f"{self.target.deploy_command}"
                )
            spiders = self._client.spiders(self.target.project)
            if spider not in spiders:
                raise ServerError(
                    f"{self.target.shown_url}: project {self.target.project!r} has no spider "
                    f"{spider!r}, only: {', '.join(spiders)}. Type {self.target.deploy_command} "
                    "if it is new"
                )

    def has_items(self) -> bool:
        """Return whether the server gives out tables (`items_dir`).

        The folder itself is not there before the first job has begun; the page of the server has
        the link before.
        """
        with self._explained():
            return '/items/"' in self._get("").text or self._get("items/").ok

    def schedule(self, spider: str, arguments: Sequence[tuple[str, str]]) -> None:
        """Put a job into the queue.

        Raises:
            ServerError: the server refuses it.
        """
        with self._explained():
            self._client.schedule(self.target.project, spider, list(arguments))

    def cancel(self, job: str) -> str | None:
        """Ask a job to stop; return what it was doing: pending, running or None, nothing.

        Raises:
            ServerError: the server refuses it.
        """
        with self._explained():
            answer = self._client.cancel(self.target.project, job)
            state: str | None = answer["prevstate"]
            return state

    def jobs(self, spider: str, job: str) -> Jobs:
        """Return what has become of a job of *spider*. Not by status.json: of a job that was
        scheduled again that one tells that the earlier run is finished.

        Raises:
            ServerError: the server does not say.
        """
        with self._explained():
            answer = self._get(f"listjobs.json?project={quote(self.target.project, safe='')}")
            try:
                found: dict[str, Any] = answer.json()
                waiting = [(each["spider"], each["id"]) for each in found["pending"]]
                name = (spider, job)
                return Jobs(
                    name in waiting,
                    any((each["spider"], each["id"]) == name for each in found["running"]),
                    waiting.index(name) if name in waiting else 0,
                    frozenset(
                        (each["start_time"], each["end_time"])
                        for each in found["finished"]
                        if (each["spider"], each["id"]) == name
                    ),
                )
            except (ValueError, KeyError, TypeError) as error:
                raise ServerError(
                    f"{self.target.shown_url}: says nothing of its jobs "
                    f"({answer.status_code} {answer.reason}). It must be scrapyd 1.6 or later"
                ) from error

    def log_path(self, spider: str, job: str) -> str:
        """Return where the log of a job is, below the URL of the server."""
        return self._path("logs", spider, f"{job}.log")

    def table_path(self, spider: str, job: str) -> str:
        """Return where its table is."""
        return self._path("items", spider, f"{job}.jl")

    def size(self, path: str) -> int:
        """Return how many bytes a file has; 0 when there is none."""
        with self._explained():
            answer = self._session.head(f"{self.target.url}/{path}", timeout=_TIMEOUT)
            self._look_at(answer)
            return int(answer.headers.get("Content-Length", 0)) if answer.ok else 0

    def read(self, path: str, start: int) -> Iterator[bytes]:
        """Yield what a file has from byte *start* on, in pieces.

        Raises:
            FileNotFoundError: there is none.
            ServerError: it cannot be had, or not all of it.
        """
        with self._explained():
            headers = {"Range": f"bytes={start}-"}
            answer = self._session.get(
                f"{self.target.url}/{path}", headers=headers, timeout=_TIMEOUT, stream=True
            )
            with answer:
                self._look_at(answer)
                if answer.status_code == requests.codes.not_found:
                    raise FileNotFoundError(path)
                if answer.status_code == requests.codes.requested_range_not_satisfiable:
                    return  # nothing new
                if not answer.ok:
                    raise ServerError(
                        f"{self.target.shown_url}/{path}: {answer.status_code} {answer.reason}"
                    )
                known = start if answer.status_code == requests.codes.ok else 0
                for piece in answer.iter_content(PIECE):
                    new, known = piece[known:], max(0, known - len(piece))
                    if new:
                        yield new

    def _path(self, *parts: str) -> str:
        kind, spider, name = (quote(part, safe="") for part in parts)
        return f"{kind}/{quote(self.target.project, safe='')}/{spider}/{name}"

    def _get(self, path: str) -> requests.Response:
        answer = self._session.get(f"{self.target.url}/{path}", timeout=_TIMEOUT)
        self._look_at(answer)
        return answer

    def _look_at(self, answer: requests.Response) -> None:
        if answer.status_code in (requests.codes.unauthorized, requests.codes.forbidden):
            section = f"[deploy:{self.target.name}]" if self.target.name else "[deploy]"
            raise ServerError(
                f"{self.target.shown_url}: wrong user name or password "
                f"({answer.status_code}). See username and password in {section} of scrapy.cfg; "
                "a $NAME there is a variable of the environment"
            )

        if answer.status_code >= requests.codes.server_error:  # a proxy before it, say
            raise ServerError(
                f"{self.target.shown_url}: {answer.status_code} {answer.reason}", is_passing=True
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say in a sentence what has gone wrong between us and the server."""
        url = self.target.shown_url
        try:
            yield
        except requests.exceptions.SSLError as error:
            raise ServerError(f"{url}: no secure connection: its certificate is refused") from error
        except requests.Timeout as error:
            raise ServerError(f"{url}: does not answer in time", is_passing=True) from error
        except requests.RequestException as error:
            # Its own text is that of three libraries, and may have the password of the URL.
            raise ServerError(
                f"{url}: cannot be reached ({type(error).__name__}). Is scrapyd running there, "
                "and is `url` in scrapy.cfg right?",
                is_passing=True,
            ) from error
        except ErrorResponse as error:
            if str(error).startswith("RunnerError"):  # it could not even list the spiders
                why = str(error).strip().splitlines()[-1]
                raise ServerError(
                    f"{url}: the project cannot be loaded there: {why}. What it needs must be "
                    "installed on the server too: pip install '.[scrapyd]'"
                ) from error
            raise ServerError(f"{url}: {error}") from error
        except MalformedResponse as error:
            raise ServerError(f"{url}: answers something that is not scrapyd's") from error
