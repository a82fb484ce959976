"""A feed of other items than rows, in JSON Lines: it goes on where an earlier run was stopped.

The row of a page is written after the items of the page, each of them at once. So of a page that
has its row no item is missing; those of a page that has none are written once more.
"""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from scrapy.settings import BaseSettings

from urlcrawler.output.rows import takes_rows
from urlcrawler.output.tables import FORMATS, JsonLines

_PIECE = 1 << 16


def goes_on(options: Mapping[str, Any]) -> bool:
    """Return whether a feed with these options is one, and is not to begin anew."""
    kind = FORMATS.get(options.get("format") or "")
    whole = not options.get("batch_item_count") and not options.get("postprocessing")
    anew = options.get("overwrite", False)
    return kind is JsonLines and whole and not anew and not takes_rows(options)


def items_feeds(settings: BaseSettings) -> dict[str, dict[str, Any]]:
    """Return the feeds of a crawl that are for other items, by URI."""
    feeds = settings.getdict("FEEDS").items()
    return {str(uri): dict(options) for uri, options in feeds if not takes_rows(options)}


def take_items(folder: Path, targets: Iterable[str]) -> None:
    """Append what several processes have written to the feeds that they share.

    Args:
        folder: of their parts; those of the first of *targets* end with `.0.items`.

    Raises:
        OSError: a feed takes no more; it has some of the items.
    """
    for number, target in enumerate(targets):
        for part in sorted(folder.glob(f"*.{number}.items")):
            before = part.with_suffix(".before")  # bytes that the feed had before this part
            with open_items(Path(target)) as file, part.open("rb") as items:
                if before.exists():  # a kill has come between
                    file.seek(file.truncate(int(before.read_text() or file.tell())))
                else:
                    new = before.with_suffix(".before.new")
                    new.write_text(str(file.tell()))
                    new.replace(before)
                for line in items:
                    if line.endswith(b"\n"):
                        file.write(line)
                file.flush()
                os.fsync(file.fileno())
            part.unlink()
            before.unlink()


def open_items(path: Path) -> IO[bytes]:
    """Open the file for more items, without the torn one that a kill may have left at its end.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("r+b" if path.exists() else "w+b")
    end = size = file.seek(0, os.SEEK_END)
    tail = b""
    while end and b"\n" not in tail:
        end = max(0, end - _PIECE)
        file.seek(end)
        tail = file.read(_PIECE) + tail
    torn = tail.rpartition(b"\n")[2]
    if torn and _is_whole(torn):
        file.seek(size)
        file.write(b"\n")
    else:
        file.seek(file.truncate(size - len(torn)))
    return file


def _is_whole(line: bytes) -> bool:
    """Return whether nothing but the end of the line is lacking."""
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
