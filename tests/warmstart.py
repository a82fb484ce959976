"""Starts `python -m scrapy ...` from a process that has imported what a crawl needs.

To import it takes an interpreter 0.9 s of its CPU, and the tests start it more than a thousand
times. What is forked here is a process of its own like any other: with its own folder,
environment, streams, signals and end. Tests that kill crawls, and those of the commands that a
user types first, start an interpreter; with COLD_START=1 in the environment all of them do.

Python's `multiprocessing` has a server of that kind (`forkserver`): its processes have no streams
of their own, and end without what an interpreter does at its end.
"""

import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

PACKAGES = ["urlcrawler.commands", "urlcrawler.middlewares", "urlcrawler.extensions"]
MODULES = [
    "scrapy.cmdline",
    "scrapy.core.engine",
    "scrapy.core.downloader.handlers._aiohttp",
    "scrapy.downloadermiddlewares.httpproxy",
    "scrapy.extensions.memusage",
    "scrapy.extensions.closespider",
    "scrapy.spidermiddlewares.referer",
    "twisted.internet.asyncioreactor",
    "urlcrawler.downloader",
    "urlcrawler.exporters",
    "urlcrawler.handlers.aiohttp",
    "urlcrawler.handlers.http",
    "urlcrawler.pipelines",
    "urlcrawler.scheduler",
    "urlcrawler.spiders.urls",
    "urlcrawler.storages",
]
_LARGEST = 1 << 18  # bytes of an order


class WarmStart:
    """The process that others are forked from, as a test sees it."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._turn = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "error", __file__, str(theirs.fileno())],
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # threads cannot be forked safely
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )

    def run(
        self,
        words: list[str],
        folder: Path,
        env: Mapping[str, str],
        stdin: str | None,
        timeout: float,
    ) -> subprocess.CompletedProcess[str]:
        """Run `python -W error -m *words*` and return what it has said.

        Raises:
            subprocess.TimeoutExpired: it took longer than *timeout* seconds, and was killed.
        """
        order = json.dumps({"words": words, "folder": str(folder), "env": dict(env)})
        (reads, says), (hears, out), (listens, err) = os.pipe(), os.pipe(), os.pipe()
        with os.fdopen(reads), os.fdopen(out), os.fdopen(err):
            pid = self._ask(order, [reads, out, err])
        process = os.pidfd_open(pid)
        with ThreadPoolExecutor(3) as pool, os.fdopen(process):
            pool.submit(_write, says, stdin or "")
            stdout, stderr = pool.submit(_read, hears), pool.submit(_read, listens)
            ended, _, _ = select.select([process], [], [], timeout)
            if not ended:
                signal.pidfd_send_signal(process, signal.SIGKILL)
        code = self._ask(json.dumps({"reap": pid}))
        if not ended:
            raise subprocess.TimeoutExpired(words, timeout, stdout.result(), stderr.result())
        return subprocess.CompletedProcess(words, code, stdout.result(), stderr.result())

    def close(self) -> None:
        """End it; it has no children any more."""
        self._line.close()
        self._process.wait(10)

    def _ask(self, order: str, fds: list[int] | None = None) -> int:
        with self._turn:
            socket.send_fds(self._line, [order.encode()], fds or [])
            return int(self._line.recv(_LARGEST))


def _read(fd: int) -> str:
    with os.fdopen(fd, encoding="utf-8") as file:
        return file.read()


def _write(fd: int, text: str) -> None:
    with suppress(BrokenPipeError), os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(text)


def _serve(line: socket.socket) -> dict[str, Any]:
    """Fork for each order; return in the process that was forked, with its order."""
    while True:
        message, fds, _, _ = socket.recv_fds(line, _LARGEST, 3)
        if not message:
            sys.exit()
        order: dict[str, Any] = json.loads(message)
        if "reap" in order:
            answer = os.waitstatus_to_exitcode(os.waitpid(order["reap"], 0)[1])
        else:
            answer = os.fork()
            if not answer:
                for stream, fd in enumerate(fds):
                    os.dup2(fd, stream)
        for fd in fds:
            os.close(fd)
        if not answer and "reap" not in order:
            return order
        line.send(str(answer).encode())


def _become(order: dict[str, Any], path: list[str]) -> None:
    """Be what an interpreter is that has just been started with this order."""
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["env"])
    mine = order["env"].get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = [order["folder"], *filter(None, mine), *path]
    importlib.invalidate_caches()
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, "utf-8", "backslashreplace", closefd=False)  # noqa: SIM115
    module, *sys.argv[1:] = order["words"]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _main() -> None:
    path = sys.path[1:]
    sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package
    for package in PACKAGES:
        found = pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}.")
        MODULES.extend(module.name for module in found)
    for name in MODULES:
        importlib.import_module(name)
    assert "twisted.internet.reactor" not in sys.modules, "each crawl has an event loop of its own"
    assert threading.active_count() == 1
    gc.collect()
    gc.freeze()  # or each process writes to all of this memory when it collects, and has a copy
    with socket.socket(fileno=int(sys.argv[1])) as line:
        order = _serve(line)
    _become(order, path)


if __name__ == "__main__":
    _main()
