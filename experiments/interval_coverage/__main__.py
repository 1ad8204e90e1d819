"""Run the study: ``python -m experiments.interval_coverage``."""

from experiments.interval_coverage.run import main

main()
