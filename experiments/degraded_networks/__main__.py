"""Run the study: ``python -m experiments.degraded_networks``."""

from experiments.degraded_networks.config import Config
from experiments.degraded_networks.figure import draw
from experiments.degraded_networks.measure import measure
from experiments.degraded_networks.predict import predict
from experiments.degraded_networks.summary import summary
from experiments.study import Study

STUDY = Study("degraded_networks", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
