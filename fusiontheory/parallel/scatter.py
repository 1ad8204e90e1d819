"""One function over many tasks: here, in a pool of processes, or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.parallel.cluster import on_dask
from fusiontheory.parallel.pool import on_processes

__all__ = ["scatter"]

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

# Processes that a machine can have; a greater number is a slip.
_MOST_JOBS = 4096


def scatter(
    function: Callable[[_Task], _Result],
    tasks: Sequence[_Task],
    jobs: int = 1,
    scheduler: str | None = None,
    security: Any = None,
) -> Iterator[tuple[_Task, _Result]]:
    """Yield each task with its result as it is done, in any order, each exactly once.

    Args:
        function: importable by the workers.
        tasks: hashable or not; they are sent to the workers.
        jobs: processes of the local pool, with one thread each for linear algebra; 1 runs here.
            When one dies, killed or out of memory, it is replaced: what the pool had in work is
            run again, one task at a time, which shows the one to blame.
        scheduler: address of a Dask scheduler, such as "tcp://127.0.0.1:8786", instead of the
            pool. A task whose worker dies is run again by another. More than 10,000 tasks are sent
            in as many groups, whose results come together. Dask speaks pickle without a password:
            who reaches an open scheduler runs code on its machines and on this one.
        security: `distributed.Security` with certificates for a "tls://" scheduler; without it
            Dask's own configuration is used.

    Raises:
        InputError: for jobs below 1 or beyond any machine; a scheduler that does not answer, is
            lost, or has no worker for 30 s.
        LostTasks: after all others, if a worker of the pool died three times with a task alone.

    Example:
        >>> sorted(scatter(abs, [-1, 2]))
        [(-1, 1), (2, 2)]
    """
    if positive_integer("jobs", jobs) > _MOST_JOBS:
        raise InputError(f"jobs must be at most {_MOST_JOBS}, got {jobs}")
    if not callable(function):
        raise InputError(f"function must be a function, got {function!r}")
    if isinstance(tasks, str | bytes) or not hasattr(tasks, "__len__"):
        raise InputError(f"tasks must be a sequence, got {type(tasks).__name__}")
    if scheduler is not None:
        yield from on_dask(function, tasks, scheduler, security)
    elif jobs == 1 or not tasks:
        for task in tasks:
            yield task, function(task)
    else:
        yield from on_processes(function, tasks, jobs)
