"""Run the study: ``python -m experiments.token_objects``."""

from experiments.study import Study
from experiments.token_attention import predict
from experiments.token_objects.config import Config
from experiments.token_objects.figure import draw
from experiments.token_objects.measure import measure
from experiments.token_objects.summary import summary

STUDY = Study("token_objects", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
