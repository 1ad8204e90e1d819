"""One function over many tasks in a pool of processes that may die."""

from __future__ import annotations

import functools
import os
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from fusiontheory.checks import InputError

__all__ = ["TIMES_ALONE", "LostTasks", "numbered", "on_processes"]

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

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


def on_processes(
    function: Callable[[_Task], _Result], tasks: Sequence[_Task], jobs: int
) -> Iterator[tuple[_Task, _Result]]:
    """Yield each task with its result, as `fusiontheory.parallel.scatter` does."""
    _hush_tracker()
    with _workers_say_nothing_of_a_tracker():
        yield from _until_done(function, tasks, jobs)


def _until_done(
    function: Callable[[_Task], _Result], tasks: Sequence[_Task], jobs: int
) -> Iterator[tuple[_Task, _Result]]:
    # Imported here: most that import this module only read their `Part`.
    from joblib import Parallel, delayed, parallel_config
    from joblib._multiprocessing_helpers import mp

    if mp is None:
        raise InputError(
            f"jobs must be 1, got {jobs}: processes are not to be had, or JOBLIB_MULTIPROCESSING=0"
        )
    # When one worker dies the whole pool ends, and does not say which task it was.
    left, suspects = dict.fromkeys(range(len(tasks))), list[int]()
    deaths, lost = Counter[int](), list[int]()
    while left:
        # The last one is alone anyway.
        alone, sent = suspects[:1] or list(left)[: len(left) == 1], list[int]()

        def calls(numbers: Iterable[int], sent: list[int] = sent) -> Iterator[Any]:
            for k in numbers:
                sent.append(k)
                yield delayed(_of_a_worker)(os.getpid(), function, k, tasks[k])

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


def _hush_tracker() -> None:
    """Let joblib's tracker of semaphores, which is a process, have nowhere to write to.

    One that takes the place of another, which was killed, does not know the semaphores that there
    are, and writes a traceback for each that is given back; nothing depends on it.
    """
    from joblib.externals.loky.backend import resource_tracker

    tracker = getattr(resource_tracker, "_resource_tracker", None)
    name = "_launch" if hasattr(tracker, "_launch") else "ensure_running"  # before joblib 1.5
    launch = getattr(tracker, name, None)
    if launch is None or hasattr(launch, "__wrapped__"):
        return

    @functools.wraps(launch)
    def hushed() -> Any:
        with _nowhere_to_write():
            return launch()

    setattr(tracker, name, hushed)
    # Before it starts another one it warns, in this process, that one died.
    warnings.filterwarnings("ignore", "resource_tracker: process died", UserWarning)


@contextmanager
def _workers_say_nothing_of_a_tracker() -> Iterator[None]:
    """Let workers that are started meanwhile not warn that another tracker was started."""
    before = os.environ.get("PYTHONWARNINGS")
    ours = "ignore:resource_tracker:UserWarning"
    os.environ["PYTHONWARNINGS"] = f"{before},{ours}" if before else ours
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("PYTHONWARNINGS", None)
        else:
            os.environ["PYTHONWARNINGS"] = before


@contextmanager
def _nowhere_to_write() -> Iterator[None]:
    """Let processes that are started have no standard error, which they inherit by its number."""
    try:
        kept = os.dup(2)
    except OSError:  # there is none
        yield
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


_LOOK = 0.5
"""Seconds between looks whether the process that started a worker is there."""


def _of_a_worker(
    owner: int, function: Callable[[Any], _Result], k: int, task: Any
) -> tuple[int, _Result]:
    """Do a task in a worker, which ends with its owner: joblib's would wait five minutes for it."""
    if os.getpid() != owner:
        _end_with(owner)
    return numbered(function, k, task)


@functools.cache
def _end_with(owner: int) -> None:
    def watch() -> None:
        while os.getppid() == owner:
            time.sleep(_LOOK)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def numbered(function: Callable[[Any], _Result], k: int, task: Any) -> tuple[int, _Result]:
    """Return the number of a task and its result; importable by workers."""
    return k, function(task)
