"""Every setting of the project: value, Scrapy's default, reason, reader.

Declarations only. Imported by nobody: code reads `crawler.settings`, where -s and custom_settings
have had their say.
"""

BOT_NAME = "urlcrawler"  # default "scrapybot"; names the project in the log
SPIDER_MODULES = ["urlcrawler.spiders"]
NEWSPIDER_MODULE = "urlcrawler.spiders"  # where `scrapy genspider` writes
COMMANDS_MODULE = "urlcrawler.commands"  # crawl with exit codes, demo, tools without a list
SPIDER_CONTRACTS = {  # for `scrapy check`: they give `parse_page` its page
    "urlcrawler.contracts.Url": 50,
    "urlcrawler.contracts.Columns": 50,
    "urlcrawler.contracts.Scrapes": 50,  # after the ones of Scrapy, in whose place they come
}

# --- Who we are -------------------------------------------------------------------------------

USER_AGENT = "urlcrawler/0.1"  # default: Scrapy's name and site. Honest: we are no browser
# A page or mail address that reaches you. It goes into the User-Agent, so that the owner of a
# server can write to you instead of blocking you. Read by spiders.base.UrlListSpider.
USER_AGENT_CONTACT = ""

# --- How fast ---------------------------------------------------------------------------------

# Default 16; lists have many hosts, and waiting costs nothing. With AUTOTHROTTLE_ENABLED there are
# fewer while the processor is what all wait for. Read by extensions.loopthrottle.LoopThrottle.
CONCURRENT_REQUESTS = 512
# Processes that share the hosts of the list between them: one uses one core. Read by
# processes.scheduler.ShardScheduler.
PROCESSES = 1
CONCURRENT_REQUESTS_PER_DOMAIN = 16  # default 8; the ceiling, the throttle decides below it
CONCURRENT_ITEMS = 1  # default 100; a response yields one item, 100 idle tasks cost 40% of the CPU
AUTOTHROTTLE_ENABLED = True  # default False; each host gets what it carries comfortably
AUTOTHROTTLE_START_DELAY = 0  # seconds, default 5.0; a host begins with one request at a time
AUTOTHROTTLE_TARGET_CONCURRENCY = 1.0  # as Scrapy's default: requests a host begins with
AUTOTHROTTLE_MAX_DELAY = 60.0  # seconds, as Scrapy's default; robots.txt gets no more than that
REACTOR_THREADPOOL_MAXSIZE = 100  # default 10; host names are looked up in these threads, waiting
# Which hosts share one limit, pace and pauses: "host" (each its own), "domain" (all of a
# registered domain) or "ip" (all on one address). Read by downloader.ListDownloader.
THROTTLE_GROUP_BY = "host"
SCRAPER_SLOT_MAX_ACTIVE_SIZE = 20_000_000  # bytes, default 5 MB: a few large pages stop the rest

# --- When something goes wrong ----------------------------------------------------------------

DOWNLOAD_TIMEOUT = 30  # seconds, default 180; for a page with all that redirects to it
DOWNLOAD_MAXSIZE = 10 * 1024 * 1024  # bytes, default 1 GiB: a hundred such pages end the process
# Bytes of all bodies in memory together, 0 is no limit: with half of them no further download
# begins, with all of them servers are left waiting. Read by room.Room.
DOWNLOAD_MAXSIZE_TOTAL = 256 * 1024 * 1024
URLLENGTH_LIMIT = 32768  # characters, default 2083; 0 is no limit. Browsers and servers take less
DOWNLOAD_HEAD_MAXSIZE = 262144  # bytes; as in browsers. Read by handlers.http.HttpHandler
DOWNLOAD_WARNSIZE = 0  # default 32 MiB; a line per page says what the `bytes` column says
# Seconds that one page may keep a middleware, pipeline or callback waiting (`await`). A lock, a
# database or a service that never answers costs that page its `ok`, and not the end of the crawl.
# Read by extensions.guards.Guards, extensions.accounting.Accounting and
# spiders.callbacks.Callbacks.
COMPONENT_TIMEOUT = 600
# Seconds that a page may take to be parsed; one of over 64 KiB is parsed beside the crawl.
# Read by spiders.base.UrlListSpider.
PARSE_TIMEOUT = 5
# Seconds that one piece of code may keep everything else waiting before the log names it; 0 never.
# Read by extensions.watchdog.Watchdog.
LOOP_BLOCKED_WARNING = 0.5
# Default: none. With HTTPCACHE_ENABLED a failure of the moment would be kept, and read again.
HTTPCACHE_IGNORE_HTTP_CODES = [403, 408, 429, 500, 502, 503, 504, 522, 524]
RETRY_TIMES = 2  # as Scrapy's default: three attempts, and one more in the last round
# Default -1. A retry has waited already, and of those the one tried most is nearest to its row.
RETRY_PRIORITY_ADJUST = 1
# What is still failing is tried once more when all else is done: minutes later, not seconds.
# Read by middlewares.backoff.Backoff.
RETRY_LAST_ROUND = True
BACKOFF_START = 1.0  # seconds, at most, before the first retry; doubles. Read by Backoff, Scheduler
BACKOFF_MAX = 60.0  # seconds, at most, before any retry. Read by middlewares.backoff.Backoff
# Seconds, at most, that one Retry-After is waited for. Read by scheduler.ListScheduler.
RETRY_AFTER_MAX = 300.0
RETRY_GIVE_UP_LOG_LEVEL = "DEBUG"  # default ERROR; the row says it
# Default: a resolver for IPv4 only, to which [::1] and hosts with only an AAAA record are unknown.
TWISTED_DNS_RESOLVER = "urlcrawler.resolver.Resolver"
DNS_TIMEOUT = 15  # seconds, default 60; of a thousand names many do not resolve

