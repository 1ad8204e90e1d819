"""Run the study: ``python -m experiments.rank``."""

from experiments.rank.config import Config
from experiments.rank.figure import draw
from experiments.rank.measure import measure
from experiments.rank.predict import predict
from experiments.rank.summary import summary
from experiments.study import Study

STUDY = Study("rank", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
