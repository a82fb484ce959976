"""The index of a long list: time, and bytes of memory per record.

    python tests/benchmarks/index.py              10 million records
    python tests/benchmarks/index.py 1000000      so many

One line per shape of list; each is measured in a process of its own and checks what it has read.
"""

import os
import resource
import subprocess
import sys
import tempfile
from itertools import islice
from time import monotonic, process_time

from urlcrawler.inputs.building import FIRST_ORIGIN
from urlcrawler.inputs.formats import open_reader
from urlcrawler.inputs.index import ListIndex
from urlcrawler.inputs.sources import open_source

RECORDS = 10_000_000
SHAPES = {  # name: (hosts per 1,000 records, of 10 records so many are duplicates, suffix)
    "a thousand a host": (1, 0, "txt"),
    "a host each": (1000, 0, "txt"),
    "half duplicates": (10, 5, "txt"),
    "csv, three columns": (10, 0, "csv"),
}


def write(path: str, records: int, hosts: int, duplicates: int, suffix: str) -> int:
    """Write a list and return how many of its records are duplicates."""
    repeated = 0
    with open(path, "w") as file:
        if suffix == "csv":
            file.write("sku,url,price\n")
        for number in range(records):
            again = number >= 10 and number % 10 < duplicates
            repeated += again
            page = number - 5 if again else number
            host = page * hosts // 1000
            url = f"https://www.host-{host}.example.com/path/page-{page}.html?x={page}"
            file.write(f"A-{number},{url},9.99\n" if suffix == "csv" else f"{url}\n")
    return repeated


def measure(path: str, records: int, repeated: int) -> str:
    """Index the list at *path*, check the index, and return the line of figures."""
    before, began, worked = resident(), monotonic(), process_time()
    index = ListIndex(open_reader(open_source(path), None))
    seconds, worked = monotonic() - began, process_time() - worked
    after, peak = resident(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak *= 1 if sys.platform == "darwin" else 1024
    assert len(index) == records
    assert sum(1 for _ in islice(index.without_request(), 1000)) == min(repeated, 1000)
    assert len(index.heads) + FIRST_ORIGIN <= records + FIRST_ORIGIN
    return (
        f"{seconds:7.1f} s  {worked / records * 1e6:5.2f} us CPU a record  "
        f"{(after - before) / records:6.1f} bytes a record  "
        f"{(peak - before) / records:6.1f} while building"
    )


def resident() -> int:
    """Return the bytes of memory that this process holds."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Measure every shape, or with three arguments the list that they name."""
    if len(sys.argv) == 4:
        print(measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
        return
    records = int(sys.argv[1]) if len(sys.argv) > 1 else RECORDS
    for name, (hosts, duplicates, suffix) in SHAPES.items():
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, f"list.{suffix}")
            repeated = write(path, records, hosts, duplicates, suffix)
            command = [sys.executable, __file__, path, str(records), str(repeated)]
            line = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        print(f"{records:>10} records, {name:<20} {line}", end="", flush=True)


if __name__ == "__main__":
    main()
