"""One function over many tasks, in processes or on a Dask cluster; threads of linear algebra."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from threadpoolctl import ThreadpoolController, threadpool_limits

from fusiontheory.checks import InputError, positive_integer

__all__ = [
    "Part",
    "scatter",
    "small_algebra",
]

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

# Dimension up to which one thread of linear algebra is as fast as several, or nearly.
_SMALL = 1024
# Times that a task is tried again after its worker died.
_RETRIES = 5


def scatter(
    function: Callable[[_Task], _Result],
    tasks: Sequence[_Task],
    jobs: int = 1,
    scheduler: str | None = None,
) -> Iterator[tuple[_Task, _Result]]:
    """Yield each task with its result as it is done, in any order, each exactly once.

    Args:
        function: importable by the workers.
        tasks: hashable or not; they are sent to the workers.
        jobs: processes of the local pool, with one thread each for linear algebra; 1 runs here.
        scheduler: address of a Dask scheduler, such as "tcp://127.0.0.1:8786", instead of the
            pool. A task whose worker dies is run again by another.

    Raises:
        InputError: for jobs below 1, or a scheduler that does not answer.

    Example:
        >>> sorted(scatter(abs, [-1, 2]))
        [(-1, 1), (2, 2)]
    """
    positive_integer("jobs", jobs)
    if scheduler is not None:
        yield from _on_dask(function, tasks, scheduler)
    elif jobs == 1 or len(tasks) < 2:
        for task in tasks:
            yield task, function(task)
    else:
        # Imported here: most that import this module only read their `Part` or limit threads.
        from joblib import Parallel, delayed, parallel_config

        with parallel_config(backend="loky", inner_max_num_threads=1):
            pool = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)
            calls = (delayed(_numbered)(function, k, task) for k, task in enumerate(tasks))
            for k, result in pool(calls):
                yield tasks[k], result


def _numbered(function: Callable[[Any], _Result], k: int, task: Any) -> tuple[int, _Result]:
    return k, function(task)


def _on_one_thread(function: Callable[[Any], _Result], k: int, task: Any) -> tuple[int, _Result]:
    with threadpool_limits(1):
        return _numbered(function, k, task)


def _on_dask(
    function: Callable[[_Task], _Result], tasks: Sequence[_Task], address: str
) -> Iterator[tuple[_Task, _Result]]:
    try:
        from distributed import Client, as_completed
    except ModuleNotFoundError as error:
        raise InputError("scheduler needs Dask: pip install 'fusiontheory[dask]'") from error
    try:
        client = Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise InputError(f"scheduler must be a Dask scheduler, got {address!r}: {error}") from error
    with client:
        futures = [
            client.submit(_on_one_thread, function, k, task, pure=False, retries=_RETRIES)
            for k, task in enumerate(tasks)
        ]
        for future in as_completed(futures):
            k, result = future.result()
            future.release()
            yield tasks[k], result


@contextmanager
def small_algebra(dimension: int) -> Iterator[None]:
    """Use one thread of linear algebra in a block of many products of small matrices.

    Between short products threads wait for each other in busy loops: where the processors are
    shared, that took ten times the processor time of one thread. From a larger ``dimension`` than
    1024 on, the block is left as it is.

    The limit holds for the process while the block runs; environment variables such as
    ``OPENBLAS_NUM_THREADS`` are not touched.

    Args:
        dimension: rows and columns that the matrices have at most, but for one side of samples.

    >>> with small_algebra(dimension=64):
    ...     pass
    """
    if dimension > _SMALL:
        yield
    else:
        with _loaded().limit(limits=1, user_api="blas"):
            yield


@cache
def _loaded() -> ThreadpoolController:
    """Return the libraries of NumPy and SciPy, looked for once: it takes longer than a product."""
    return ThreadpoolController()


@dataclass(frozen=True)
class Part:
    """Part ``index`` of ``of``, counted from 1; parts take shards in turn.

    Raises:
        InputError: if there is no such part.

    >>> Part.parse("2/3").shards(8)
    [1, 4, 7]
    """

    index: int = 1
    of: int = 1

    def __post_init__(self) -> None:
        """Check both numbers."""
        if not 1 <= positive_integer("shard", self.index) <= positive_integer("shard", self.of):
            raise InputError(f"shard must be i/N with i from 1 to N, got {self.index}/{self.of}")

    @classmethod
    def parse(cls, text: str) -> Part:
        """Read "i/N".

        Raises:
            InputError: if it is not of this form.
        """
        index, _, of = text.partition("/")
        if not (index.isdecimal() and of.isdecimal()):
            raise InputError(f"shard must be i/N, such as 1/4, got {text!r}")
        return cls(int(index), int(of))

    def shards(self, count: int) -> list[int]:
        """Return which of ``count`` shards belong to the part."""
        return list(range(self.index - 1, count, self.of))
