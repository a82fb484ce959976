"""What a browser costs: pages that do not need one, and pages that do.

    .venv/bin/python tests/benchmarks/rendering.py                   # 3 rounds, then 300 pages
    .venv/bin/python tests/benchmarks/rendering.py --rendered 1000

First pages of 20 KB with a script, from memory, which nothing needs to render: render=off and auto
in turns, and their ratio. Then pages that are empty without JavaScript: how many a second, what one
takes of all processors together (the machine's own count, so let nothing else run), and the memory
of all processes in each fifth of the crawl.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent / "crawls"))
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

import psutil
from crawling import site_of
from measure import run

from urlcrawler.demo.messages import Handler, Request, Response

ROOT = Path(__file__).parents[2]
FIELDS = ("name", "price", "sku", "brand", "stock")
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent / "crawls")]),
    "SCRAPY_SETTINGS_MODULE": "urlcrawler.settings",
}
WORDS = ["-a", "file=urls.txt", "-a", "fields=fields.yaml", "-O", "table.csv"]
ALLOW = ["-s", "ALLOW_PRIVATE_ADDRESSES=1"]
FROM_MEMORY = ["-s", 'DOWNLOAD_HANDLERS={"http": "memory.ScriptedHandler"}']
FILL = """
fetch('/lamp.json').then(answer => answer.json()).then(lamp => {
    document.querySelector('#root').innerHTML =
        Object.entries(lamp).map(([name, value]) => `<p class=${name}>${value}</p>`).join('') })
"""


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "scrapy", "crawl", "urls", *WORDS, *ALLOW, *words]


def prepare(folder: Path, urls: list[str]) -> None:
    (folder / "fields.yaml").write_text("".join(f"{name}: .{name}\n" for name in FIELDS))
    (folder / "urls.txt").write_text("\n".join(urls))


def rendered_in(folder: Path, count: int) -> int:
    """Return how many rows of a table are rendered, once it has *count* rows, all with a name."""
    with (folder / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == count, (folder / "log.txt").read_text()[-2000:]
    assert all(row["name"] for row in rows)
    return Counter(row["rendered"] for row in rows)["True"]


def plain_pages(count: int, rounds: int) -> None:
    """Print what render=auto adds to pages that do not need it."""
    taken: dict[str, list[float]] = {"off": [], "auto": []}
    urls = [f"http://127.0.1.{1 + n % 250}/page/{n}" for n in range(count)]
    for _ in range(rounds):
        for choice, seconds in taken.items():
            with tempfile.TemporaryDirectory() as place:
                folder = Path(place)
                prepare(folder, urls)
                words = command("-a", f"render={choice}", *FROM_MEMORY)
                seconds.append(run(words, folder, ENVIRONMENT, lambda: 0, 600).cpu)
                assert rendered_in(folder, count) == 0
    off, auto = (median(seconds) / count * 1000 for seconds in taken.values())
    pairs = zip(taken["auto"], taken["off"], strict=True)
    ratio = median(one / other for one, other in pairs)
    print(f"{count} pages that need no browser, {rounds} rounds: {off:.2f} ms of CPU each with "
          f"render=off, {auto:.2f} with auto: {ratio:.2f}", flush=True)  # fmt: skip


async def answer(request: Request) -> Response:
    if request.path == "/robots.txt":
        return Response(b"", 404)
    if request.path == "/fill.js":
        return Response(FILL.encode(), content_type="text/javascript")
    if request.path == "/lamp.json":
        values = ", ".join(f'"{name}": "Lamp"' for name in FIELDS)
        return Response(f"{{{values}}}".encode(), content_type="application/json")
    return Response(b"<title>Shop</title><div id=root></div><script src=/fill.js></script>")


def busy() -> float:
    """Return the seconds that all processors of the machine have worked."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system)


def empty_pages(count: int) -> None:
    """Print what pages cost that the browser must have."""
    routes: dict[str, Handler] = {"/*": answer}
    with site_of(routes) as site, tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        prepare(folder, [f"http://127.0.0.1:{site.port}/{n}" for n in range(count)])
        memory: dict[int, int] = {}
        began, worked = time.monotonic(), busy()
        with (folder / "log.txt").open("wb") as log:
            process = subprocess.Popen(
                command("-a", "render=auto"), cwd=folder, env=ENVIRONMENT, stderr=log
            )
        table = folder / "table.csv"
        while process.poll() is None:
            time.sleep(0.5)
            rows = len(table.read_bytes().splitlines()) - 1 if table.exists() else 0
            fifth = min(4, max(0, rows) * 5 // count)
            memory[fifth] = max(memory.get(fifth, 0), held(process.pid))
        seconds, worked = time.monotonic() - began, busy() - worked
        assert rendered_in(folder, count) == count
    print(f"{count} pages in the browser: {count / seconds:.1f} a second, "
          f"{worked / count:.2f} s of CPU each, server included")  # fmt: skip
    for fifth, size in sorted(memory.items()):
        print(f"{(fifth + 1) * 20:>4} % of the pages: {size / 1e6:>5.0f} MB in all processes")


def held(pid: int) -> int:
    """Return the bytes of a process and all below it; what they share counts once."""
    total = 0
    try:
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return 0
    for one in processes:
        try:
            total += one.memory_full_info().pss
        except psutil.Error:
            continue  # it has ended meanwhile
    return total


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plain", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rendered", type=int, default=300)
    args = parser.parse_args()
    if args.plain:
        plain_pages(args.plain, args.rounds)
    if args.rendered:
        empty_pages(args.rendered)


if __name__ == "__main__":
    main()
