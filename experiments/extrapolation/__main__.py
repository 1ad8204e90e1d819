"""Run the study: ``python -m experiments.extrapolation``."""

from experiments.extrapolation.config import Config
from experiments.extrapolation.figure import draw
from experiments.extrapolation.measure import TRUTH, measure
from experiments.extrapolation.predict import predict
from experiments.extrapolation.summary import summary
from experiments.study import Study

_READS = {"results": (TRUTH,)}
STUDY = Study("extrapolation", Config(), predict, measure, summary, draw, reads=_READS)

if __name__ == "__main__":
    STUDY.main()
