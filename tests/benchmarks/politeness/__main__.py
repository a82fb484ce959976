"""How polite is it, and how fast? Several crawlers against hosts with hidden limits.

    .venv/bin/python tests/benchmarks/politeness --seeds 3 --seconds 60

Each scenario is crawled by this project, by plain AutoThrottle (its defaults, and target 8) and
with a fixed concurrency of 16, side by side, each on addresses of its own. The figures are those of
the servers. Linux only: it takes many addresses of 127.0.0.0/8.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[3]))

from contenders import CONTENDERS, start
from servers import Banning, Bucket, HeavyTailed, Host, Mortal, Workers

from urlcrawler.demo.messages import Request, Response
from urlcrawler.demo.site import Site
from urlcrawler.openfiles import allow_open_files

Hosts = dict[str, Host]  # by address


def main() -> None:
    """Run the scenarios that are asked for, and print a table of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--only", default="S1,S2,S3,S4,S5,S6,S7", help="scenarios, with commas")
    parser.add_argument("--contenders", default=",".join(CONTENDERS))
    args = parser.parse_args()
    allow_open_files()
    names = args.contenders.split(",")
    for scenario in args.only.split(","):
        print(f"\n{scenario}: {SCENARIOS[scenario].__doc__}", flush=True)
        for seed in range(1, args.seeds + 1):
            asyncio.run(SCENARIOS[scenario](seed, args.seconds, names))


async def crawl(
    hosts: dict[str, Hosts], urls: dict[str, list[str]], seconds: float,
    middle: Callable[[Site], object] | None = None, at: float = 0.0,
) -> dict[str, float]:  # fmt: skip
    """Let each contender crawl its URLs on its hosts; return how long each took."""
    by_address = {address: host for mine in hosts.values() for address, host in mine.items()}

    async def answer(request: Request) -> Response | None:
        return await by_address[request.host](request)

    site = Site({"/*": answer, "/robots.txt": answer}, list(by_address))
    await site.start()
    took: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:

        async def one(name: str) -> None:
            listed = [url.replace("PORT", str(site.port)) for url in urls[name]]
            mine = Path(folder) / name.replace(" ", "-")
            process = start(name, mine, listed, seconds, len(hosts[name]))
            began = time.monotonic()
            patience = seconds + (100 if name == "ours" else 5)
            try:
                while process.poll() is None and time.monotonic() < began + patience:
                    await asyncio.sleep(0.1)
                took[name] = time.monotonic() - began
            finally:
                if process.poll() is None:
                    process.kill()
                    await asyncio.to_thread(process.wait)
            check(name, mine, len(listed), process)

        tasks = [asyncio.create_task(one(name)) for name in hosts]
        if middle:
            while not all(any(h.log.arrived for h in mine.values()) for mine in hosts.values()):
                await asyncio.sleep(0.1)
            await asyncio.sleep(at)
            middle(site)
        await asyncio.gather(*tasks)
    await site.close()
    return took


def check(name: str, folder: Path, records: int, process: subprocess.Popen[bytes]) -> None:
    """Fail when a crawl of ours did not end as it should, or has doubled a row."""
    if name != "ours":
        return
    rows = (folder / "table.csv").read_text(encoding="utf-8").splitlines()[1:]
    positions = {row.split(",", 1)[0] for row in rows}
    log = (folder / "log").read_text(encoding="utf-8")
    assert process.returncode in (0, 75), log
    assert len(positions) == len(rows) <= records, log
    assert process.returncode or len(rows) == records, log


def address(scenario: int, contender: int, host: int = 1) -> str:
    """Return a loopback address that nobody else has in this run."""
    return f"127.{10 + scenario}.{contender * 8 + host // 250}.{1 + host % 250}"


def single(
    number: int, names: list[str], make: Callable[[random.Random], Host], seed: int, pages: int
) -> tuple[dict[str, Hosts], dict[str, list[str]], dict[str, Host]]:
    """Return one host per contender, all alike, and the URLs on it."""
    hosts: dict[str, Hosts] = {}
    urls: dict[str, list[str]] = {}
    for place, name in enumerate(names):
        at = address(number, place)
        hosts[name] = {at: make(random.Random(seed))}
        urls[name] = [f"http://{at}:PORT/page/{page}" for page in range(pages)]
    return hosts, urls, {name: next(iter(mine.values())) for name, mine in hosts.items()}


def rate(host: Host, start: float, end: float) -> float:
    """Return the pages a second that a host gave between two times after the first request."""
    first = host.log.arrived[0]
    good = sum(start <= at - first < end for at, status, _ in host.log.answered if status == 200)
    return good / (end - start)


def took(host: Host) -> float:
    """Return the median of the seconds that good answers took."""
    return median([took for _, status, took in host.log.answered if status == 200] or [math.nan])


