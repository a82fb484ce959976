"""Threads, a queue, and one writer."""

import csv
import sys
from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from threading import Thread, local

import requests
from parsel import Selector

FIELDS = ["name", "price", "sku", "brand", "stock"]
here = local()


def fetch(url: str, rows: Queue, timeout: float) -> None:
    if not hasattr(here, "session"):
        here.session = requests.Session()
    try:
        response = here.session.get(url, timeout=timeout)
    except requests.RequestException as error:
        rows.put({"url": url, "status": type(error).__name__})
        return
    page = Selector(response.text)
    row = {field: page.css(f".{field}::text").get() for field in FIELDS}
    rows.put({"url": url, "status": response.status_code, **row})


def write(table: str, rows: Queue) -> None:
    with open(table, "w", newline="") as out:
        writer = csv.DictWriter(out, ["url", "status", *FIELDS])
        writer.writeheader()
        while (row := rows.get()) is not None:
            writer.writerow(row)


def main(urls: str, table: str, timeout: float, workers: int) -> None:
    rows: Queue = Queue()
    writer = Thread(target=write, args=(table, rows))
    writer.start()
    with open(urls) as lines, ThreadPoolExecutor(workers) as pool:
        for url in map(str.strip, lines):
            pool.submit(fetch, url, rows, timeout)
    rows.put(None)
    writer.join()


main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))
