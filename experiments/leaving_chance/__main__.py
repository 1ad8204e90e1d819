"""Run the study: ``python -m experiments.leaving_chance``."""

from experiments.leaving_chance.config import Config
from experiments.leaving_chance.figure import draw
from experiments.leaving_chance.measure import measure
from experiments.leaving_chance.predict import SETTINGS, predict
from experiments.leaving_chance.summary import summary
from experiments.study import Study

_READS = {"predictions": (SETTINGS / "adam_kernel.csv",)}
STUDY = Study("leaving_chance", Config(), predict, measure, summary, draw, reads=_READS)

if __name__ == "__main__":
    STUDY.main()
