"""The site of the benchmark where nginx is missing: prints its port, ends with its input."""

from __future__ import annotations

import asyncio
import sys

from urlcrawler.demo.messages import Request, Response
from urlcrawler.demo.pages import product
from urlcrawler.demo.site import Site

PAGE = Response(product("/page/1", 20_000))


async def answer(request: Request) -> Response | None:
    """Answer after as many seconds as the path begins with."""
    seconds = request.path.split("/")[1]
    if seconds == "robots.txt":
        return Response(b"", 404)
    await asyncio.sleep(float(seconds))
    return PAGE


async def main() -> None:
    """Serve until standard input ends."""
    site = Site({"*": answer}, sys.argv[1].split(","))
    await site.start()
    print(site.port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await site.close()


asyncio.run(main())
