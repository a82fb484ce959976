"""The settings of loopback.py, and the other handler of http and https."""

from loopback import *  # noqa: F403

_HANDLER = "urlcrawler.handlers.http.HttpHandler"
DOWNLOAD_HANDLERS = {"http": _HANDLER, "https": _HANDLER}
