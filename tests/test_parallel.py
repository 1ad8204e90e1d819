"""Work in processes goes on when a process dies."""

from __future__ import annotations

import os
import signal
import sys
import warnings

import pytest

from fusiontheory.checks import InputError
from fusiontheory.parallel import TIMES_ALONE, LostTasks, scatter, scatter_over

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills processes")


def dies(task):
    """Kill the worker: always with task 3, the first time with task 5."""
    number, flag = task
    if number == 3:
        with flag.with_suffix(".log").open("a") as log:
            log.write("x")
    if number == 3 or (number == 5 and not flag.exists()):
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_killed_workers_are_replaced_and_only_the_task_to_blame_is_left_out(tmp_path):
    tasks = [(number, tmp_path / "flag") for number in range(9)]
    done = []
    with pytest.raises(LostTasks, match="1 tasks were left out: their worker died 3") as caught:
        done.extend(scatter(dies, tasks, jobs=2))
    assert caught.value.tasks == [tasks[3]]
    assert sorted(done) == [(task, task[0]) for task in tasks if task[0] != 3]
    # With others, then alone.
    assert len((tmp_path / "flag.log").read_text()) in (TIMES_ALONE, TIMES_ALONE + 1)


def test_the_last_task_is_alone(tmp_path):
    with pytest.raises(LostTasks):
        list(scatter(dies, [(3, tmp_path / "flag")], jobs=2))
    assert len((tmp_path / "flag.log").read_text()) == TIMES_ALONE


def fails(number):
    raise KeyError(number)


def test_an_error_of_the_function_is_not_a_death():
    with pytest.raises(KeyError, match="1"):
        list(scatter(fails, [1], jobs=2))


def test_a_killed_tracker_of_semaphores_leaves_nothing_on_standard_error(capfd):
    from joblib.externals.loky import get_reusable_executor
    from joblib.externals.loky.backend.resource_tracker import _resource_tracker

    get_reusable_executor(max_workers=2).shutdown()  # the tracker may be one of another test
    found = scatter(abs, [-1, -2], jobs=2)
    next(found)
    os.kill(_resource_tracker._pid, signal.SIGKILL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # joblib's, that it starts another
        list(found)
        get_reusable_executor().shutdown()
    # It ends when nobody can write to it, and has said by then what it would.
    os.close(_resource_tracker._fd)
    os.waitpid(_resource_tracker._pid, 0)
    _resource_tracker._fd = _resource_tracker._pid = None
    assert capfd.readouterr().err == ""


def warn_of_a_tracker(task: int) -> int:
    warnings.warn("resource_tracker: process died unexpectedly, relaunching.", stacklevel=1)
    return task


def test_a_worker_that_starts_another_tracker_says_nothing(capfd, monkeypatch):
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor(max_workers=2).shutdown()  # workers of now, with the variables of now
    monkeypatch.delenv("PYTHONWARNINGS", raising=False)
    assert sorted(k for k, _ in scatter(warn_of_a_tracker, [1, 2], jobs=2)) == [1, 2]
    get_reusable_executor().shutdown()
    assert capfd.readouterr().err == ""
    assert "PYTHONWARNINGS" not in os.environ


# A process for each device


def test_each_device_has_a_process_and_takes_the_next_task() -> None:
    found = dict(scatter_over(max, ["a", "b", "c"], ["x", "y"]))
    assert set(found) == {"a", "b", "c"}
    assert set(found.values()) <= {"x", "y"}
    with pytest.raises(InputError, match="at least one device"):
        list(scatter_over(max, ["a"], []))


def die(task: int, device: str) -> int:
    if task == 1:
        os._exit(1)
    return task


def test_a_process_that_dies_is_replaced_and_its_task_named() -> None:
    found = scatter_over(die, [0, 1, 2, 3], ["x", "y"])
    done = [next(found)[0] for _ in range(3)]
    with pytest.raises(LostTasks) as lost:
        next(found)
    assert sorted(done) == [0, 2, 3]
    assert lost.value.tasks == [1]


def test_more_tasks_than_a_cluster_is_asked_for_at_once_come_in_groups(monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("fusiontheory.parallel.cluster._MOST_FUTURES", 3)
    tasks = list(range(-10, 0))
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        found = list(scatter(abs, tasks, scheduler=cluster.scheduler_address))
        assert list(scatter(abs, [], scheduler=cluster.scheduler_address)) == []
    assert sorted(found) == [(task, -task) for task in tasks]
