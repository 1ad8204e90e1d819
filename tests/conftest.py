"""One thread of linear algebra for each process of the suite: small problems only wait for more.

Set before NumPy and PyTorch are imported, here and in the processes that tests start.
"""

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is marked ``gpu`` where there is none."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    try:
        from torch.cuda import device_count
    except ModuleNotFoundError:
        there = 0
    else:
        there = device_count()
    if not there:
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count the tests that no device was there for."""
    skipped = terminalreporter.stats.get("skipped", [])
    count = sum("needs a CUDA device" in str(report.longrepr) for report in skipped)
    if count:
        terminalreporter.write_line(f"{count} tests need a CUDA device and were skipped")