def show(name: str, *figures: str) -> None:
    """Print a line of the table."""
    print(f"    {name:<16}" + "".join(f"{figure:>24}" for figure in figures), flush=True)


async def s1(seed: int, seconds: float, names: list[str]) -> None:
    """Workers with a queue: at least 85% of the possible, median latency at most 1.5x unloaded."""
    rng = random.Random(f"s1{seed}")
    workers, latency = rng.choice([1, 2, 3, 5, 8, 12]), rng.uniform(0.1, 0.5)
    made = lambda r: Workers(r, latency, workers)  # noqa: E731
    hosts, urls, one = single(1, names, made, seed, int(seconds * workers / latency) + 500)
    await crawl(hosts, urls, seconds)
    show(f"{workers} x {latency:.2f} s", "of the possible", "latency/unloaded")
    for name, host in one.items():
        show(name, f"{rate(host, 0, seconds) / host.best:.0%}", f"{took(host) / latency:.2f}")


async def s2(seed: int, seconds: float, names: list[str]) -> None:
    """A token bucket: at least 85% of the rate, at most 1% of the answers 429."""
    rng = random.Random(f"s2{seed}")
    allowed, latency = rng.uniform(5, 40), rng.uniform(0.05, 0.2)
    burst = allowed * rng.uniform(0.5, 2)
    made = lambda r: Bucket(r, latency, allowed, burst)  # noqa: E731
    hosts, urls, one = single(2, names, made, seed, int(seconds * allowed * 1.5) + 500)
    await crawl(hosts, urls, seconds)
    show(f"{allowed:.0f}/s, {burst:.0f} burst", "of the rate", "429")
    for name, host in one.items():
        refused = sum(status == 429 for _, status, _ in host.log.answered)
        share = refused / max(1, len(host.log.answered))
        show(name, f"{rate(host, 0, seconds) / allowed:.0%}", f"{share:.2%}")


async def s3(seed: int, seconds: float, names: list[str]) -> None:
    """A ban without warning: at most one, then below 70% of its level, at least 50% of allowed."""
    rng = random.Random(f"s3{seed}")
    latency, is_silent, by_rate = rng.uniform(0.1, 0.4), seed % 2 == 0, seed % 3 == 0
    flight, allowed = (99, rng.randint(8, 25)) if by_rate else (rng.randint(2, 8), 9999)
    seconds = seconds + 180  # a ban of 60 s, a timeout, and time to behave
    made = lambda r: Banning(r, latency, flight=flight, rate=allowed, is_silent=is_silent)  # noqa: E731
    hosts, urls, one = single(3, names, made, seed, int(seconds * 16 / latency) + 500)
    await crawl(hosts, urls, seconds)
    limit = f"{allowed}/s" if by_rate else f"{flight} at a time"
    show(f"{limit} {'silent' if is_silent else '403'}", "bans", "level after/at ban", "of allowed")
    for name, host in one.items():
        bans = host.log.bans
        if not bans:
            show(name, "0", "-", f"{rate(host, 0, seconds) / host.best:.0%}")
            continue
        column = 2 if by_rate else 1
        over = bans[0][0] + 60
        after = max((entry[column] for entry in host.log.levels if entry[0] > over + 1), default=0)
        first = host.log.arrived[0]
        banned = sum(min(60.0, max(0.0, first + seconds - at)) for at, _, _ in bans)
        good = sum(status == 200 for _, status, _ in host.log.answered)
        share = good / (seconds - banned) / host.best
        show(name, f"{len(bans)}", f"{after / bans[0][column]:.0%}", f"{share:.0%}")


