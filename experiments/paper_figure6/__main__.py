"""Run the study: ``python -m experiments.paper_figure6``."""

from experiments.paper_figure6.config import Config
from experiments.paper_figure6.figure import draw
from experiments.paper_figure6.measure import measure
from experiments.paper_figure6.predict import predict
from experiments.paper_figure6.summary import summary
from experiments.study import Study

STUDY = Study("paper_figure6", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
