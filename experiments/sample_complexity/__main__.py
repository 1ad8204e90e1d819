"""Run the study: ``python -m experiments.sample_complexity [predict|run|summary]``."""

from experiments.sample_complexity.run import main

main()
