"""The servers of scrapy.cfg: `[deploy]` and `[deploy:NAME]`, as scrapyd-deploy has them."""

import configparser
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from urlcrawler.exceptions import ArgumentError
from urlcrawler.printable import without_credentials


@dataclass(frozen=True)
class Target:
    """A server and the project on it.

    Attributes:
        name: "" for the section [deploy].
        url: of the server, without a slash at its end.
        project: what the spiders were deployed as.
        username, password: empty when there are none; never shown.
    """

    name: str
    url: str
    project: str
    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def deploy_command(self) -> str:
        """What deploys the project to it."""
        return f"scrapyd-deploy {self.name}".rstrip()

    @property
    def shown_url(self) -> str:
        """The URL for messages."""
        return without_credentials(self.url)


def read_target(name: str) -> Target:
    """Return the target of that name in scrapy.cfg; "" is the section [deploy].

    Raises:
        ArgumentError: there is no such target, or it has no URL or project.
    """
    from scrapyd_client.utils import get_config

    section = f"deploy:{name}" if name else "deploy"
    try:
        config = get_config()
        values = dict(config.items("deploy")) if config.has_section("deploy") else {}
        if not config.has_section(section):
            names = [each[7:] for each in config.sections() if each.startswith("deploy:")]
            known = f"Targets are: {', '.join(names)}" if names else "It has no [deploy:NAME]"
            if values:
                known += ". [deploy] is the one without --server"
            raise ArgumentError(f"--server: scrapy.cfg has no section [{section}]. {known}")
        values |= dict(config.items(section))
    except configparser.Error as error:
        # Not its text: that quotes the value, which may be the password.
        raise ArgumentError(
            f"scrapy.cfg: [{section}] cannot be read ({type(error).__name__}). Write %% for a %"
        ) from error
    return _checked(name, section, values)


def _checked(name: str, section: str, values: Mapping[str, str]) -> Target:
    url = values.get("url", "").rstrip("/")
    if urlsplit(url).scheme not in ("http", "https"):
        raise ArgumentError(
            f"scrapy.cfg: [{section}]: url must be like http://localhost:6800/, not "
            f"{without_credentials(url)!r}"
        )
    if not values.get("project"):
        raise ArgumentError(f"scrapy.cfg: [{section}]: needs a line project = urlcrawler")
    return Target(
        name, url, values["project"], values.get("username", ""), values.get("password", "")
    )
