"""A scrapyd of the tests' own, and a checkout that is deployed to it."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from crawling import TIMEOUT, Crawl, read_table

ROOT = Path(__file__).parent.parent.parent
USER, PASSWORD = "ann", "not-for-the-terminal"
# Nothing of the checkout that the tests run in: what a job imports is what was deployed.
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if name not in ("PYTHONPATH", "SCRAPY_SETTINGS_MODULE") and not name.startswith("SCRAPYD")
} | {"PYTHONWARNINGS": ""}
OWN_SPIDER = """
from urlcrawler.spiders.base import UrlListSpider


class OwnSpider(UrlListSpider):
    name = "own"
"""


def tracked_files() -> list[str]:
    """What a clone has of this checkout; as it is now, without what git ignores."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = filter(None, listed.split("\0"))
    return sorted(name for name in names if (ROOT / name).exists())


def documented_options() -> dict[str, str]:
    """The configuration that README shows."""
    blocks = (ROOT / "README.md").read_text(encoding="utf-8").split("```ini\n")
    (block,) = (each.split("```")[0] for each in blocks if each.startswith("[scrapyd]"))
    config = ConfigParser()  # as scrapyd reads it
    config.read_string(block)
    return dict(config["scrapyd"])


def clone(folder: Path) -> Path:
    """Copy what a clone has to *folder*, but for the tests."""
    for name in tracked_files():
        if not name.startswith("tests/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@dataclass
class Scrapyd:
    """A running server.

    Attributes:
        folder: what it runs in.
        checkout: what is deployed to it, and where `scrapy submit` is typed.
    """

    folder: Path
    checkout: Path
    port: int
    options: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        own = {"http_port": str(self.port), "password": PASSWORD, "poll_interval": "0.2"}
        options = documented_options() | own | self.options
        lines = [f"{name} = {value}" for name, value in options.items()]
        (self.folder / "scrapyd.conf").write_text("\n".join(["[scrapyd]", *lines]) + "\n")
        with (self.folder / "scrapyd.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "scrapyd", "--pidfile="],
                cwd=self.folder,
                env=ENVIRONMENT,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            assert self.process.poll() is None, self.log()
            time.sleep(0.05)
        raise AssertionError(self.log())

    def stop(self) -> None:
        """End it, and what it has started, each by its own id."""
        assert self.process is not None
        with suppress(requests.RequestException):
            for job in self.ask("listjobs")["running"]:
                with suppress(ProcessLookupError):
                    os.kill(job["pid"], 9)
        self.process.terminate()
        self.process.wait(30)

    def log(self) -> str:
        return (self.folder / "scrapyd.log").read_text()

    def ask(self, what: str, **data: Any) -> dict[str, Any]:
        """Ask a service as any client would, with POST if there is *data*."""
        url, auth = f"{self.url}/{what}.json", (USER, PASSWORD)
        if data:
            everything = {"project": "urlcrawler", **data}
            answer = requests.post(url, data=everything, auth=auth, timeout=TIMEOUT)
        else:
            of_project = {"project": "urlcrawler"}
            answer = requests.get(url, params=of_project, auth=auth, timeout=TIMEOUT)
        answered: dict[str, Any] = answer.json()
        assert answered["status"] == "ok", answered
        return answered

    def deploy(self) -> None:
        self.run("scrapyd_client.deploy")

    def run(self, module: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout."""
        return subprocess.run(
            [sys.executable, "-m", module, *words],
            cwd=self.checkout,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )

    def submit(self, *words: str, table: str = "data/results/urls.csv") -> Crawl:
        done = self.run("scrapy", "submit", *words, "-s", "ALLOW_PRIVATE_ADDRESSES=1")
        assert PASSWORD not in done.stdout + done.stderr
        path = self.checkout / table
        return Crawl(done.returncode, done.stderr, done.stdout, path, read_table(path))

    @contextmanager
    def submitting(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """`scrapy submit`, for as long as the block runs or longer."""
        words = (*words, "-s", "ALLOW_PRIVATE_ADDRESSES=1")
        with subprocess.Popen(
            [sys.executable, "-m", "scrapy", "submit", *words],
            cwd=self.checkout,
            env=ENVIRONMENT,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            yield process

    def wait_for(self, words: str) -> None:
        """Wait until they are in its own log, which has what jobs write to stderr."""
        deadline = time.monotonic() + 60
        while words not in self.log():
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)

    def wait_until_idle(self) -> None:
        deadline = time.monotonic() + 60
        while jobs := self.ask("listjobs"):
            if not jobs["pending"] and not jobs["running"]:
                return
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)


@contextmanager
def serving_jobs(folder: Path, **options: str) -> Iterator[Scrapyd]:
    """A scrapyd with *options* in its configuration; nothing is deployed yet."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "server").mkdir(parents=True)
    server = Scrapyd(folder / "server", clone(folder / "checkout"), port, options)
    (server.checkout / "urlcrawler/spiders/own.py").write_text(OWN_SPIDER)
    (server.checkout / "scrapy.cfg").write_text(
        "[settings]\ndefault = urlcrawler.settings\n\n"
        f"[deploy]\nurl = {server.url}/\nproject = urlcrawler\n"
        f"username = {USER}\npassword = {PASSWORD}\n\n"
        f"[deploy:stranger]\nusername = {USER}\npassword = wrong\n\n"
        "[deploy:elsewhere]\nproject = elsewhere\n"
    )
    server.start()
    try:
        yield server
    finally:
        server.stop()
