"""Run the study: ``python -m experiments.one_sided_noise``."""

from experiments.one_sided_noise.config import Config
from experiments.one_sided_noise.figure import draw
from experiments.one_sided_noise.measure import measure
from experiments.one_sided_noise.predict import predict
from experiments.one_sided_noise.summary import summary
from experiments.study import Study

STUDY = Study("one_sided_noise", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
