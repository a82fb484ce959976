"""Lists in Parquet, read as JSON Lines: a columnar file has no byte offset per record."""

import base64
import json
import tempfile
from typing import IO, Any

from urlcrawler.exceptions import ListError

_BATCH = 10_000  # rows in memory at a time


def as_json_lines(file: IO[bytes], label: str) -> IO[bytes]:
    """Return the rows of the Parquet *file* as JSON Lines in an unnamed temporary file.

    Raises:
        ListError: pyarrow is not installed, or the file is broken.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ListError(
            f"argument `file`: {label!r} is Parquet, which needs pyarrow: "
            "pip install 'urlcrawler[parquet]'"
        ) from None
    lines = tempfile.TemporaryFile(prefix="urlcrawler-list-")  # noqa: SIM115 - outlives the call
    try:
        table = parquet.ParquetFile(file)
        for batch in table.iter_batches(_BATCH):
            for row in batch.to_pylist():
                lines.write(json.dumps(row, default=_plain_value).encode() + b"\n")
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
        lines.close()
        raise ListError(f"argument `file`: {label!r} is not readable Parquet: {error}") from error
    lines.seek(0)
    return lines


def _plain_value(value: Any) -> str:
    """Return a value that JSON does not know (date, decimal, bytes) as text."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
