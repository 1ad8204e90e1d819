"""Run the study: ``python -m experiments.own_trials``."""

from pathlib import Path

from experiments.own_trials.config import TRUTH, Config
from experiments.own_trials.figure import draw
from experiments.own_trials.measure import measure
from experiments.own_trials.predict import predict
from experiments.own_trials.summary import summary
from experiments.study import Study

_READS = {"results": (Path(__file__).parents[1] / TRUTH / "measured.csv",)}
STUDY = Study("own_trials", Config(), predict, measure, summary, draw, reads=_READS)

if __name__ == "__main__":
    STUDY.main()
