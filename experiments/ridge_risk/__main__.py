"""Run the study: ``python -m experiments.ridge_risk``."""

import sys

from experiments.ridge_risk.run import main

if len(sys.argv) > 1:
    sys.exit(f"no arguments are taken, got {' '.join(sys.argv[1:])}; this runs the study")
main()
