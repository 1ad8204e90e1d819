"""Run the study: ``python -m experiments.leaving_chance``."""

from experiments.leaving_chance.config import Config
from experiments.leaving_chance.figure import draw
from experiments.leaving_chance.measure import measure
from experiments.leaving_chance.predict import predict
from experiments.leaving_chance.summary import summary
from experiments.study import Study

STUDY = Study("leaving_chance", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
