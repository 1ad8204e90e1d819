"""One function over many tasks: here, in a pool of processes, or on a Dask cluster."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, TypeVar

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.constraints import checked

__all__ = ["TIMES_ALONE", "LostTasks", "Part", "scatter", "scatter_over"]

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

# Times that a task of a cluster is tried again after its worker died.
_RETRIES = 5
# Processes that a machine can have; a greater number is a slip.
_MOST_JOBS = 4096
# Tasks to a message to a scheduler.
_SENT = 1000
# Seconds between two looks at a cluster, and without any worker until it is given up.
_POLL, _PATIENCE = 0.2, 30
# Seconds for the results of a batch, before each is asked for on its own.
_BATCH = 5
# Times that a task is run alone after its worker, or another of the pool, died.
TIMES_ALONE = 3


class LostTasks(RuntimeError):
    """Tasks whose worker died each time that they were run, alone; all others are done.

    >>> LostTasks(["a"]).tasks
    ['a']
    """

    def __init__(self, tasks: Sequence[Any]) -> None:
        """Keep the tasks."""
        super().__init__(tasks)
        self.tasks = list(tasks)

    exit_code = 1
    """Of a command that ends so."""

    def format_message(self) -> str:
        """Return what a command line says, as click's own errors do."""
        return f"{self}; what is done is kept, the same command goes on with the rest"

    def __str__(self) -> str:
        """Say how many and why, so far as that is known."""
        return (
            f"{len(self.tasks)} tasks were left out: their worker died {TIMES_ALONE} times,"
            " killed or out of memory"
        )


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
            pool. A task whose worker dies is run again by another. Dask speaks pickle without a
            password: who reaches an open scheduler runs code on its machines and on this one.
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
        yield from _on_dask(function, tasks, scheduler, security)
    elif jobs == 1 or not tasks:
        for task in tasks:
            yield task, function(task)
    else:
        yield from _on_processes(function, tasks, jobs)


def _on_processes(
    function: Callable[[_Task], _Result], tasks: Sequence[_Task], jobs: int
) -> Iterator[tuple[_Task, _Result]]:
    # Imported here: most that import this module only read their `Part`.
    from joblib import Parallel, delayed, parallel_config

    # When one worker dies the whole pool ends, and does not say which task it was.
    left, suspects = dict.fromkeys(range(len(tasks))), list[int]()
    deaths, lost = Counter[int](), list[int]()
    while left:
        # The last one is alone anyway.
        alone, sent = suspects[:1] or list(left)[: len(left) == 1], list[int]()

        def calls(numbers: Iterable[int], sent: list[int] = sent) -> Iterator[Any]:
            for k in numbers:
                sent.append(k)
                yield delayed(_numbered)(function, k, tasks[k])

        try:
            with parallel_config(backend="loky", inner_max_num_threads=1):
                pool = Parallel(
                    n_jobs=jobs, return_as="generator_unordered", batch_size=1, pre_dispatch=jobs
                )
                for k, result in pool(calls(alone or list(left))):
                    del left[k]
                    yield tasks[k], result
        except BrokenProcessPool:
            deaths.update(alone)
            if not alone:
                suspects = [k for k in sent if k in left]
        suspects = [k for k in suspects if k in left]
        if alone and deaths[alone[0]] == TIMES_ALONE:
            lost += alone
            del left[alone[0]]
            suspects = suspects[1:]
    if lost:
        raise LostTasks([tasks[k] for k in lost])


def _numbered(function: Callable[[Any], _Result], k: int, task: Any) -> tuple[int, _Result]:
    return k, function(task)


def _on_one_thread(function: Callable[[Any], _Result], k: int, task: Any) -> tuple[int, _Result]:
    """Run with one thread of linear algebra, where threadpoolctl is there to say so."""
    try:
        from threadpoolctl import threadpool_limits
    except ModuleNotFoundError:
        return _numbered(function, k, task)
    with threadpool_limits(1):
        return _numbered(function, k, task)


def _on_dask(
    function: Callable[[_Task], _Result], tasks: Sequence[_Task], address: str, security: Any
) -> Iterator[tuple[_Task, _Result]]:
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
    with client:
        futures = client.map(
            _on_one_thread,
            [function] * len(tasks),
            range(len(tasks)),
            tasks,
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
                        k, result = results[position] if results else future.result(_PATIENCE)
                    except (LateError, TimeoutError):
                        if future.status == "error":
                            raise
                        # Its worker went after it had ended and before the result was here.
                        if not client.scheduler_info().get("workers"):
                            raise _no_worker() from None
                        running.add(future)
                        continue
                    future.release()
                    yield tasks[k], result
        except (CancelledError, CommClosedError, OSError, TimeoutError) as error:
            raise InputError(
                f"scheduler {address} is lost ({type(error).__name__}); what is done is kept, run"
                " again when it is back"
            ) from error


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


@checked
def scatter_over(
    function: Callable[[_Task, str], _Result], tasks: Sequence[_Task], devices: Sequence[str]
) -> Iterator[tuple[_Task, _Result]]:
    """Yield each task with its result; each device has a process of its own and takes the next.

    Args:
        function: (task, device) -> result, importable by the workers.
        tasks: sent to the workers.
        devices: names; with one, the work is done here.

    Raises:
        InputError: if there is no device.
        LostTasks: after all others, for tasks whose process died.

    Example:
        >>> list(scatter_over(max, ["a"], ["cpu"]))
        [('a', 'cpu')]
    """
    if not devices:
        raise InputError("devices must hold at least one device, got none")
    if len(devices) == 1:
        for task in tasks:
            yield task, function(task, devices[0])
        return
    waiting, lost = deque(tasks), list[_Task]()
    running: dict[Future[_Result], tuple[_Task, str]] = {}
    # Not forked: CUDA cannot be used in a copy of a process that has used it.
    context = get_context("spawn")
    pools = {device: ProcessPoolExecutor(1, context) for device in devices}
    try:
        while waiting or running:
            for device in {*devices} - {device for _, device in running.values()}:
                if waiting:
                    task = waiting.popleft()
                    running[pools[device].submit(function, task, device)] = (task, device)
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                task, device = running.pop(future)
                try:
                    yield task, future.result()
                except BrokenProcessPool:
                    lost.append(task)
                    pools[device] = ProcessPoolExecutor(1, context)
    finally:
        for pool in pools.values():
            pool.shutdown(cancel_futures=True)
    if lost:
        raise LostTasks(lost)


@checked
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
