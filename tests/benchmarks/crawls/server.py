"""The site of the benchmark: one page of 20 KB, after as long as its URL says.

`/<seconds>/...` answers after so many seconds. nginx with its echo module (Debian: nginx,
libnginx-mod-http-echo) is no bottleneck; without it the built-in site is, and the table says so.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

from urlcrawler.demo.pages import product

PAGE = product("/page/1", 20_000)
ADDRESSES = [f"127.0.1.{1 + host}" for host in range(250)]
_LOG_SECONDS = 1
_MODULES = [Path("/usr/lib/nginx/modules"), Path("/usr/share/nginx/modules")]
_CONFIG = """
load_module {module};
daemon off; master_process off; worker_processes 1; worker_rlimit_nofile 65000;
pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections 30000; }}
http {{
    log_format short '$server_addr $msec $request_time $status $uri'; access_log {log};
    keepalive_requests 1000000; keepalive_timeout 75s; default_type text/html;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder}; sendfile on;
    server {{
        listen 0.0.0.0:{port} backlog=20000; root {folder};
        location = /status {{ stub_status; }}
        location = /robots.txt {{ return 404; }}
        location = /page.html {{ internal; }}
        location ~ ^/0/ {{ rewrite ^ /page.html last; }}
        {locations}
    }}
}}
"""
_LOCATION = "location ~ ^/{seconds}/ {{ echo_sleep {seconds}; echo_exec /page.html; }}"


class Answer(NamedTuple):
    """A page that was sent: of which host, and from when to when, in seconds."""

    host: str
    begin: float
    end: float


class Server:
    """Where the site is, and how much it has to do."""

    def __init__(self, port: int, name: str, log: Path | None = None) -> None:
        self.port = port
        self.name = name
        self._log = log
        self._read = 0

    def url(self, host: int, seconds: str, page: int) -> str:
        """Return the URL of a page of the host with this number, from 0 to 249."""
        return f"http://{ADDRESSES[host]}:{self.port}/{seconds}/{page}"

    def in_flight(self) -> int:
        """Return how many requests it is answering right now."""
        if self.name != "nginx":
            return 0
        with urlopen(f"http://127.0.0.1:{self.port}/status") as answer:
            found = re.search(rb"Writing: (\d+)", answer.read())
        return int(found[1]) - 1 if found else 0

    def answers(self) -> list[Answer]:
        """Return what it has answered in full since it was last asked; the site must keep a log."""
        if self._log is None:
            return []
        time.sleep(_LOG_SECONDS + 0.5)
        with self._log.open() as lines:
            lines.seek(self._read)
            found = [line.split() for line in lines]
            self._read = lines.tell()
        return [
            Answer(host, float(end) - float(seconds), float(end))
            for host, end, seconds, status, path in found
            if status == "200" and path != "/status"
        ]


@contextmanager
def serving(seconds: set[str], *, keeps_log: bool = False) -> Iterator[Server]:
    """The site, with these latencies, for as long as the block runs."""
    module = next((d / _ECHO for d in _MODULES if (d / _ECHO).exists()), None)
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if not nginx or not module:
        with _built_in() as server:
            yield server
        return
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        Path(folder).chmod(0o755)
        free.bind(("0.0.0.0", 0))
        port = free.getsockname()[1]
        free.close()
        Path(folder, "page.html").write_bytes(PAGE)
        log = Path(folder, "access.log")
        locations = "\n".join(_LOCATION.format(seconds=each) for each in seconds - {"0"})
        Path(folder, "nginx.conf").write_text(
            _CONFIG.format(
                folder=folder,
                port=port,
                module=module,
                locations=locations,
                log=f"{log} short buffer=64k flush={_LOG_SECONDS}s" if keeps_log else "off",
            )
        )
        command = [nginx, "-p", folder, "-c", f"{folder}/nginx.conf", "-e", f"{folder}/error.log"]
        process = subprocess.Popen(command)
        try:
            _wait(port)
            yield Server(port, "nginx", log if keeps_log else None)
        finally:
            process.terminate()
            process.wait()


_ECHO = "ngx_http_echo_module.so"


@contextmanager
def _built_in() -> Iterator[Server]:
    """The demo site in a process of its own."""
    script = str(Path(__file__).with_name("builtin.py"))
    command = [sys.executable, script, ",".join(ADDRESSES)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Server(int(process.stdout.readline()), "the built-in site, which is slower")
        process.stdin.close()


def _wait(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.05)
    raise RuntimeError("nginx does not answer")
