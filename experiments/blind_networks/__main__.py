"""Run the study: ``python -m experiments.blind_networks``."""

from experiments.blind_networks.config import Config
from experiments.blind_networks.figure import draw
from experiments.blind_networks.measure import measure
from experiments.blind_networks.predict import predict
from experiments.blind_networks.summary import summary
from experiments.study import Study

STUDY = Study("blind_networks", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
