"""Run the study: ``python -m experiments.tuned_attention``."""

from dataclasses import replace

from experiments.study import Study
from experiments.tuned_attention.config import CONFIG
from experiments.tuned_attention.figure import draw
from experiments.tuned_attention.measure import measure
from experiments.tuned_attention.predict import predict
from experiments.tuned_attention.summary import summary

# Of the places that were predicted, those whose search is complete.
_SEARCHED = replace(CONFIG, searched=CONFIG.places[:2])
STUDY = Study("tuned_attention", _SEARCHED, predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
