"""Run the study: ``python -m experiments.tuned_heads``."""

from experiments.study import Study
from experiments.tuned_heads.config import Config
from experiments.tuned_heads.figure import draw
from experiments.tuned_heads.measure import measure
from experiments.tuned_heads.predict import SETTINGS, predict
from experiments.tuned_heads.summary import summary

_READS = {"predictions": (SETTINGS / "adam_kernel.csv",)}
STUDY = Study("tuned_heads", Config(), predict, measure, summary, draw, reads=_READS)

if __name__ == "__main__":
    STUDY.main()
