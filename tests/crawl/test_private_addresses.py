"""Nobody gets in: a list leads to the public internet and nowhere else."""

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from crawling import ENVIRONMENT, PAGE, Crawl, Server, needs_addresses, rules, site_of

from urlcrawler.demo import names
from urlcrawler.demo.messages import Request, Response

pytestmark = pytest.mark.usefixtures("handler")

MINE = ("-s", "SPIDER_MODULES=urlcrawler.spiders,saboteurs")
NONE = ("-s", "ALLOW_PRIVATE_ADDRESSES=0")
SOME = ("-s", "ALLOW_PRIVATE_ADDRESSES=127.1.0.0/16")  # the shops, and not 127.0.0.1


SCRAPYS = "scrapy.core.downloader.handlers.http11.HTTP11DownloadHandler"


@dataclass
class Trap:
    """A server that counts who connects to it, and answers nobody."""

    port: int
    connections: list[str] = field(default_factory=list)


@contextmanager
def trap_on() -> Iterator[Trap]:
    """Listen on every address of this machine, of IPv4 and IPv6, for as long as the block runs."""
    with socket.create_server(
        ("::", 0), family=socket.AF_INET6, dualstack_ipv6=True, backlog=128
    ) as server:
        trap = Trap(server.getsockname()[1])

        def count() -> None:
            while True:
                try:
                    connection, peer = server.accept()
                except OSError:
                    return
                trap.connections.append(str(peer))
                connection.close()

        thread = threading.Thread(target=count, daemon=True)
        thread.start()
        yield trap
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


SPELLINGS = [
    "127.0.0.1", "127.0.0.1.", "127.1.2.3", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "[::7f00:1]", "localhost", "LOCALHOST", "localhost.",
    "0x7f.0.0.0x1", "0x7f000001", "①②⑦.⓪.⓪.①", "shop-01.demo.test", "127。0。0。1",
    "user:pw@127.0.0.1",
]  # fmt: skip
# No address at all for the parser, as they are for no browser's address bar either.
ODD = ["127.1", "2130706433", "0177.0.0.1", "017700000001", "0"]


def test_no_spelling_of_a_private_address_gets_a_connection(crawl: Callable[..., Crawl]) -> None:
    """A list that nobody has vetted: each record has its row, and this machine no visitor."""
    with trap_on() as trap:
        lines = [f"http://{host}:{trap.port}/{n}" for n, host in enumerate([*SPELLINGS, *ODD])]
        crawled = crawl(lines, *NONE, "-s", "ROBOTSTXT_OBEY=0")
        with_robots = crawl(lines, *NONE)
    assert trap.connections == []
    errors = Counter(row["error"] for row in crawled.rows)
    assert set(errors) <= {"private-address", "bad-url", "dns"}
    assert errors["private-address"] >= 14
    assert [row["error"] for row in with_robots.rows] == [row["error"] for row in crawled.rows]
    assert "records lead into a private network and were not requested" in crawled.log
    row = crawled.by_position[1]
    assert (row["outcome"], row["attempts"]) == ("failed", "1")
    assert row["reason"] == (
        "127.0.0.1 is of this machine. -s ALLOW_PRIVATE_ADDRESSES=127.0.0.1 allows it"
    )


def test_the_trap_catches_what_is_allowed(crawl: Callable[..., Crawl]) -> None:
    """Else the test above would prove nothing."""
    with trap_on() as trap:
        crawl([f"http://{host}:{trap.port}/" for host in ("127.0.0.1", "[::1]", "localhost")])
    assert len(trap.connections) >= 3


@needs_addresses
def test_a_redirect_into_private_space_is_not_followed(crawl: Callable[..., Crawl]) -> None:
    """On whatever hop, and however it is spelled; the row says where it led."""
    with trap_on() as trap:
        targets = [f"http://{host}:{trap.port}/" for host in SPELLINGS[:12] if host != "127.1.2.3"]

        def answer(request: Request, number: int) -> Response:
            kind, place = request.path[1:].split("/")
            if kind == "twice":
                return Response(b"", 307, [("Location", f"/once/{place}")])
            if kind == "once":
                return Response(b"", 302, [("Location", targets[int(place)])])
            refresh = f'<meta http-equiv="refresh" content="0; url={targets[int(place)]}">'
            return Response(refresh.encode())

        with site_of(Server(answer).routes, names.address_of(names.shop(1))) as site:
            kinds = ("once", "twice", "refresh")
            root = f"http://{names.shop(1)}:{site.port}"
            lines = [f"{root}/{kind}/{n}" for kind in kinds for n in range(len(targets))]
            crawled = crawl(lines, *SOME)
    assert trap.connections == []
    assert {row["error"] for row in crawled.rows} <= {"private-address", "bad-redirect", "dns"}
    assert Counter(row["error"] for row in crawled.rows)["private-address"] > 20
    row = crawled.by_position[1]
    assert row["redirects"] == "1"
    assert row["reason"].endswith(f"(redirected 1 times, at last to http://127.0.0.1:{trap.port}/)")