# --- What is asked for ------------------------------------------------------------------------

ROBOTSTXT_OBEY = True  # default False
COOKIES_ENABLED = False  # default True; records must not depend on each other
# False: a connection for each page, so that no answer can be taken for that to another request, at
# the cost of a handshake each. Read by handlers.guarded.
KEEPALIVE_ENABLED = True
TELNETCONSOLE_ENABLED = False  # default True; a crawl opens no port
REMOTE_CONTROL_ENABLED = False  # default True; it runs code that is sent to it over HTTP
DOWNLOAD_VERIFY_CERTIFICATES = True  # default False: an impostor's page would look like any other
# False: a list, or a redirect, must never reach into the network in which the crawler runs. True,
# or the networks that may be crawled: "10.0.0.0/8,fd00::/8". Read by handlers.http.HttpHandler.
ALLOW_PRIVATE_ADDRESSES = False

# --- Components -------------------------------------------------------------------------------

# Pipelines, extensions and middlewares that make rows of records: see spiders.wiring.
EXTENSIONS = {
    # Off by the settings above; so they are not even imported, which takes a tenth of a second.
    "scrapy.extensions.telnet.TelnetConsole": None,
    "scrapy.extensions.remote_control.RemoteControl": None,
    "urlcrawler.extensions.quiet.QuietLogs": 0,  # first: before the others have something to say
}

# --- What is taken out of a page -----------------------------------------------------------------

# Groups of metadata, each a few columns: page, social, dates, text, structured, links, article. The
# last one takes longer than all others together. Read by spiders.opening.open_list.
METADATA = ["page", "social", "dates", "text", "structured"]

# "warc": keep every page that has answered in WARC files beside the table (<table>.pages/), to be
# extracted again without a request. Read by spiders.files.open_pages.
KEEP_PAGES = ""

# --- Pages that need JavaScript ---------------------------------------------------------------

# The browser: a path, or the address (CDP) of one that runs already. "": Playwright's own headless
# shell, else the system's Chromium. Read by rendering.browsers.Browsers.
RENDER_BROWSER = ""
RENDER_TABS = 4  # pages at a time; two cores do six a second. Read by scheduler.ListScheduler
RENDER_TIMEOUT = 30  # seconds of one page in the browser. Read by middlewares.render.Render
RENDER_MEMORY_MB = 1500  # of one page in the browser; one can take 14 GB in 30 s. Read by Browsers
RENDER_RECYCLE = 100  # pages, after which the browser is replaced: it grows. Read by Browsers

# --- Output -----------------------------------------------------------------------------------

# The default feed is data/results/<list name>.csv, see spiders.feeds.
FEED_EXPORTERS = {
    "csv": "urlcrawler.exporters.TableCsvExporter",
    "jsonlines": "urlcrawler.exporters.TableJsonLinesExporter",
    "jsonl": "urlcrawler.exporters.TableJsonLinesExporter",
    "jl": "urlcrawler.exporters.TableJsonLinesExporter",
    # Published when the table is complete, see output.published.
    "parquet": "urlcrawler.exporters.PublishedExporter",
    "sqlite": "urlcrawler.exporters.PublishedExporter",
    "gz": "urlcrawler.exporters.PublishedExporter",
    "postgresql": "urlcrawler.exporters.PublishedExporter",
}
FEED_STORAGES = {  # tables that a kill cannot tear, and that the next run continues
    "": "urlcrawler.storages.TableStorage",
    "file": "urlcrawler.storages.TableStorage",
    "postgresql": "urlcrawler.storages.DatabaseStorage",
    "postgres": "urlcrawler.storages.DatabaseStorage",
    "stdout": "urlcrawler.storages.StandardOutput",  # a reader that goes away ends the crawl
}
# A complete table is put into the order of the list. False leaves the rows in the order in which
# they were finished. Read by storages.TableStorage.
SORT_TABLE = True
# Quality gates, looked at when the table is complete. Read by extensions.gates.Gates
MIN_OK_SHARE = 0.0  # of the records that are no duplicates
MIN_FIELD_COVERAGE = 0.0  # of the pages, for each field; or shares by column: {"price": 0.9}
MAX_DROP_AGAINST = ""  # the table of an earlier crawl, than which this one must not be worse
MAX_DROP = 0.05  # by more than this share of what it was
CLOSESPIDER_OK_SHARE = 0.0  # of the last 200 pages; with less the crawl stops. Read by Gates too
FEED_EXPORT_ENCODING = "utf-8"  # default: JSON Lines with every character beyond ASCII escaped
# Text cells that a spreadsheet would run as a formula get an apostrophe before the sign, which
# read_results() takes away again. True writes them as they are. Read by exporters.TableCsvExporter.
CSV_FORMULAS = False

# True: the row of a page that has not changed (`-a since`) has the title and the like that the
# earlier table had; False leaves them empty. Read by spiders.base.UrlListSpider.
CARRY_UNCHANGED = False

# --- Log --------------------------------------------------------------------------------------

LOG_LEVEL = "INFO"  # default DEBUG: two lines per URL
LOG_FORMAT = "%(asctime)s %(levelname)s: %(message)s"  # without the logger's name
LOG_DATEFORMAT = "%H:%M:%S"
LOG_VERSIONS: list[str] = []  # default: ten lines of library versions
LOGSTATS_INTERVAL = 30.0  # seconds; default 60. Read by extensions.progress.Progress
PROGRESS_ENABLED = True  # lines on the terminal, how far the crawl is. Read by extensions.progress
PROGRESS_JSON = ""  # a file that gets an object a line in place of the lines of the log. Likewise
STATS_DUMP = False  # default True, 60 lines; the summary says what happened
