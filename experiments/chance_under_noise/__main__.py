"""Run the study: ``python -m experiments.chance_under_noise``."""

from experiments.chance_under_noise.config import Config
from experiments.chance_under_noise.figure import draw
from experiments.chance_under_noise.measure import measure
from experiments.chance_under_noise.predict import predict
from experiments.chance_under_noise.summary import summary
from experiments.study import Study

STUDY = Study("chance_under_noise", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
