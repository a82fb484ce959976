"""A feed that is no table: whatever an exporter writes goes into it, until a write fails."""

import io
from collections.abc import Callable
from typing import IO, Any


class PlainFile:
    """Take what is written to a file or a stream; after the first error take no more.

    Scrapy logs a traceback for each row whose exporter raises, passes the row to no further feed,
    and crawls on.

    Attributes:
        failure: why nothing more can be written, or None.
    """

    def __init__(
        self,
        opened: Callable[[], IO[bytes]],
        failed: Callable[[OSError], None],
        *,
        at_once: bool = False,
    ) -> None:
        """Write to the file that *opened* returns; call *failed* once when that does not work.

        *at_once* is without a buffer, in which a kill would find what was written.
        """
        self._at_once = at_once
        self.failure: OSError | None = None
        self._failed = failed
        self._file: IO[bytes] = io.BytesIO()
        self._file = self._try(opened) or self._file

    def __getattr__(self, name: str) -> Any:
        """Be the file for exporters that ask for more than write, flush and close."""
        return getattr(self._file, name)

    def write(self, data: bytes) -> int:
        """Write *data*, or nothing."""
        self._try(self._file.write, data)
        if self._at_once:
            self._try(self._file.flush)
        return len(data)

    def flush(self) -> None:
        """Pass on what was written so far."""
        self._try(self._file.flush)

    def close(self) -> None:
        """Close the file; what it has not passed on yet may turn out not to fit."""
        try:
            self._file.close()
        except OSError as error:
            self._fail(error)

    def _try(self, action: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return None if self.failure else action(*arguments)
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        if self.failure is None:
            self.failure = error
            self._failed(error)
