"""One function over many tasks, with a process for each device."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.parallel.pool import LostTasks

__all__ = ["scatter_over"]

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


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
