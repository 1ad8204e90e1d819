"""Run the study: ``python -m experiments.logit_growth``."""

from experiments.logit_growth.config import Config
from experiments.logit_growth.figure import draw
from experiments.logit_growth.measure import measure
from experiments.logit_growth.on_file import READ
from experiments.logit_growth.predict import predict
from experiments.logit_growth.summary import summary
from experiments.study import Study

_READS = {"results": READ}
STUDY = Study("logit_growth", Config(), predict, measure, summary, draw, reads=_READS)

if __name__ == "__main__":
    STUDY.main()
