"""Run the study: ``python -m experiments.unseen_features``."""

from experiments.study import Study
from experiments.unseen_features.config import Config
from experiments.unseen_features.figure import draw
from experiments.unseen_features.measure import measure
from experiments.unseen_features.predict import predict
from experiments.unseen_features.summary import summary

STUDY = Study("unseen_features", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
