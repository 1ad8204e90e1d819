"""Run the study: ``python -m experiments.foreign_features``."""

from pathlib import Path

from experiments.foreign_features.config import Config
from experiments.foreign_features.figure import draw
from experiments.foreign_features.measure import measure
from experiments.foreign_features.predict import predict
from experiments.foreign_features.summary import summary
from experiments.study import Study

_READS = {"results": (Path(__file__).with_name("shipped.csv"),)}
STUDY = Study("foreign_features", Config(), predict, measure, summary, draw, reads=_READS)

if __name__ == "__main__":
    STUDY.main()
