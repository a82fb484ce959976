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
_NOWHERE = "127.0.0.1:0"
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
                processes=False,
                dashboard_address=_NOWHERE,  # None would open one to everybody
                worker_dashboard_address=_NOWHERE,
                asynchronous=True,
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
    if not re.fullmatch(r"(tls|tcp)://.+:\d+", address):
        raise ArgumentError(
            f"--scheduler: must be like tls://host:8786 or tcp://host:8786, not {address!r}"
        )
    if address.startswith("tls:"):
        _check_certificates(distributed)
    try:
        with distributed.Client(address, set_as_default=False, timeout=_TIMEOUT):
            pass
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise _no_scheduler(address, error) from error


def _check_certificates(distributed: Any) -> None:
    try:
        found = distributed.Security().get_connection_args("client")["ssl_context"]
    except OSError as error:
        raise ArgumentError(f"--scheduler: the certificates of Dask: {why(error)}") from error
    if found is None:
        raise ArgumentError(
            "--scheduler: tls:// needs certificates. Name them in Dask's configuration, or in "
            "DASK_DISTRIBUTED__COMM__TLS__CA_FILE, ..._CLIENT__CERT and ..._CLIENT__KEY"
        )


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
    with suppress(CancelledError):
        await future.exception()


def why(error: BaseException) -> str:
    """Return in one line what is the matter, as far as an exception of Dask knows."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split()) or type(error).__name__


def is_lost_worker(error: BaseException) -> bool:
    """Return whether a task has failed because workers that had it were lost."""
    return isinstance(error, _distributed().scheduler.KilledWorker)
