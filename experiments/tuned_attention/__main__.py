"""Run the study: ``python -m experiments.tuned_attention``."""

from experiments.study import Study
from experiments.tuned_attention.config import CONFIG
from experiments.tuned_attention.figure import draw
from experiments.tuned_attention.measure import measure
from experiments.tuned_attention.predict import predict
from experiments.tuned_attention.summary import summary

STUDY = Study("tuned_attention", CONFIG, predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
