"""Run the study: ``python -m experiments.extrapolation``."""

from experiments.extrapolation.run import main

main()
