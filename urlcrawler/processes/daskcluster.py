"""The connection to a cluster of Dask, or one of this machine alone (extra `cluster`)."""

import logging
import re
from collections.abc import AsyncIterator
from concurrent.futures import CancelledError
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from typing import Any

from urlcrawler.exceptions import ArgumentError

LOCAL = "local"  # in place of an address: a cluster in this process, which is gone with it
_TIMEOUT = 10.0  # seconds for a scheduler to answer


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[Any]:
    """Yield a client of the scheduler at *address*, in the event loop that runs.

    Raises:
        ArgumentError: nobody answers there.
    """
    distributed = _distributed()
    if address == LOCAL:
        # A shard is a process of its own: a thread that waits for it is enough of a worker.
        async with (
            distributed.LocalCluster(
                processes=False, dashboard_address=None, asynchronous=True
            ) as cluster,
            distributed.Client(cluster, asynchronous=True, set_as_default=False) as client,
        ):
            yield client
    else:
        client = distributed.Client(
            address, asynchronous=True, set_as_default=False, timeout=_TIMEOUT
        )
        try:
            await client
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            raise _no_scheduler(address, error) from error
        async with client:
            yield client


def check_scheduler(address: str) -> None:
    """Make sure that a scheduler answers at *address*.

    Raises:
        ArgumentError: Dask is not installed, or nobody answers there.
    """
    distributed = _distributed()
    if not re.fullmatch(r"[a-z]+://.+:\d+", address):
        raise ArgumentError(
            f"--scheduler: must be like tls://host:8786 or tcp://host:8786, not {address!r}"
        )
    try:
        with distributed.Client(address, set_as_default=False, timeout=_TIMEOUT):
            pass
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise _no_scheduler(address, error) from error


def _distributed() -> Any:
    try:
        distributed = import_module("distributed")
    except ImportError as error:
        raise ArgumentError(
            "scrapy shards run: needs Dask. Type pip install -e '.[cluster]'"
        ) from error
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # the crawl says what matters
    return distributed


def _no_scheduler(address: str, error: Exception) -> ArgumentError:
    return ArgumentError(
        f"--scheduler {address}: no scheduler of Dask answers there: {why(error)}. Start one with "
        "dask scheduler, or leave the option out to use this machine alone"
    )


async def ended(future: Any) -> None:
    """Wait for the end of a task, whatever it is."""
    distributed = _distributed()
    with suppress(CancelledError):
        await distributed.wait([future])


def why(error: BaseException) -> str:
    """Return in one line what is the matter, as far as an exception of Dask knows."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split()) or type(error).__name__


def is_lost_worker(error: BaseException) -> bool:
    """Return whether a task has failed because workers that had it were lost."""
    return isinstance(error, _distributed().scheduler.KilledWorker)
