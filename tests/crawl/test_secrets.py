"""Headers and cookies for some hosts go there, and nowhere else."""

from collections.abc import Callable
from pathlib import Path

import pytest
from crawling import ENVIRONMENT, PAGE, Crawl, Server, needs_addresses, site_of

from urlcrawler.demo import names
from urlcrawler.demo.messages import Request, Response

pytestmark = pytest.mark.usefixtures("handler")

SECRETS = f"""
{names.shop(1)}:
  headers: {{X-Key: "${{SHOP_KEY}}"}}
  cookies: {{session: s3cret}}
"""


@needs_addresses
def test_secrets_go_to_their_host_and_to_no_other(
    crawl: Callable[..., Crawl], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not along with a redirect, not with its robots.txt; back at home they are sent again."""
    got: list[tuple[str, str, str | None, str | None]] = []
    paths = {"away": (2, "/elsewhere"), "round": (2, "/back"), "back": (1, "/home")}

    def answer(request: Request, number: int) -> Response:
        path = request.path[1:]
        headers = request.headers
        got.append((request.host, path, headers.get("x-key"), headers.get("cookie")))
        if path in paths:
            host, target = paths[path]
            url = f"http://{names.shop(host)}:{site.port}{target}"
            return Response(b"", 302, [("Location", url)])
        return Response(PAGE)

    monkeypatch.setitem(ENVIRONMENT, "SHOP_KEY", "k3y")
    (tmp_path / "secrets.yaml").write_text(SECRETS, encoding="utf-8")
    server = Server(answer)
    addresses = [names.address_of(names.shop(n)) for n in (1, 2)]
    with site_of(server.routes, *addresses) as site:
        lines = [f"http://{names.shop(1)}:{site.port}/{path}" for path in ("page", "away", "round")]
        lines.append(f"http://{names.shop(2)}:{site.port}/page")
        words = ("-a", "headers=secrets.yaml", "-s", "LOG_LEVEL=DEBUG", "-s", "STATS_DUMP=1")
        crawled = crawl(lines, *words)
    home, away = names.shop(1), names.shop(2)
    assert sorted(got, key=str) == sorted(
        [
            (home, "page", "k3y", "session=s3cret"),
            (home, "away", "k3y", "session=s3cret"),
            (away, "elsewhere", None, None),
            (home, "round", "k3y", "session=s3cret"),
            (away, "back", None, None),
            (home, "home", "k3y", "session=s3cret"),
            (away, "page", None, None),
        ],
        key=str,
    )
    assert {row["outcome"] for row in crawled.rows} == {"ok"}
    table = crawled.table.read_text(encoding="utf-8")
    for secret in ("k3y", "s3cret"):
        assert secret not in crawled.log
        assert secret not in table


def test_a_file_with_mistakes_is_refused(crawl: Callable[..., Crawl], tmp_path: Path) -> None:
    """Before the first request, and without the secret in the message."""
    text = "a.b:\n  headers: {X-Key: s3cret, X y: s3cret}\n"
    (tmp_path / "secrets.yaml").write_text(text, encoding="utf-8")
    crawled = crawl(["http://127.0.0.1:1/"], "-a", "headers=secrets.yaml")
    assert "argument `headers`: secrets.yaml: line 2: a.b: 'X y' is no name" in crawled.log
    assert "s3cret" not in crawled.log
    assert (crawled.exit_code, "Traceback" in crawled.log) == (1, False)
