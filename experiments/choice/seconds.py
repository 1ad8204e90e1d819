"""How long `advise` takes: ``python -m experiments.choice.seconds``, on an idle machine.

Each case runs in a process of its own, the import included, on made-up features. Writes
`seconds.csv`: seconds by the clock and of the processors, the largest memory, the number of
processors, and the load of the machine when the case began.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd

from experiments.side_tables import arguments, write_side_table

CASES = {
    "matching, 8091 x 512": (8091, 512, 0),
    "matching, 40,455 x 384": (40_455, 384, 0),
    "2000 labels of 10 classes, 64 columns": (2000, 64, 10),
    "800 labels of 160 classes, 64 columns": (800, 64, 160),
}
_CODE = """
import json, resource, sys, time
start = time.perf_counter()
import numpy as np
from fusiontheory import advise
items, columns, classes = map(int, sys.argv[1:])
rng = np.random.default_rng(0)
v = rng.standard_normal((items, columns))
t = 0.5 * v + rng.standard_normal((items, columns))
y = None
if classes:
    y = np.arange(items) % classes
    shift = rng.standard_normal((2, classes, columns))
    v, t = v + 0.5 * shift[0, y], t + 0.5 * shift[1, y]
    y = y.astype(str)
advise(v, t, y)
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({
    "seconds": time.perf_counter() - start,
    "processor_seconds": used.ru_utime + used.ru_stime,
    "gib": used.ru_maxrss / 2**20,
    "torch": "torch" in sys.modules,
}))
"""


def main() -> None:
    """Time every case and write the table."""
    arguments(__doc__)
    rows = []
    for name, shape in CASES.items():
        load = os.getloadavg()[0]
        command = [sys.executable, "-W", "ignore", "-c", _CODE, *map(str, shape)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found = json.loads(done.stdout.splitlines()[-1])
        rows.append({"case": name, **found, "processors": os.cpu_count(), "load": load})
        print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    write_side_table(Path(__file__).with_name("seconds.csv"), table, main, "%.3g")


if __name__ == "__main__":
    main()
