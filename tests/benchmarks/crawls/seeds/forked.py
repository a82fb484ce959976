"""A pool of processes that all have the writer which was there before they were."""

import csv
import sys
from concurrent.futures import ProcessPoolExecutor

import requests
from parsel import Selector

FIELDS = ["name", "price", "sku", "brand", "stock"]
WORKERS = 32
timeout = float(sys.argv[3])
out = open(sys.argv[2], "w", newline="")  # noqa: SIM115 - as it is written
writer = csv.DictWriter(out, ["url", "status", *FIELDS])
writer.writeheader()


def crawl(url: str) -> None:
    try:
        response = requests.get(url, timeout=timeout)
    except requests.RequestException as error:
        writer.writerow({"url": url, "status": type(error).__name__})
        return
    page = Selector(response.text)
    row = {field: page.css(f".{field}::text").get() for field in FIELDS}
    writer.writerow({"url": url, "status": response.status_code, **row})


if __name__ == "__main__":
    with open(sys.argv[1]) as lines, ProcessPoolExecutor(WORKERS) as pool:
        list(pool.map(crawl, map(str.strip, lines)))