@needs_addresses
def test_a_name_that_changes_its_address_is_looked_at_each_time(
    crawl: Callable[..., Crawl],
) -> None:
    """DNS rebinding: an allowed address for the first connection, a private one for the next."""
    headers = [("Connection", "close")]
    server = Server(
        lambda request, number: Response(PAGE, 200, headers), Response(b"", 404, headers)
    )
    with site_of(server.routes, "127.0.0.1", names.address_of(names.shop(1))) as site:
        lines = [f"http://rebinding.demo.test:{site.port}/{n}" for n in range(20)]
        resolver = ("-s", "TWISTED_DNS_RESOLVER=saboteurs.Rebinding")
        crawled = crawl(lines, *SOME, *resolver, "-s", "ROBOTSTXT_OBEY=0")
    found = Counter(row["error"] for row in crawled.rows)
    assert found == {"": 10, "private-address": 10}
    assert {host for _, host, _ in server.times} == {"rebinding.demo.test"}
    assert len(server.times) == 10


def test_what_a_spider_asks_for_besides_is_looked_at_too(crawl: Callable[..., Crawl]) -> None:
    """A request of its own, out of `parse_page`."""
    with trap_on() as trap, site_of(Server().routes, names.address_of(names.shop(1))) as site:
        elsewhere = f"elsewhere=http://127.0.0.1:{trap.port}/"
        lines = [f"http://{names.shop(1)}:{site.port}/"]
        crawled = crawl(lines, "crawl", "asks_elsewhere", *MINE, *SOME, "-a", elsewhere)
    assert crawled.only()["outcome"] == "ok"
    assert trap.connections == []


def test_a_proxy_may_be_private_and_literal_addresses_behind_it_may_not(
    crawl: Callable[..., Crawl], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user has chosen it; what it looks up nobody here can know, and the log says so."""
    server = Server(robots=rules(""))
    with site_of(server.routes) as proxy:
        monkeypatch.setitem(ENVIRONMENT, "http_proxy", f"http://127.0.0.1:{proxy.port}")
        crawled = crawl(["http://example.com/a", "http://10.0.0.1/b", "http://[::1]/c"], *NONE)
    assert [row["error"] for row in crawled.rows] == ["", "private-address", "private-address"]
    assert {path for _, _, path in server.times} == {"/a"}
    assert crawled.log.count("The proxy looks up host names") == 1


def test_a_proxy_is_no_page_of_a_list(
    crawl: Callable[..., Crawl], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That it may be connected to does not open it to whatever a list says."""
    server = Server(robots=rules(""))
    with site_of(server.routes) as proxy:
        monkeypatch.setitem(ENVIRONMENT, "https_proxy", f"http://localhost:{proxy.port}")
        lines = ["https://example.com/a"]
        lines += [f"http://{host}:{proxy.port}/admin" for host in ("127.0.0.1", "localhost")]
        crawled = crawl(lines, *NONE, "-s", "CONCURRENT_REQUESTS=1", "-s", "RETRY_TIMES=0")
    assert [row["error"] for row in crawled.rows][1:] == ["private-address"] * 2
    assert server.times == []


@pytest.mark.parametrize("host", ["0x7f000001", "0x7f.1", "localhost", "a.localhost", "[::1]"])
def test_no_spelling_of_an_address_passes_a_proxy(
    crawl: Callable[..., Crawl], monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """What is written out can be checked without looking anything up."""
    server = Server(robots=rules(""))
    with site_of(server.routes) as proxy:
        monkeypatch.setitem(ENVIRONMENT, "http_proxy", f"http://127.0.0.1:{proxy.port}")
        row = crawl([f"http://{host}/"], *NONE).only()
    assert row["error"] in ("private-address", "bad-url")
    assert server.times == []


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("ALLOW_PRIVATE_ADDRESSES=10.0.0.0/99", "must be 1, 0 or networks like 10.0.0.0/8"),
        ("ALLOW_PRIVATE_ADDRESSES=10.0.0.1/8", "10.0.0.1/8 has host bits set"),
        (
            f'DOWNLOAD_HANDLERS={{"https": "{SCRAPYS}"}}',
            "would connect to private addresses. Type -s ALLOW_PRIVATE_ADDRESSES=1 if it may",
        ),
        (
            'DOWNLOAD_HANDLERS={"http": "urlcrawler.handlers.nowhere.Handler"}',
            "'urlcrawler.handlers.nowhere.Handler' cannot be loaded: No module named",
        ),
    ],
)
def test_what_would_open_the_door_by_mistake_is_refused(
    crawl: Callable[..., Crawl], setting: str, said: str
) -> None:
    """One sentence, before the first request."""
    crawled = crawl(["http://127.0.0.1:1/"], "-s", setting)
    assert said in crawled.log
    assert (crawled.exit_code, "Traceback" in crawled.log) == (1, False)
