"""Run the study: ``python -m experiments.interpolation_peak [predict|run|summary]``."""

from experiments.interpolation_peak.run import main

main()
