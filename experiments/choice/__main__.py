"""Run the study: ``python -m experiments.choice``."""

from experiments.choice.config import Config
from experiments.choice.figure import draw
from experiments.choice.measure import measure
from experiments.choice.predict import predict
from experiments.choice.summary import summary
from experiments.study import Study

STUDY = Study("choice", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
