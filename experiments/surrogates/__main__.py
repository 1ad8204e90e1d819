"""Run the study: ``python -m experiments.surrogates``."""

from experiments.study import Study
from experiments.surrogates.config import Config
from experiments.surrogates.figure import draw
from experiments.surrogates.measure import measure
from experiments.surrogates.predict import predict
from experiments.surrogates.summary import summary

STUDY = Study("surrogates", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
