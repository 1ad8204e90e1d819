"""How processes of the suite run: one thread of linear algebra each, and compiled modules are kept.

Small problems only wait for more threads. Where modules are not kept (``PYTHONDONTWRITEBYTECODE``),
every process that starts compiles what it imports again: an eighth of the whole suite's time. Set
before NumPy and PyTorch are imported, here and in the processes that tests start.
"""

import os
import sys

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

from collections.abc import Iterator

import pytest

_BLANK = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"></svg>'


@pytest.fixture(scope="module")
def undrawn() -> Iterator[None]:
    """Save blank figures, where a module tests what a report says: drawing is half of its time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("matplotlib.figure.Figure.savefig", lambda _, file, **__: file.write(_BLANK))
        yield


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
