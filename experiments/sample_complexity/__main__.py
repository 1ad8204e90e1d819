"""Run the study: ``python -m experiments.sample_complexity``."""

from experiments.sample_complexity.config import Config
from experiments.sample_complexity.figure import draw
from experiments.sample_complexity.measure import measure
from experiments.sample_complexity.predict import predict
from experiments.sample_complexity.summary import summary
from experiments.study import Study

STUDY = Study("sample_complexity", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
