"""Run the study: ``python -m experiments.noise_degradation [predict | measure | summary]``."""

import sys

from experiments.noise_degradation.run import main

main(sys.argv[1:])
