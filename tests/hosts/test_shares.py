"""How much of the window each host may have."""

from urlcrawler.hosts.shares import Shares


def used(total: int, hosts: int, requests: int) -> Shares:
    """Return the shares of so many hosts with work, while so many requests are out."""
    shares = Shares(total, ceiling=16)
    for _ in range(hosts):
        shares.note_work(has_work=True)
    for _ in range(requests):
        shares.take()
    return shares


def test_while_there_is_room_each_has_what_it_likes() -> None:
    """A large host beside two hundred small ones is not kept at two requests at a time."""
    assert used(512, hosts=200, requests=300).each == 16


def test_when_much_is_used_each_has_its_share() -> None:
    """Two hundred hosts that do not answer leave room for those that do."""
    assert used(512, hosts=200, requests=310).each == 2
    assert used(512, hosts=2000, requests=310).each == 1


def test_a_share_grows_when_hosts_have_no_more_work_or_room_comes_back() -> None:
    """Whoever shares them is told, to look at the hosts again; and not at each request."""
    shares = used(100, hosts=50, requests=70)
    assert not shares.note_work(has_work=True)
    assert [shares.note_work(has_work=False) for _ in range(31)].count(True) > 2
    assert shares.each == 5
    grown = [shares.give_back() for _ in range(70)]
    assert grown.count(True) == 1
    assert shares.each == 16
