"""The list of the demo: a few hundred URLs as lists have them, the odd ones included."""

from urlcrawler.demo.names import DEAD, SHOPS, shop

_ODD = [
    "/redirect/1?to=/page/1",
    "/redirect/3?to=/page/2",
    "/loop",
    "/status/403",
    "/status/404",
    "/status/410",
    "/status/500",
    "/flaky/stock?times=1",
    "/limited/offers",
    "/private/secret",
    "/latin1",
    "/meta-charset",
    "/shift-jis",
    "/emoji",
    "/quotes",
    "/javascript",
    "/pdf",
    "/empty",
    "/gzip",
    "/drop",
]
_NOT_URLS = ["not a url", "http://[::1", "mailto:sales@shop-01.demo.test"]
_PAGES = 14


def lines(port: int) -> list[str]:
    """Return the lines of the list for a site on *port*: sorted by host, as lists usually are."""
    listed = ["# The list of `scrapy demo`: made-up hosts, served on this machine only.", ""]
    for number in range(1, SHOPS + 1):
        root = f"http://{shop(number)}:{port}"
        slow = 0.02 * (number % 6)  # seconds
        listed += [f"{root}/page/{page}?delay={slow:.2f}" for page in range(1, _PAGES + 1)]
        listed.append(f"{root}{_ODD[number % len(_ODD)]}")
    listed += [f"http://{DEAD}:1/page/{page}" for page in range(1, 6)]
    first = f"http://{shop(1)}:{port}"
    return [*listed, f"{first}/page/1?delay=0.02#reviews", *_NOT_URLS]
