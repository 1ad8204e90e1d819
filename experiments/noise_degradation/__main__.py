"""Run the study: ``python -m experiments.noise_degradation``."""

from experiments.noise_degradation.config import Config
from experiments.noise_degradation.figure import draw
from experiments.noise_degradation.measure import measure
from experiments.noise_degradation.predict import predict
from experiments.noise_degradation.summary import summary
from experiments.study import Study

STUDY = Study("noise_degradation", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
