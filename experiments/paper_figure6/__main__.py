"""Run the study: ``python -m experiments.paper_figure6 [predict | run | summary]``."""

import sys

from experiments.paper_figure6.run import main

main(sys.argv[1] if len(sys.argv) > 1 else "run")
