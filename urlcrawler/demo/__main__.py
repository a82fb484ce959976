"""Serve the local site until standard input ends: `python -m urlcrawler.demo --port 8000`."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import signal
import threading
from collections.abc import Callable

from urlcrawler.demo.routes import ROUTES
from urlcrawler.demo.site import Site
from urlcrawler.openfiles import allow_open_files


def main() -> None:
    """Print `ready <port>`, serve, and exit with 0 on the end of input, SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m urlcrawler.demo", description=__doc__)
    parser.add_argument("--hosts", help="loopback addresses, separated by commas")
    parser.add_argument("--host-count", type=int, help="the first N addresses of 127.1.x.y")
    parser.add_argument("--port", type=int, default=0, help="0, the default, finds a free port")
    args = parser.parse_args()
    hosts = args.hosts.split(",") if args.hosts else []
    hosts += addresses(args.host_count or 0)
    try:
        site = Site(ROUTES, hosts or ("127.0.0.1",), args.port)
    except ValueError as error:
        parser.error(str(error))
    allow_open_files()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(site))


def addresses(count: int) -> list[str]:
    """Return the first `count` addresses: 127.1.0.1, 127.1.0.2, ... 127.1.1.0, ..."""
    return [f"127.1.{n >> 8}.{n & 255}" for n in range(1, min(count, 65535) + 1)]


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes an event loop: uvloop where it is installed, as it serves more."""
    try:
        uvloop = importlib.import_module("uvloop")
    except ImportError:
        return asyncio.new_event_loop
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def serve(site: Site) -> None:
    """Run the site until it is told to stop."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await site.start()
    print(f"ready {site.port}", flush=True)
    watch(lambda: loop.call_soon_threadsafe(stop.set))
    await stop.wait()
    await site.close()


def watch(ended: Callable[[], object]) -> None:
    """Call `ended` from a thread when standard input ends, as it does when the parent dies."""

    def read() -> None:
        # os.read, not sys.stdin: its lock would break the exit after a signal.
        try:
            while os.read(0, 4096):
                pass
        except OSError:
            pass  # standard input was closed before the start: also an end
        ended()

    threading.Thread(target=read, daemon=True).start()


if __name__ == "__main__":
    main()
