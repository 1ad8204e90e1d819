"""Run the study: ``python -m experiments.correlated_risk``."""

from experiments.correlated_risk.run import main

main()
