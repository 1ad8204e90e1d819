"""Run the study: ``python -m experiments.correlated_risk``."""

from experiments.correlated_risk.config import Config
from experiments.correlated_risk.figure import draw
from experiments.correlated_risk.measure import measure
from experiments.correlated_risk.predict import predict
from experiments.correlated_risk.summary import summary
from experiments.study import Study

STUDY = Study("correlated_risk", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
