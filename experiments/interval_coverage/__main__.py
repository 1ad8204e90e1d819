"""Run the study: ``python -m experiments.interval_coverage``."""

import sys

from experiments.interval_coverage.run import main

if len(sys.argv) > 1:
    sys.exit(f"no arguments are taken, got {' '.join(sys.argv[1:])}; see also .summary, .figure")
main()
