"""Run the study: ``python -m experiments.token_attention``."""

from experiments.study import Study
from experiments.token_attention.config import Config
from experiments.token_attention.figure import draw
from experiments.token_attention.measure import measure
from experiments.token_attention.predict import predict
from experiments.token_attention.summary import summary

STUDY = Study("token_attention", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
