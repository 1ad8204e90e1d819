"""One function over many tasks on a Dask cluster whose processes may die."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from fusiontheory.checks import InputError

__all__ = ["on_dask"]

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

# Times that a task of a cluster is tried again after its worker died.
_RETRIES = 5
# What a cluster is asked for at once at most, some tasks each where there are more: a scheduler
# takes milliseconds and kilobytes for each. And how many to a message.
_MOST_FUTURES, _SENT = 10_000, 1000
# Seconds between two looks at a cluster, and without any worker until it is given up.
_POLL, _PATIENCE = 0.2, 30
# Seconds for the results of a batch, before each is asked for on its own.
_BATCH = 5
# What Dask logs to, with handlers of its own.
_LOGGERS = ("distributed", "distributed.client", "tornado.application")


def on_dask(
    function: Callable[[_Task], _Result], tasks: Sequence[_Task], address: str, security: Any
) -> Iterator[tuple[_Task, _Result]]:
    """Yield each task with its result, as `fusiontheory.parallel.scatter` does."""
    try:
        from distributed import CancelledError, Client, as_completed
        from distributed import TimeoutError as LateError
        from distributed.comm import CommClosedError
    except ModuleNotFoundError as error:
        raise InputError("scheduler needs Dask: pip install 'fusiontheory[dask]'") from error
    try:
        client = Client(address, timeout="10s", security=security)
    except (OSError, TypeError, ValueError) as error:  # TypeError: TLS without certificates
        raise InputError(f"scheduler must be a Dask scheduler, got {address!r}: {error}") from error
    with _without_words_of_dask(), client:
        starts = range(0, len(tasks), -(-len(tasks) // _MOST_FUTURES) or 1)
        futures = client.map(
            _on_one_thread,
            [function] * len(starts),
            starts,
            [tasks[start : start + starts.step] for start in starts],
            pure=False,
            retries=_RETRIES,
            batch_size=_SENT,
        )
        try:
            running = as_completed(futures)
            del futures  # each is let go when its result is here
            for ended in _as_they_end(client, running):
                results = _gathered(client, ended)
                for position, future in enumerate(ended):
                    try:
                        start, found = results[position] if results else future.result(_PATIENCE)
                    except (LateError, TimeoutError):
                        if future.status == "error":
                            raise
                        # Its worker went after it had ended and before the result was here.
                        if not client.scheduler_info().get("workers"):
                            raise _no_worker() from None
                        running.add(future)
                        continue
                    future.release()
                    yield from zip(tasks[start : start + starts.step], found, strict=True)
        except (CancelledError, CommClosedError, OSError, TimeoutError) as error:
            raise InputError(
                f"scheduler {address} is lost ({type(error).__name__}); what is done is kept, run"
                " again when it is back"
            ) from error


@contextmanager
def _without_words_of_dask() -> Iterator[None]:
    """Keep Dask from logging what goes wrong with it, tracebacks and all: one line says it."""
    logging.getLogger("asyncio").addFilter(_not_of_dask)  # stays: tasks end after the client
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _not_of_dask(record: logging.LogRecord) -> bool:
    kind = record.exc_info[0] if record.exc_info else None
    return kind is None or not kind.__module__.startswith(("distributed", "tornado"))


def _gathered(client: Any, futures: list[Any]) -> list[Any]:
    """Return the results in one message; empty, so that each is asked for, if one is not there."""
    try:
        return list(
            client.sync(lambda: client.gather(futures, asynchronous=True), callback_timeout=_BATCH)
        )
    except Exception:  # of a task, or of a worker that is gone
        return []


def _as_they_end(client: Any, futures: Any) -> Iterator[list[Any]]:
    """Yield lists of futures of Dask as they end, while there are workers or might be again.

    Raises:
        InputError: if for `_PATIENCE` seconds there was no worker.
    """
    last = time.monotonic()
    while not futures.is_empty():
        try:
            # Waits a little, so that a cluster without workers is seen.
            ended = futures.next_batch(block=False)
        except StopIteration:
            return
        if ended:
            yield ended
            last = time.monotonic()
            continue
        time.sleep(_POLL)
        if client.status != "running":
            raise TimeoutError(client.status)
        if client.scheduler_info().get("workers"):
            last = time.monotonic()
        elif time.monotonic() - last > _PATIENCE:
            raise _no_worker()


def _no_worker() -> InputError:
    return InputError(
        f"scheduler had no worker for {_PATIENCE} s; what is done is kept, run again when there"
        " are workers"
    )


def _on_one_thread(
    function: Callable[[Any], _Result], start: int, tasks: Sequence[Any]
) -> tuple[int, list[_Result]]:
    """Run with one thread of linear algebra, where threadpoolctl is there to say so."""
    try:
        from threadpoolctl import threadpool_limits
    except ModuleNotFoundError:
        return start, [function(task) for task in tasks]
    with threadpool_limits(1):
        return start, [function(task) for task in tasks]
