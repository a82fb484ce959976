"""Fetches what a list from the web names: from the public internet, and nowhere else."""

import http.client
import io
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from urlcrawler.addresses import AddressPolicy
from urlcrawler.exceptions import PrivateAddress

_TIMEOUT = 60.0  # seconds without a byte
_PUBLIC = AddressPolicy(False)


@contextmanager
def fetch(url: str, trusted: str = "") -> Iterator[io.BufferedReader]:
    """Give the body of the answer, redirects followed.

    Args:
        url: http or https.
        trusted: a host that is asked whatever its address is: the user has named it.

    Raises:
        OSError: it cannot be had; the text says why.
    """
    if not url.startswith(("http://", "https://")):
        raise OSError("only http and https can be fetched")
    hosts = {trusted, *(urlsplit(proxy).hostname for proxy in urllib.request.getproxies().values())}
    opener = urllib.request.OpenerDirector()  # without handlers of file: and ftp:
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Handler(hosts),
    ):
        opener.add_handler(handler)
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "urlcrawler"})  # noqa: S310
        with opener.open(request, timeout=_TIMEOUT) as answer:
            yield io.BufferedReader(answer)
            if answer.length:  # what is still to come when the connection has ended
                raise OSError(f"the answer ends {answer.length} bytes too soon")
    except urllib.error.HTTPError as error:
        error.close()
        raise OSError(f"the server answered {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        why = getattr(error.reason, "strerror", None) or error.reason
        raise OSError(str(why)) from error
    except (http.client.HTTPException, ValueError) as error:
        raise OSError(f"{error or type(error).__name__}") from error
    except PrivateAddress as error:
        raise OSError(f"leads to {error.host}, which is not on the public internet") from error


class _Checked(http.client.HTTPConnection):
    """A connection that ends before it has begun where the address is no public one."""

    trusted: frozenset[str | None]

    def connect(self) -> None:
        """Connect, and look to what."""
        super().connect()
        if self.host not in self.trusted:
            address = self.sock.getpeername()[0]
            if kind := _PUBLIC.refusal(address):
                self.close()
                raise PrivateAddress(self.host, address, kind)


class _CheckedTls(http.client.HTTPSConnection, _Checked):
    """The same, before anything is said about certificates."""


class _Handler(urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
    """Opens such connections."""

    def __init__(self, trusted: set[str | None]) -> None:
        super().__init__()
        self._trusted = frozenset(trusted)

    def http_open(self, request: Any) -> Any:
        """Send *request* over http."""
        return self.do_open(self._kind(_Checked), request)

    def https_open(self, request: Any) -> Any:
        """Send *request* over https."""
        return self.do_open(self._kind(_CheckedTls), request)

    def _kind(self, kind: type[_Checked]) -> Any:
        return type(kind.__name__, (kind,), {"trusted": self._trusted})
