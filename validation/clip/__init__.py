"""The paper's run in one command: Flickr8k and CLIP from the network to figures and a report."""

from validation.clip.run import run_stages
from validation.clip.stages import Plan, Stage, stages

__all__ = ["Plan", "Stage", "run_stages", "stages"]
