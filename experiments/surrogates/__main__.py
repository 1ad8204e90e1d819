"""Run the study: ``python -m experiments.surrogates [predict | measure | summary]``."""

import sys

from experiments.surrogates.run import main

main(sys.argv[1:])
