"""A crawl from Python, whatever runs there: a script, a notebook, a thread, an event loop."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from urlcrawler.exceptions import CrawlError
from urlcrawler.exitcodes import EXIT_CODES
from urlcrawler.project import project_settings, settings_module

if TYPE_CHECKING:
    import pandas as pd

_PREFIX = "scrapy crawl: "  # of the sentence that says why a crawl cannot start
_KEPT = 20  # lines of the log that may have to say how the process has ended


def crawl(
    urls: "str | Path | Iterable[str | Mapping[str, Any]] | pd.DataFrame",
    table: str | Path,
    *,
    overwrite: bool = False,
    spider: str = "urls",
    settings: Mapping[str, Any] | None = None,
    **arguments: Any,
) -> "pd.DataFrame":
    """Crawl a list in a process of its own, and return its table.

    The log goes to `sys.stderr`, line by line. A crawl that was stopped goes on when it is called
    again with the same list and table. KeyboardInterrupt stops it as Ctrl-C does, and so does the
    end of this process, however it comes.

    Args:
        urls: a list as after `-a file=` (a path or an address), or the URLs themselves; those may
            be objects, whose other keys become columns, or a DataFrame.
        table: where it is written, as after `-o`.
        overwrite: replace the table that is there, as `-O` does.
        spider: the name of a spider of the project.
        settings: as after `-s`.
        arguments: as after `-a`.

    Returns:
        What `read_results` returns for the table.

    Raises:
        CrawlError: the crawl cannot start, or has not come to a good end. It has the exit code.
    """
    if isinstance(urls, str | Path):
        return _crawl(str(urls), table, overwrite, spider, settings or {}, arguments)
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", prefix="urlcrawler-") as lines:
        for record in _records(urls):
            lines.write(json.dumps(record, default=str) + "\n")
        lines.flush()
        try:
            return _crawl(lines.name, table, overwrite, spider, settings or {}, arguments)
        except CrawlError as error:
            raise CrawlError(str(error).replace(lines.name, "urls"), error.exit_code) from None


def _records(urls: Any) -> Iterator[dict[str, Any]]:
    """Yield what a list would have of each; what is no URL gets its row, which says so."""
    if hasattr(urls, "columns") and hasattr(urls, "to_json"):  # a DataFrame
        urls = json.loads(urls.to_json(orient="records", date_format="iso"))
    for each in urls:
        if isinstance(each, Mapping):
            yield dict(each)
        elif isinstance(each, bytes):
            yield {"url": each.decode(errors="replace")}
        else:
            is_missing = each is None or each != each  # NaN
            yield {"url": "" if is_missing else str(each)}


def _crawl(
    file: str,
    table: str | Path,
    overwrite: bool,
    spider: str,
    settings: Mapping[str, Any],
    arguments: Mapping[str, Any],
) -> "pd.DataFrame":
    words = ["crawl", spider, "-O" if overwrite else "-o", str(table), "-s", "ENDS_WITH_STDIN=1"]
    for name, value in {"file": file, **arguments}.items():
        words += ["-a", f"{name}={value}"]
    for name, value in settings.items():
        words += ["-s", f"{name}={_written(value)}"]
    code, log = _run(words)
    if code:
        raise CrawlError(_why(code, log), code)
    from urlcrawler.results import read_results  # and pandas, which takes half a second

    known = project_settings()
    known.update(dict(settings), priority="cmdline")
    return read_results(str(table), formulas=known.getbool("CSV_FORMULAS"))


def _written(value: Any) -> str:
    """Return the value of a setting as the command line has it."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value, default=str).strip('"')


def _run(words: list[str]) -> tuple[int, list[str]]:
    """Run `scrapy`, and pass on what it says; return its exit code and the last lines of that."""
    last: list[str] = []
    with subprocess.Popen(  # noqa: S603 - Scrapy, with the caller's own words
        [sys.executable, "-m", "scrapy", *words],
        stdin=subprocess.PIPE,  # its end is what ends the crawl, even after a kill of ours
        stderr=subprocess.PIPE,
        env={**os.environ, "SCRAPY_SETTINGS_MODULE": settings_module()},
        start_new_session=True,  # Ctrl-C, which goes to a group of processes, would come twice
        encoding="utf-8",
        errors="replace",
    ) as process:
        interrupted = False
        while True:
            try:
                for line in process.stderr or ():
                    sys.stderr.write(line)
                    last = [*last, line.strip()][-_KEPT:]
                process.wait()
                break
            except BaseException as error:
                if interrupted or not isinstance(error, KeyboardInterrupt):
                    process.kill()
                    raise
                interrupted = True
                with contextlib.suppress(OSError):
                    process.stdin.close()  # type: ignore[union-attr]
    if interrupted:
        raise KeyboardInterrupt
    return process.returncode, last


def _why(code: int, log: list[str]) -> str:
    """Return the sentence that the process has left, or else what its exit code means."""
    for line in reversed(log):
        if line.startswith(_PREFIX):
            return line.removeprefix(_PREFIX)
    meaning = EXIT_CODES.get(
        code, f"the process was killed by signal {-code}. To go on, call again"
    )
    said = next((line for line in reversed(log) if line), "")
    return f"{meaning}. It said: {said}"
