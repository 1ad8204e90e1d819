"""Run the study: ``python -m experiments.token_networks``."""

from experiments.study import Study
from experiments.token_networks.config import Config
from experiments.token_networks.figure import draw
from experiments.token_networks.measure import measure
from experiments.token_networks.predict import predict
from experiments.token_networks.summary import summary

STUDY = Study("token_networks", Config(), predict, measure, summary, draw)

if __name__ == "__main__":
    STUDY.main()
