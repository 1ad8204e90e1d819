"""Run the study: ``python -m experiments.ridge_risk``."""

from experiments.ridge_risk.config import Config
from experiments.ridge_risk.figure import draw
from experiments.ridge_risk.measure import measure
from experiments.ridge_risk.predict import predict
from experiments.ridge_risk.summary import summary
from experiments.study import Study

STUDY = Study("ridge_risk", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
