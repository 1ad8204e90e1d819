"""Run the study: ``python -m experiments.shared_images``."""

from experiments.shared_images.config import Config
from experiments.shared_images.figure import draw
from experiments.shared_images.measure import measure
from experiments.shared_images.predict import predict
from experiments.shared_images.summary import summary
from experiments.study import Study

STUDY = Study("shared_images", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
