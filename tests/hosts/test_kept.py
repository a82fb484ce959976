"""The hosts whose state is kept."""

from urlcrawler.hosts.host import Host
from urlcrawler.hosts.kept import KeptHosts
from urlcrawler.hosts.manners import Manners


def test_a_delay_is_remembered_for_longer_than_its_host() -> None:
    """robots.txt is kept a day: who comes back to a host that was forgotten keeps its pace."""
    kept, forgotten = KeptHosts[str](Manners(), {}, most_known=2), list[Host[str]]()
    kept.forget = forgotten.append
    origin = kept.origin("a.com", "http://a.com", 0.0)
    kept.ask(origin, 7.0, 0.0)
    kept.close(origin.host)
    for name in ("b.com", "c.com"):
        kept.close(kept.origin(name, f"http://{name}", 0.0).host)
    assert [host.name for host in forgotten] == ["a.com"]
    again = kept.origin("a.com", "http://a.com", 0.0)
    assert again is not origin
    assert again.host.pace.asked == 7.0
    assert kept.origin("a.com", "https://a.com", 0.0).host.pace.asked == 7.0
    assert kept.origin("b.com", "http://b.com", 0.0).host.pace.asked == 0.0


def test_a_host_that_is_known_comes_back_as_it_was() -> None:
    """With its limit, and whatever else was learned."""
    kept = KeptHosts[str](Manners(), {})
    origin = kept.origin("a.com", "http://a.com", 0.0)
    kept.close(origin.host)
    assert not kept.open
    assert kept.origin("a.com", "http://a.com", 0.0) is origin
    assert [host.name for host in kept] == ["a.com"]
