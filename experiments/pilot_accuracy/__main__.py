"""Run the study: ``python -m experiments.pilot_accuracy``."""

from experiments.pilot_accuracy.config import Config
from experiments.pilot_accuracy.figure import draw
from experiments.pilot_accuracy.measure import measure
from experiments.pilot_accuracy.predict import predict
from experiments.pilot_accuracy.summary import summary
from experiments.study import Study

STUDY = Study("pilot_accuracy", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