async def s4(seed: int, seconds: float, names: list[str]) -> None:
    """Half the workers leave for a while: back at 80% within 20 s of each change."""
    rng = random.Random(f"s4{seed}")
    workers, latency = rng.choice([4, 6, 8, 12]), rng.uniform(0.1, 0.4)
    seconds = max(seconds, 60) + 30
    down, up = seconds / 3, seconds * 2 / 3
    changes = ((down, workers // 2), (up, workers))
    made = lambda r: Workers(r, latency, workers, changes)  # noqa: E731
    hosts, urls, one = single(4, names, made, seed, int(seconds * workers / latency) + 500)
    await crawl(hosts, urls, seconds)
    show(f"{workers} x {latency:.2f} s", "down: s to 80%, 1.5x", "up: s to 80%")
    for name, host in one.items():
        best = host.best

        def settled(at: float, part: float, host: Host = host, best: float = best) -> float:
            for after in range(int(seconds / 3) - 3):
                begin = at + after
                first = host.log.arrived[0]
                times = [
                    took for when, _, took in host.log.answered if begin <= when - first < begin + 3
                ]
                calm = median(times or [99]) <= 1.5 * latency
                if rate(host, begin, begin + 3) >= 0.8 * part * best and (calm or part == 1):
                    return after
            return math.inf

        show(name, f"{settled(down, 0.5):.0f}", f"{settled(up, 1):.0f}")


async def s5(seed: int, seconds: float, names: list[str]) -> None:
    """A host dies in the middle: refusing, 30 s; silent, two timeouts and 30 s; others go on."""
    rng = random.Random(f"s5{seed}")
    is_silent = seed % 2 == 0
    latency = rng.uniform(0.05, 0.2)
    hosts: dict[str, Hosts] = {}
    urls: dict[str, list[str]] = {}
    for place, name in enumerate(names):
        dying, *well = [address(5, place, n) for n in range(1, 5)]
        dies = Mortal(random.Random(seed), latency, 10 if is_silent else math.inf)
        hosts[name] = {dying: dies, **{at: Host(random.Random(at), latency) for at in well}}
        urls[name] = [f"http://{dying}:PORT/page/{page}" for page in range(5000)]
        urls[name] += [f"http://{at}:PORT/page/{page}" for at in well for page in range(500)]

    def die(site: Site) -> None:
        for server in site._servers[:: len(hosts[names[0]])]:
            server.close()
            for sock in server.sockets:
                sock.close()
        for connection in list(site.connections):
            name = connection.transport.get_extra_info("sockname")[0]
            if any(name == next(iter(mine)) for mine in hosts.values()):
                connection.transport.abort()

    took = await crawl(hosts, urls, 200, None if is_silent else die, 10)
    show("silent" if is_silent else "refusing", "s after its death", "s for the others")
    for name, mine in hosts.items():
        _, *well = mine.values()
        others = max(host.log.answered[-1][0] - host.log.arrived[0] for host in well)
        show(name, f"{took[name] - 10:.0f}", f"{others:.1f}")


async def s6(seed: int, seconds: float, names: list[str]) -> None:
    """200 hosts of all kinds at once: at most 1.25x of what the slowest host forces."""
    for place, name in enumerate(names):
        rng = random.Random(f"s6{seed}")
        mine: Hosts = {}
        urls: list[str] = []
        forced = 0.0
        for number in range(200):
            at = address(6, place, number)
            latency = math.exp(rng.uniform(math.log(0.05), math.log(1.0)))
            kind = rng.random()
            own = random.Random(f"{seed}{number}")
            if kind < 0.5:
                host: Host = Workers(own, latency, rng.choice([1, 2, 4, 8]))
            elif kind < 0.7:
                host = Bucket(own, latency, limit := rng.uniform(2, 20), limit)
            elif kind < 0.9:
                host = HeavyTailed(own, latency / 3)
            else:
                host = Host(own, latency)
            best = min(host.best, 16 / latency)
            pages = max(1, int(best * seconds * rng.choice([0.005, 0.01, 0.02, 0.06])))
            if number == 0:  # the slowest one
                host, pages = Workers(own, 0.5, 4), int(8 * seconds)
                best = host.best
            forced = max(forced, pages / best)
            mine[at] = host
            urls += [f"http://{at}:PORT/page/{page}" for page in range(pages)]
        took = await crawl({name: mine}, {name: urls}, seconds * 3)
        if not place:
            show(f"{len(urls)} pages", "s", "of what is forced", "429")
        answers = [status for host in mine.values() for _, status, _ in host.log.answered]
        ended = max(host.log.answered[-1][0] for host in mine.values() if host.log.answered)
        spent = ended - min(host.log.arrived[0] for host in mine.values() if host.log.arrived)
        ratio = f"{spent / forced:.2f}" if took[name] < seconds * 3 else "stopped"
        show(name, f"{spent:.0f}", ratio, f"{answers.count(429) / len(answers):.2%}")


async def s7(seed: int, seconds: float, names: list[str]) -> None:
    """Heavy-tailed latency without load: at least 90% of what the ceiling of 16 gives."""
    rng = random.Random(f"s7{seed}")
    latency = rng.uniform(0.1, 0.3)
    made = lambda r: HeavyTailed(r, latency)  # noqa: E731
    hosts, urls, one = single(7, names, made, seed, int(seconds * 16 / latency) + 500)
    await crawl(hosts, urls, seconds)
    sample = HeavyTailed(random.Random(seed), latency)
    mean = sum(sample.service() for _ in range(100_000)) / 100_000
    show(f"from {latency:.2f} s", "of the ceiling", "of fixed 16")
    fixed = rate(one["fixed 16"], 0, seconds) if "fixed 16" in one else math.nan
    for name, host in one.items():
        now = rate(host, 0, seconds)
        show(name, f"{now / (16 / mean):.0%}", f"{now / fixed:.0%}")


SCENARIOS = {"S1": s1, "S2": s2, "S3": s3, "S4": s4, "S5": s5, "S6": s6, "S7": s7}

if __name__ == "__main__":
    main()
