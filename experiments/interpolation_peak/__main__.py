"""Run the study: ``python -m experiments.interpolation_peak``."""

from experiments.interpolation_peak.config import Config
from experiments.interpolation_peak.figure import draw
from experiments.interpolation_peak.measure import measure
from experiments.interpolation_peak.predict import predict
from experiments.interpolation_peak.summary import summary
from experiments.study import Study

STUDY = Study("interpolation_peak", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
