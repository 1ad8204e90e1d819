"""Run the study: ``python -m experiments.crossover``."""

from experiments.crossover.config import Config
from experiments.crossover.figure import draw
from experiments.crossover.measure import measure
from experiments.crossover.predict import predict
from experiments.crossover.summary import summary
from experiments.study import Study

STUDY = Study("crossover", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
