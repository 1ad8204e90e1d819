"""Start of the library and of the command lines, against NumPy, SciPy and pandas alone.

Run with: pytest tests/benchmarks/bench_start.py --benchmark-only -s
"""

import resource
import subprocess
import sys

import pytest

ROUNDS = 5
ALONE = ["-c", "import numpy, scipy.linalg, pandas"]


def seconds(arguments):
    """Return processor seconds of a new interpreter, user and system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


@pytest.mark.benchmark(min_rounds=1)
@pytest.mark.parametrize(
    "start",
    [
        ["-c", "import fusiontheory"],
        ["-c", "from fusiontheory import Moments, predict_curve"],
        ["-m", "fusiontheory", "--help"],
        ["-m", "validation", "--help"],
    ],
    ids=" ".join,
)
def test_start(benchmark, start):
    pairs = [(seconds(start), seconds(ALONE)) for _ in range(ROUNDS)]
    mine, alone = (sorted(column)[ROUNDS // 2] for column in zip(*pairs, strict=True))
    benchmark.pedantic(seconds, (start,), rounds=1)
    benchmark.extra_info.update({"seconds": mine, "alone_seconds": alone, "ratio": mine / alone})
    print(
        f"\n{' '.join(start)}: {mine:.2f} s of processor time, NumPy, SciPy's linear algebra and"
        f" pandas {alone:.2f} s, ratio {mine / alone:.2f}"
    )
