"""Run the study: ``python -m experiments.crossover [predict | run | summary]``."""

import sys

from experiments.crossover.run import main

main(sys.argv[1] if len(sys.argv) > 1 else "run")
