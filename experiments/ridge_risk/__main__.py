"""Run the study: ``python -m experiments.ridge_risk``."""

from experiments.ridge_risk.run import main

main()
