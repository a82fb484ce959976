"""A pool of processes, each of which appends the rows of its part of the list to the table."""

import csv
import sys
from concurrent.futures import ProcessPoolExecutor

import requests
from parsel import Selector

FIELDS = ["name", "price", "sku", "brand", "stock"]
WORKERS = 32


def crawl(urls: list[str], table: str, timeout: float) -> None:
    with open(table, "a", newline="") as out:
        writer = csv.DictWriter(out, ["url", "status", *FIELDS])
        for url in urls:
            try:
                response = requests.get(url, timeout=timeout)
            except requests.RequestException as error:
                writer.writerow({"url": url, "status": type(error).__name__})
                continue
            page = Selector(response.text)
            row = {field: page.css(f".{field}::text").get() for field in FIELDS}
            writer.writerow({"url": url, "status": response.status_code, **row})


def main(urls: str, table: str, timeout: float) -> None:
    with open(table, "w", newline="") as out:
        csv.DictWriter(out, ["url", "status", *FIELDS]).writeheader()
    with open(urls) as lines:
        waiting = [line.strip() for line in lines]
    size = -(-len(waiting) // WORKERS)
    parts = [waiting[start : start + size] for start in range(0, len(waiting), size)]
    with ProcessPoolExecutor(WORKERS) as pool:
        for done in [pool.submit(crawl, part, table, timeout) for part in parts]:
            done.result()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
