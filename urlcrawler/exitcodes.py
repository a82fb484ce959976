"""How a crawl ended, as its exit code says it."""

COMPLETE, CANNOT_START, USAGE, NOT_GOOD_ENOUGH, NOT_WRITTEN, INCOMPLETE = 0, 1, 2, 3, 4, 5
STOPPED_EARLY = 75
INTERRUPTED, TERMINATED = 130, 143

EXIT_CODES = {
    COMPLETE: "complete: every record has its row. Failed URLs are rows, not an exit code",
    CANNOT_START: "cannot start: an argument, the list or the output; one sentence says what to "
    "type",
    USAGE: "usage: Scrapy's own",
    NOT_GOOD_ENOUGH: "complete, and not as good as was asked for: see Quality",
    NOT_WRITTEN: "the output could not be written (a full disk, say). What is there is whole: make "
    "room, run it again",
    INCOMPLETE: "records in is not rows out; the last lines name the missing positions, or what "
    "ended the process",
    STOPPED_EARLY: "stopped early by a limit (`CLOSESPIDER_*`), by the spider or by a component "
    "that exits",
    INTERRUPTED: "interrupted by Ctrl-C. Once: pages under way are finished; twice: at once",
    TERMINATED: "the same, by TERM",
}
