"""The browser of this machine."""

import re
import shutil
from pathlib import Path

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_CACHES = ("~/.cache/ms-playwright", "~/Library/Caches/ms-playwright")
_SHELLS = ("chrome-linux/headless_shell", "chrome-mac/headless_shell",
           "chrome-headless-shell-*/chrome-headless-shell")  # fmt: skip
# Debian's starts the browser as a child, which would go on when only its parent is ended.
_WRAPPER = re.compile(rb"#!/bin/sh(?: -\w)?\s+(?:exec )?(/\S+) \"?\$@\"?\s*")


def find_browser() -> str | None:
    """Return the path of Playwright's own headless shell, else of the system's browser."""
    for cache in _CACHES:
        for folder in sorted(Path(cache).expanduser().glob("chromium_headless_shell-*"))[::-1]:
            for shell in _SHELLS:
                if found := next(folder.glob(shell), None):
                    return str(found)
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    return _unwrapped(path) if path else None


def _unwrapped(path: str) -> str:
    """Return what the script at *path* does nothing but start; *path* if it is no such script."""
    with Path(path).open("rb") as file:
        wrapper = _WRAPPER.fullmatch(file.read(200))
    return wrapper[1].decode() if wrapper else path
