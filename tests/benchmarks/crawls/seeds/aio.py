"""asyncio, aiohttp and a semaphore: in chunks of so many URLs, or (0) all of them at once."""

import asyncio
import csv
import sys

import aiohttp
from parsel import Selector

FIELDS = ["name", "price", "sku", "brand", "stock"]


async def fetch(session: aiohttp.ClientSession, gate: asyncio.Semaphore, url: str) -> dict:
    async with gate:
        try:
            async with session.get(url) as response:
                text = await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            return {"url": url, "status": type(error).__name__}
        page = Selector(text)
        row = {field: page.css(f".{field}::text").get() for field in FIELDS}
        return {"url": url, "status": response.status, **row}


async def main(urls: str, table: str, timeout: float, at_once: int, chunk: int) -> None:
    gate = asyncio.Semaphore(at_once)
    with open(urls) as lines:
        waiting = [line.strip() for line in lines]
    chunk = chunk or len(waiting)
    patience, connector = aiohttp.ClientTimeout(timeout), aiohttp.TCPConnector(limit=0)
    with open(table, "w", newline="") as out:
        writer = csv.DictWriter(out, ["url", "status", *FIELDS])
        writer.writeheader()
        async with aiohttp.ClientSession(timeout=patience, connector=connector) as session:
            for start in range(0, len(waiting), chunk):
                tasks = [fetch(session, gate, url) for url in waiting[start : start + chunk]]
                for task in asyncio.as_completed(tasks):
                    writer.writerow(await task)


asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])))
