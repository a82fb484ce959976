"""`scrapy submit`: a crawl on a server with scrapyd, watched from here."""

import argparse
import shlex
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError
from scrapy.utils.conf import arglist_to_dict

from urlcrawler.exceptions import ArgumentError, OutputError, UrlcrawlerError
from urlcrawler.printable import printable, without_credentials

# Scrapy imports the modules of all commands for each of them: what this needs comes later.
if TYPE_CHECKING:
    from urlcrawler.remote.following import End
    from urlcrawler.remote.server import Server
    from urlcrawler.remote.submission import Submission

_COMPLETE = (0, 3)  # exit codes of jobs whose table has every row
_INTERVAL = "LOGSTATS_INTERVAL=5"  # seconds; somebody is watching
_LEVELS = ("DEBUG", "INFO")  # with which a job says how it has ended


class Command(ScrapyCommand):
    """Schedule a list as a job of scrapyd, follow it, and bring its table."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        """Return what stands behind the name of the command."""
        return "[options] urls.txt | -a file=/on/the/server.txt"

    def short_desc(self) -> str:
        """Return the line for the list of commands."""
        return "Crawl a list on a server with scrapyd, follow the job, and fetch its table"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add our own."""
        super().add_options(parser)
        add = parser.add_argument
        add("-a", dest="spargs", action="append", default=[], metavar="NAME=VALUE",
            help="an argument of the spider; its files are on the server")  # fmt: skip
        add("--server", default="", metavar="NAME", help="[deploy:NAME] of scrapy.cfg (default: "
            "[deploy])")  # fmt: skip
        add("--spider", default="urls", help="its name (default: urls)")
        add("--jobid", help="the same id goes on with its table (default: by list and arguments)")
        for names, what in (
            (("-o", "--output"), ".csv or .jsonl; none may be there"),
            (("-O", "--overwrite-output"), "the same, and replace one"),
        ):
            add(*names, metavar="TABLE", action="append", help=what)
        add("--cancel", action="store_true", help="let the job finish its pages, and stop")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Schedule, follow, fetch; the exit code is that of the crawl."""
        outputs = [*(opts.output or ()), *(opts.overwrite_output or ())]
        if len(args) > 1 or len(outputs) > 1:
            raise UsageError("name one list and one table: scrapy submit urls.txt -o urls.csv")
        self._signal = signal.SIGINT
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._interrupt)
        self._job: str | None = None
        try:
            self.exitcode = self._submit(args[0] if args else None, opts)
        except UrlcrawlerError as error:
            _say(f"scrapy submit: {error}")
            if self._job:
                self._say_how_to_go_on()
            self.exitcode = 1
        except OSError as error:
            _say(f"scrapy submit: cannot write {error.filename}: {error.strerror}")
            self.exitcode = 1
        except KeyboardInterrupt:
            _say("")
            if self._job:
                self._say_how_to_go_on()
            else:
                _say("scrapy submit: interrupted. Nothing was scheduled")
            self.exitcode = 128 + self._signal

    def _submit(self, path: str | None, opts: argparse.Namespace) -> int:
        if find_spec("scrapyd_client") is None:
            raise ArgumentError("needs scrapyd-client. Type pip install -e '.[scrapyd]'")
        from urlcrawler.remote.fetching import check_place
        from urlcrawler.remote.server import Server
        from urlcrawler.remote.submission import describe
        from urlcrawler.remote.targets import read_target

        try:
            given = arglist_to_dict(opts.spargs)
        except ValueError:
            raise UsageError("Invalid -a value, use -a NAME=VALUE") from None
        server = Server(read_target(opts.server))
        if opts.cancel and opts.jobid:
            return self._cancel(server, opts.jobid)
        what = describe(path, opts.spider, given, opts.jobid)
        if opts.cancel:
            return self._cancel(server, what.job)
        (table,) = opts.output or opts.overwrite_output or [f"data/results/{what.list_name}.csv"]
        check_place(Path(table), replaces=bool(opts.overwrite_output))
        server.check(what.spider)
        has_items = server.has_items()
        self._check_settings(opts.set, has_items=has_items)
        if not has_items and (opts.output or opts.overwrite_output):
            raise OutputError(
                f"-o {table}: {server.target.shown_url} gives out no tables: items_dir is not set "
                "there. Set it, or leave -o out: the table stays on the server"
            )
        end = self._crawl(server, what, opts.set)
        return self._finish(server, what, end, Path(table), has_items=has_items)

    def _check_settings(self, given: list[str], *, has_items: bool) -> None:
        """Refuse settings that scrapyd would replace, or with which nobody would know the end."""
        for name, value in (word.split("=", 1) for word in given):
            if name == "FEEDS" and has_items:
                raise ArgumentError(
                    "-s FEEDS: items_dir of the server takes the place of it. Leave it out; -o "
                    "says where the table goes here"
                )
            if name == "LOG_FILE":
                raise ArgumentError("-s LOG_FILE: scrapyd has one for each job. Leave it out")
            if (name == "LOG_LEVEL" and value not in _LEVELS) or (
                name == "LOG_ENABLED" and value in ("0", "False")
            ):
                raise ArgumentError(
                    f"-s {name}={value}: only its log says how a job has ended. Leave it out"
                )

    def _crawl(self, server: "Server", what: "Submission", given: list[str]) -> "End":
        """Schedule the job, unless it is under way, and follow it to its end."""
        from urlcrawler.remote.following import Follower

        follower = Follower(server, what.spider, what.job, _say)
        jobs = follower.begin()
        self._job = what.job
        if jobs.pending or jobs.running:
            _say(f"Job {what.job} is under way at {server.target.shown_url}")
        else:
            settings = [_INTERVAL, *given]  # the last one of a name counts
            arguments = [("jobid", what.job), *(("setting", each) for each in settings)]
            server.schedule(what.spider, [*arguments, *what.arguments.items()])
            _say(f"Job {what.job} is scheduled at {server.target.shown_url}")
        return follower.follow()

    def _finish(
        self, server: "Server", what: "Submission", end: "End", table: Path, *, has_items: bool
    ) -> int:
        """Fetch the table if it is complete; say what there is to say, and return the exit code."""
        from urlcrawler.remote.fetching import fetch_table

        self._job = None  # it is over
        if end.why:
            _say(f"scrapy submit: {end.why}")
        if end.code not in _COMPLETE:
            if end.code != 1:
                _say(f"No table was fetched, as it is not complete. To go on: {_command()}")
            return end.code
        if not has_items:
            _say(
                "The table stays on the server, see above where, in the folder that scrapyd runs "
                "in. With items_dir in scrapyd.conf it would be fetched"
            )
            return end.code
        settings: Any = self.settings
        encoding = str(settings["FEED_EXPORT_ENCODING"]).lower().replace("_", "-")
        fetch_table(
            server,
            server.table_path(what.spider, what.job),
            table,
            end.rows,
            formulas=settings.getbool("CSV_FORMULAS"),
            signature=encoding == "utf-8-sig",
        )
        _say(f"{end.rows} rows in {table}")
        return end.code

    def _cancel(self, server: "Server", job: str) -> int:
        state = server.cancel(job)
        if state is None:
            raise ArgumentError(f"job {job} is not at {server.target.shown_url}, or has ended")
        if state == "pending":
            _say(f"Job {job} will not begin: it was taken out of the queue")
        else:
            _say(
                f"Job {job} is asked to stop: pages under way are finished, 30 s at most. Again: "
                "at once. Its rows are kept; submitted again, it goes on"
            )
        return 0

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._signal = signal.Signals(number)
        raise KeyboardInterrupt

    def _say_how_to_go_on(self) -> None:
        _say(f"Job {self._job} goes on at the server, if it was scheduled.")
        _say(f"To follow it, and fetch the table: {_command()}")
        _say(f"To stop it: {_command('--jobid', str(self._job), '--cancel')}")


def _command(*more: str) -> str:
    """Return the command line as it was typed, with *more* words."""
    return shlex.join(["scrapy", "submit", *sys.argv[1:], *more])  # Scrapy takes the name out


def _say(text: str) -> None:
    print(printable(without_credentials(text)), file=sys.stderr, flush=True)
