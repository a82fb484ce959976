"""`scrapy demo`: the main job on a site that comes with the project."""

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

from scrapy.commands import ScrapyCommand

from urlcrawler.demo import names, urls

_LIST = Path("data/results/demo.txt")
_TABLE = Path("data/results/demo.csv")
_LEAVE = 10.0  # seconds for the site to close


class Command(ScrapyCommand):
    """Start the built-in site on loopback, write its list, and crawl it as any other list."""

    requires_project = True
    requires_crawler_process = False

    def short_desc(self) -> str:
        """Return the line of `scrapy` for this command."""
        return "Crawl a built-in demo site on this machine (needs no network)"

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Serve, crawl, and leave with the exit code of the crawl."""
        site = subprocess.Popen(  # noqa: S603 - our own module, no input of anybody
            [sys.executable, "-m", "urlcrawler.demo", "--hosts", ",".join(names.addresses())],
            stdin=subprocess.PIPE,  # its end is what stops the site, even after a kill of ours
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert site.stdout is not None  # noqa: S101 - a pipe was asked for
            ready = site.stdout.readline().split()
            if len(ready) != 2:
                self.exitcode = 1
                print("scrapy demo: the site did not start", file=sys.stderr)
                return
            _LIST.parent.mkdir(parents=True, exist_ok=True)
            _LIST.write_text("\n".join(urls.lines(int(ready[1]))) + "\n", encoding="utf-8")
            print(f"A site with {names.SHOPS} hosts is up on this machine, its list is {_LIST}.")
            # `scrapy` may stand outside the PATH of the shell that started this one.
            crawl = ["crawl", "urls", "-a", f"file={_LIST}", "-O", str(_TABLE)]
            crawl += ["-s", f"TWISTED_DNS_RESOLVER={names.__name__}.{names.DemoResolver.__name__}"]
            crawl += ["-s", "ALLOW_PRIVATE_ADDRESSES=127.0.0.0/8"]
            crawl += ["-s", "BACKOFF_START=0.2"]  # a host that is down by design needs no rest
            print(f"$ scrapy {shlex.join(crawl)}\n", flush=True)
            self.exitcode = subprocess.call(  # noqa: S603
                [sys.executable, "-m", "scrapy", *crawl]
            )
        except OSError as error:
            self.exitcode = 1
            print(f"scrapy demo: cannot write {error.filename}: {error.strerror}", file=sys.stderr)
        finally:
            site.communicate(timeout=_LEAVE)
