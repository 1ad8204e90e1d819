"""One thread of linear algebra for each process of the suite: small problems only wait for more.

Set before NumPy and PyTorch are imported, here and in the processes that tests start.
"""

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
