"""Look for bytes that break a promise, with libFuzzer.

    python tests/fuzz list -max_total_time=3600

What it finds interesting goes into the corpus beside this file, which `test_corpus.py` tries at
every run of the tests; keep of it what takes a way of its own. Bytes that break something are left
as crash-*, oom-* or timeout-*.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["urlcrawler", "json", "ruamel"]):
    from targets import TARGETS

if __name__ == "__main__":
    name, *options = sys.argv[1:] or ["-"]
    if name not in TARGETS:
        sys.exit(f"Usage: python tests/fuzz {'|'.join(TARGETS)} [options of libFuzzer]")
    corpus = Path(__file__).parent / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    defaults = ["-max_len=4096", "-timeout=10", "-rss_limit_mb=1000"]
    atheris.Setup(
        [sys.argv[0], *defaults, *options, str(corpus)], lambda data: data and TARGETS[name](data)
    )
    atheris.Fuzz()
