"""Run the study: ``python -m experiments.large_n``."""

from experiments.large_n.config import Config
from experiments.large_n.figure import draw
from experiments.large_n.measure import measure
from experiments.large_n.predict import predict
from experiments.large_n.summary import summary
from experiments.study import Study

STUDY = Study("large_n", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
