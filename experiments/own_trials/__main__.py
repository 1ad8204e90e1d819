"""Run the study: ``python -m experiments.own_trials``."""

from experiments.own_trials.config import Config
from experiments.own_trials.figure import draw
from experiments.own_trials.measure import measure
from experiments.own_trials.predict import predict
from experiments.own_trials.summary import summary
from experiments.study import Study

STUDY = Study("own_trials", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
