"""A shop that needs JavaScript, and crawls of it with a browser."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from crawling import ENVIRONMENT, Crawl, read_table

from urlcrawler.demo.messages import Handler, Request, Response

AUTO = ("-a", "render=auto")
PRICE = "price: {css: '.price::text', type: float}\nname: h1::text\n"
TEXT = "<p>" + "Words that somebody has written for readers. " * 30 + "</p>"
LAMP = "<h1>Lamp</h1><p class=price>9.99</p>"
APP = (
    "fetch('/lamp.json').then(answer => answer.json()).then(lamp => {"
    " document.querySelector('#root').innerHTML ="
    " `<h1>${lamp.name}</h1><p class=price>${lamp.price}</p>` })"
)


def page(html: str) -> Handler:
    async def answer(request: Request) -> Response:
        return Response(html.encode())

    return answer


def served(body: str, kind: str, delay: float = 0.0) -> Handler:
    async def answer(request: Request) -> Response:
        await asyncio.sleep(delay)
        return Response(body.encode(), content_type=kind)

    return answer


SHELL = "<title>Shop</title><div id=root></div><script src=/app.js></script>"
ROUTES: dict[str, Handler] = {
    "/robots.txt": served("", "text/plain"),
    "/app.js": served(APP, "text/javascript"),
    "/lamp.json": served('{"name": "Lamp", "price": 9.99}', "application/json", delay=0.05),
    "/shell/*": page(SHELL),
    "/plain/*": page(f"<title>Plain</title>{LAMP}{TEXT}"),
    "/server/*": page(f"<div id=root>{LAMP}{TEXT}</div><script src=/app.js></script>"),
    "/late": page("<div id=root></div><script>setTimeout(() => {"
                  f" root.innerHTML = '{LAMP}' }}, 250)</script>"),
    "/hash": page("<div id=root></div><script>"
                  "root.innerHTML = `<h1>${location.hash}</h1>`</script>"),
    # What never ends, or asks for what it must not have.
    "/spin": page("<script>while (true) {}</script>"),
    "/hoards": page(f"{LAMP}<script>const all = []; for (;;)"
                    " all.push(Array(1e6).fill(1.5))</script>"),
    "/hoards-bytes": page(f"{LAMP}<script>const all = []; for (;;)"
                          " all.push(new Uint8Array(1e8).fill(1))</script>"),
    "/spin-later": page(f"{LAMP}<script>onload = () => setTimeout(() => {{ for (;;); }})</script>"),
    "/reload": page(f"{LAMP}<script>location.reload()</script>"),
    "/asks-for-ever": page(f"<div id=root>{LAMP}</div><script>"
                           "setInterval(() => fetch('/lamp.json?' + Math.random()), 100)</script>"),
    "/changes-for-ever": page(f"{LAMP}<b></b><script>"
                              "setInterval(() => document.body.append('.'), 50)</script>"),
    "/dialogs": page("<body><script>alert(1); confirm(2); prompt(3); onbeforeunload = () => 'no';"
                     f" document.body.innerHTML = '{LAMP}'</script>"),
    "/popups": page("<body><script>for (let n = 0; n < 20; n++) open('/shell/' + n);"
                    f" document.body.innerHTML = '{LAMP}'</script>"),
    "/download": page("<script>location = '/file.bin'</script>"),
    "/file.bin": served("x" * 100, "application/octet-stream"),
    "/closes": page(f"{LAMP}<script>window.close()</script>"),
    "/leaves": page("<script>location = '/plain/1'</script>"),
    "/large": page("<div id=root></div><script>const row = '<p>' + 'x'.repeat(100) + '</p>';"
                   f" document.body.innerHTML = '{LAMP}' + row.repeat(90_000)</script>"),
    "/larger": page("<div id=root></div><script>const row = '<p>' + 'x'.repeat(100) + '</p>';"
                    f" document.body.innerHTML = '{LAMP}' + row.repeat(100_000)</script>"),
    "/huge": page("<div id=root></div><script>const row = '<p>' + 'x'.repeat(100) + '</p>';"
                  f" document.body.innerHTML = '{LAMP}' + row.repeat(470_000)</script>"),
}  # fmt: skip


def with_fields(crawl: Callable[..., Crawl], lines: list[str], *words: str) -> Crawl:
    folder: Path = crawl.args[0]  # type: ignore[attr-defined]
    (folder / "fields.yaml").write_text(PRICE)
    return crawl(lines, "-a", "fields=fields.yaml", *words)


def rows_in(folder: Path) -> int:
    return len(read_table(folder / "table.csv"))


@contextmanager
def rendering(folder: Path, *words: str, output: str = "-O") -> Iterator[subprocess.Popen[str]]:
    """A crawl of *folder*/urls.txt, in a session of its own."""
    command = [sys.executable, "-W", "error", "-m", "scrapy", "crawl", "urls", "-afile=urls.txt"]
    with subprocess.Popen(
        [*command, output, "table.csv", *words], cwd=folder, env=ENVIRONMENT,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        yield process
        process.kill()


def processes_of(pid: int, kind: str) -> list[psutil.Process]:
    """Return the driver of a crawl, or its browser."""
    found = []
    with suppress(psutil.Error):
        for one in psutil.Process(pid).children(recursive=kind == "browser"):
            with suppress(psutil.Error):
                is_browser = "--remote-debugging-pipe" in one.cmdline()
                if one.status() != psutil.STATUS_ZOMBIE and is_browser == (kind == "browser"):
                    found.append(one)
    return found
