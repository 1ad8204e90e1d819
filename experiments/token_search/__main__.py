"""Run the study: ``python -m experiments.token_search``."""

from experiments.study import Study
from experiments.token_search.config import Config
from experiments.token_search.figure import draw
from experiments.token_search.measure import measure
from experiments.token_search.predict import predict
from experiments.token_search.summary import summary

STUDY = Study("token_search", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
