"""Run the study: ``python -m experiments.interval_coverage``."""

from experiments.interval_coverage.config import Config
from experiments.interval_coverage.figure import draw
from experiments.interval_coverage.measure import measure
from experiments.interval_coverage.predict import predict
from experiments.interval_coverage.summary import summary
from experiments.study import Study

STUDY = Study("interval_coverage", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
