"""Run the study: ``python -m experiments.interval_checks``."""

from experiments.interval_checks.config import Config
from experiments.interval_checks.figure import draw
from experiments.interval_checks.measure import measure
from experiments.interval_checks.predict import predict
from experiments.interval_checks.summary import summary
from experiments.study import Study

STUDY = Study("interval_checks", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
