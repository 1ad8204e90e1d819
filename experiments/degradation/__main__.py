"""Run the study: ``python -m experiments.degradation``."""

from experiments.degradation.config import Config
from experiments.degradation.figure import draw
from experiments.degradation.measure import measure
from experiments.degradation.predict import predict
from experiments.degradation.summary import summary
from experiments.study import Study

STUDY = Study("degradation", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
