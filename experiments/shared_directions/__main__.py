"""Run the study: ``python -m experiments.shared_directions``."""

from experiments.shared_directions.config import Config
from experiments.shared_directions.figure import draw
from experiments.shared_directions.measure import measure
from experiments.shared_directions.predict import predict
from experiments.shared_directions.summary import summary
from experiments.study import Study

STUDY = Study("shared_directions", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
