"""Run the study: ``python -m experiments.degradation [predict | run | summary]``."""

import sys

from experiments.degradation.run import main

main(sys.argv[1] if len(sys.argv) > 1 else "run")
