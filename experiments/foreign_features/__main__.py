"""Run the study from end to end: ``python -m experiments.foreign_features``.

Predictions first, then what is not yet measured, the calibration, tables and figure. With
``--anew`` the stored predictions are dropped first, as after a change of the theory; what was
measured stays, because it does not hang on the theory.
"""

from __future__ import annotations

import argparse

from experiments.foreign_features import calibrate, figure, summary
from experiments.foreign_features.config import PREDICTIONS, Config
from experiments.foreign_features.measure import measure_all
from experiments.foreign_features.predict import diagnose_all, predict_all

parser = argparse.ArgumentParser(prog="experiments.foreign_features")
parser.add_argument("--samples", type=int, default=Config.samples, help="moment samples")
parser.add_argument("--anew", action="store_true", help="predict all samples anew")
options = parser.parse_args()
config = Config(samples=options.samples)
if options.anew:
    PREDICTIONS.unlink(missing_ok=True)
predict_all(config)
diagnose_all(config)
measure_all(config)
calibrate.main()
summary.main()
figure.main()
