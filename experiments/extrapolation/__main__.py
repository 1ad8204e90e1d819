"""Run the study: ``python -m experiments.extrapolation``."""

import sys

from experiments.extrapolation.run import main

if len(sys.argv) > 1:
    sys.exit(f"no arguments are taken, got {' '.join(sys.argv[1:])}; see also .summary, .figure")
main()
