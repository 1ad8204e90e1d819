"""Run the study: ``python -m experiments.extrapolation``."""

from experiments.extrapolation.config import Config
from experiments.extrapolation.figure import draw
from experiments.extrapolation.measure import measure
from experiments.extrapolation.predict import predict
from experiments.extrapolation.summary import summary
from experiments.study import Study

STUDY = Study("extrapolation", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
