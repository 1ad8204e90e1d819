"""Run the study: ``python -m experiments.rank [predict|run|summary]``."""

from experiments.rank.run import main

main()
